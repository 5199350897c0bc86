# Bare-metal programs that test the machine itself: build/tests/NAME.elf is
# tests/NAME/*.c with what is in tests/bare. Run with -bios none.
BARE := $(notdir $(patsubst %/,%,$(dir $(wildcard $(addprefix tests/,\
    $(addsuffix /main.c,plic uart16550))))))
BARE_SHARED := $(wildcard tests/bare/*.[chS]) tests/bare/bare.ld tests/bare/rules.mk
BARE_CFLAGS := $(ARCH) -O1 -g -std=gnu17 $(WARN) -ffreestanding -nostdlib \
    -static -fno-pic -fno-toplevel-reorder -fno-tree-loop-distribute-patterns \
    -I. -Itests/bare
BARE_LDFLAGS := -T tests/bare/bare.ld -Wl,--build-id=none \
    -Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments

define bare
build/tests/$(1).elf: $(wildcard tests/$(1)/*.[chS]) $(BARE_SHARED)
	@mkdir -p $$(@D)
	$$(call quiet,LD,$$(CC) $$(BARE_CFLAGS) $$(BARE_LDFLAGS) -o $$@ $$(filter %.c %.S,$$^) $$(LIBGCC))
bare: build/tests/$(1).elf
endef
$(foreach b,$(BARE),$(eval $(call bare,$(b))))
