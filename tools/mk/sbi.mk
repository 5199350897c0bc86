# The firmware: OpenSBI's source from the cache, unchanged, with the platform
# sbi/platform/uinta. OpenSBI's own make does the work; it is only asked when
# something of ours is newer.

FIRMWARE := build/sbi/fw.bin
FIRMWARE_ELF := build/sbi/fw.elf
SBI_SOURCES := $(shell find sbi -type f) $(wildcard abi/*.h)
SBI_OUT := build/sbi/opensbi/platform/uinta/firmware/fw_dynamic

# FW_PIC=n: Debian's bare-metal linker makes no position-independent firmware.
SBI_MAKE = $(MAKE) -s -C $(OPENSBI_SRC) O=$(CURDIR)/build/sbi/opensbi \
    PLATFORM_DIR=$(CURDIR)/sbi/platform PLATFORM=uinta \
    CROSS_COMPILE=$(CROSS) FW_PIC=n

$(FIRMWARE): $(SBI_SOURCES) build/setup.mk tools/mk/sbi.mk
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' SBI $@
	@+$(SBI_MAKE) >build/sbi/log 2>&1 || \
	    { grep -v '^ [A-Z]' build/sbi/log >&2; exit 1; }
	@cp $(SBI_OUT).elf $(FIRMWARE_ELF)
	@cp $(SBI_OUT).bin $@

$(FIRMWARE_ELF): $(FIRMWARE) ;

sbi: $(FIRMWARE)
