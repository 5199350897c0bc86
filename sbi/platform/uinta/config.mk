# What OpenSBI's build reads first about this platform: what code, which
# firmware (fw_dynamic, the form QEMU's -bios wants) and where it runs.
PLATFORM_RISCV_XLEN = 64
PLATFORM_RISCV_ISA = rv64imac_zicsr_zifencei
PLATFORM_RISCV_ABI = lp64
FW_TEXT_START = 0x80000000
FW_PIC = n
FW_DYNAMIC = y

# Our M-mode code gets in front of these functions.
platform-ldflags-y = -Wl,--wrap=sbi_trap_handler -Wl,--wrap=sbi_hart_reinit \
    -Wl,--wrap=sbi_hsm_hart_start -Wl,--wrap=atomic_raw_xchg_ulong \
    -Wl,--wrap=spin_lock

# abi/ of this repository expects C17's assert.h; generic's hooks.
platform-cflags-y = -Dstatic_assert=_Static_assert
platform-genflags-y = -I$(src_dir)/platform/generic/include \
	-I$(platform_src_dir)/../../..
