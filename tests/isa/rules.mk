# The conformance program for user-level interrupts: build/tests/isa.elf.
ISA_SOURCES := $(wildcard tests/isa/*.[cS]) tests/bare/fdt.c tests/bare/string.c
ISA_CFLAGS := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany -O1 -g \
    -std=gnu17 -Wall -Wextra -Werror -ffreestanding -nostdlib -static -fno-pic \
    -fno-jump-tables -fno-tree-loop-distribute-patterns -I. -Itests/isa

build/tests/isa.elf: $(ISA_SOURCES) tests/isa/isa.h tests/isa/isa.ld \
    $(wildcard tests/bare/*.h) tests/isa/rules.mk abi/uintr.h abi/sbi_uinta.h
	@mkdir -p $(@D)
	@printf '  %-7s %s\n' LD $@
	@riscv64-unknown-elf-gcc $(ISA_CFLAGS) -T tests/isa/isa.ld \
	    -Wl,--build-id=none -Wl,-z,max-page-size=4096 \
	    -Wl,--no-warn-rwx-segments -o $@ $(ISA_SOURCES)
