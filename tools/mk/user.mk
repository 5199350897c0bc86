# Programs, libuinta, init's image and the boot archive.
#
#   user/lib/**              libuinta.a (crt0.S apart)
#   user/bin/NAME{.c,/*.c}   /bin/NAME          user/bench likewise: /bench
#   user/servers/NAME/*.c    /server/NAME       init is linked beside the kernel
#   tests/guest/NAME{.c,/*.c} /test/NAME
#   user/etc/**              /etc
#
# Unstripped programs stay in build/user, where gdb and symbolise find them.

LIB_SOURCES := $(shell find user/lib -name '*.[cS]' ! -name crt0.S | sort)
LIB_OBJECTS := $(call objects,$(LIB_SOURCES))
LIB := build/user/libuinta.a
CRT0 := build/user/lib/crt0.S.o

# newlib declares clock_gettime and nanosleep only where it is told they exist.
USER_CFLAGS = $(ARCH) $(CFLAGS) -ffunction-sections -fdata-sections \
    -D_POSIX_TIMERS=1 -D_POSIX_MONOTONIC_CLOCK=200112L \
    -isystem $(NEWLIB)/include -I. -Iuser/lib/include -Ibuild
USER_LDFLAGS = $(ARCH) -static -nostartfiles -nodefaultlibs -Wl,--gc-sections \
    -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,--fatal-warnings
USER_LIBS = $(LIB) -L$(NEWLIB)/lib -Wl,--start-group $(LIB) -lc -lm $(LIBGCC) \
    -Wl,--end-group

build/user/%.c.o: user/%.c $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(USER_CFLAGS))
build/user/%.S.o: user/%.S $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(USER_CFLAGS))
build/tests/guest/%.c.o: tests/guest/%.c $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(USER_CFLAGS) -Itests/guest)
build/tests/guest/%.S.o: tests/guest/%.S $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(USER_CFLAGS) -Itests/guest)

# Made anew, so that an object whose source is gone does not stay in it.
$(LIB): $(LIB_OBJECTS)
	@mkdir -p $(@D) && rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $(LIB_OBJECTS))

# $(call program,DIR IN BUILD,DIR IN ARCHIVE,NAME,SOURCES): one program, its
# symbols in build/user/DIR/NAME.elf, stripped in build/root/DIR/NAME.
define program
build/user/$(1)/$(2).elf: $(call objects,$(3)) $(CRT0) $(LIB) user/program.ld
	@mkdir -p $$(@D)
	$$(call quiet,LD,$$(CC) $$(USER_LDFLAGS) -T user/program.ld -o $$@ \
	    $(CRT0) $(call objects,$(3)) $$(USER_LIBS))
build/root/$(1)/$(2): build/user/$(1)/$(2).elf
	@mkdir -p $$(@D)
	@$$(OBJCOPY) --strip-all $$< $$@
PROGRAMS += build/root/$(1)/$(2)
endef

# Names of the programs in directory $(1): NAME.c or NAME/*.c.
names = $(sort $(basename $(notdir $(wildcard $(1)/*.c))) \
    $(patsubst $(1)/%/,%,$(dir $(wildcard $(1)/*/*.c))))
# Sources of program $(2) in directory $(1).
sources = $(wildcard $(1)/$(2).c $(1)/$(2)/*.c $(1)/$(2)/*.S)
# All programs of source directory $(2), as directory $(1) of the archive.
programs = $(foreach n,$(filter-out $(3),$(call names,$(2))),\
    $(eval $(call program,$(1),$(n),$(call sources,$(2),$(n)))))

PROGRAMS :=
$(call programs,bin,user/bin)
$(call programs,bench,user/bench)
$(call programs,server,user/servers,init)
$(call programs,test,tests/guest)

# init: a flat image that the kernel maps without an ELF loader.
# It reads the device tree with the kernel's libfdt (kernel.mk).
INIT_SOURCES := $(wildcard user/servers/init/*.c)
INIT_OBJECTS := $(call objects,$(INIT_SOURCES)) \
    $(patsubst %,build/user/libfdt/%.o,$(notdir $(LIBFDT_SOURCES)))
INIT_CFLAGS = $(USER_CFLAGS) $(call libfdt_cflags,user/servers/init/fdt_types.h)
build/user/servers/init/%.c.o: user/servers/init/%.c $(MAKEFILES_READ) \
    | $(GENERATED)
	$(call compile,$(INIT_CFLAGS))
build/user/libfdt/%.c.o: $(OPENSBI_SRC)/lib/utils/libfdt/%.c $(MAKEFILES_READ)
	$(call compile,$(INIT_CFLAGS) -w)
build/user/server/init.elf: $(INIT_OBJECTS) $(CRT0) $(LIB) user/init.ld
	@mkdir -p $(@D)
	$(call quiet,LD,$(CC) $(USER_LDFLAGS) -T user/init.ld -o $@ \
	    $(CRT0) $(INIT_OBJECTS) $(USER_LIBS))
build/user/init.bin: build/user/server/init.elf
	$(call quiet,BIN,$(OBJCOPY) -O binary $< $@)

# The archive's tree and the archive. The list of what is in it is a file, so
# that a program that is removed also leaves the archive.
ETC := $(shell find user/etc -type f 2>/dev/null | sort)
ARCHIVE := build/boot.cpio
build/archive.list: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(foreach p,$(PROGRAMS),$(p:build/root/%=%)=$(p)) \
	    $(foreach f,$(ETC),$(f:user/%=%)=$(f)) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(ARCHIVE): build/archive.list mkfs/mkcpio.py $(PROGRAMS) $(ETC)
	$(call quiet,CPIO,$(PYTHON) mkfs/mkcpio.py --out $@ $<)

programs: $(PROGRAMS)
archive: $(ARCHIVE)
