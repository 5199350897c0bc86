# The relays of MACHINE=k210 from below: build/tests/relay.elf boots in the
# kernel's place, behind our firmware (tests/test_relay.py).
RELAY_SOURCES := $(wildcard tests/relay/*.[cS]) tests/bare/fdt.c \
    tests/bare/string.c
RELAY_CFLAGS := $(ARCH) -O1 -g -std=gnu17 $(WARN) -ffreestanding -nostdlib \
    -static -fno-pic -fno-tree-loop-distribute-patterns -I. -Itests/bare
RELAY_LDFLAGS := -T tests/isa/isa.ld -Wl,--build-id=none \
    -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments
build/tests/relay.elf: $(RELAY_SOURCES) $(wildcard tests/relay/*.h) \
    tests/relay/rules.mk tests/isa/isa.ld $(wildcard tests/bare/*.h) abi/sbi_uinta.h
	@mkdir -p $(@D)
	$(call quiet,LD,$(CC) $(RELAY_CFLAGS) $(RELAY_LDFLAGS) -o $@ $(RELAY_SOURCES))
bare: build/tests/relay.elf
