/*
 * First instructions of every program: a0 is the startup block (abi/startup.h),
 * sp as the spawner set it, everything else 0. The kernel has zeroed .bss.
 */
    .section .text._start, "ax"
    .globl _start
    .type _start, @function
_start:
    .option push
    .option norelax
    la gp, __global_pointer$
    .option pop
    andi sp, sp, -16
    li ra, 0            /* the end of a backtrace */
    li s0, 0
    tail start_process
    .size _start, . - _start

/*
 * Ours and not newlib's: its archive member with these names must not be met
 * first. The relocation does nothing but name the symbol.
 */
    .reloc 0, R_RISCV_NONE, __retarget_lock_init
