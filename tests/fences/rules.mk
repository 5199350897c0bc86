# Remote fences: build/tests/fences.elf boots in the kernel's place, behind our
# firmware (tests/test_fences.py).
FENCES_SOURCES := $(wildcard tests/fences/*.[cS])
build/tests/fences.elf: $(FENCES_SOURCES) tests/fences/rules.mk \
    tests/isa/isa.ld $(wildcard tests/bare/*.h)
	@mkdir -p $(@D)
	$(call quiet,LD,$(CC) $(RELAY_CFLAGS) $(RELAY_LDFLAGS) -o $@ $(FENCES_SOURCES))
bare: build/tests/fences.elf
