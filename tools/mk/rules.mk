# What all parts share: tools, flags, and how one file is compiled.

MAKEFLAGS += --no-builtin-rules --no-builtin-variables
ifeq ($(MAKELEVEL),0) # a -j on the command line wins
MAKEFLAGS += -j$(shell nproc)
endif
.DELETE_ON_ERROR:
.SUFFIXES:

CROSS := riscv64-unknown-elf-
CC := $(CROSS)gcc
AR := $(CROSS)ar
OBJCOPY := $(CROSS)objcopy
PYTHON := /usr/bin/python3

ARCH := -march=rv64imac_zicsr_zifencei -mabi=lp64 -mcmodel=medany
# libgcc of that ABI: the driver knows the multilib only by its short name.
LIBGCC = $(shell $(CC) -march=rv64imac -mabi=lp64 -print-libgcc-file-name)

# static_assert without <assert.h>, which a freestanding compiler lacks.
WARN := -Wall -Wextra -Werror
CFLAGS := -std=gnu17 -O2 -g $(WARN) -fno-common -fno-stack-protector \
    -ffile-prefix-map=$(CURDIR)/= -Dstatic_assert=_Static_assert -MMD -MP

MAKEFILES_READ := Makefile $(wildcard tools/mk/*.mk)

# $(call quiet,WHAT,command): one short line, the command itself with make -n.
quiet = @printf '  %-7s %s\n' '$(1)' '$@' && $(2)

# Compile $< to $@ with flags $(1), and note the command beside the object for
# compile_commands.json: so that file holds exactly what was run.
define compile
@mkdir -p $(@D)
@printf '{"directory": "%s", "file": "%s", "command": "%s"}\n' '$(CURDIR)' \
    '$<' '$(CC) $(strip $(1)) -c $< -o $@' >$@.cc
$(call quiet,CC,$(CC) $(1) -c $< -o $@)
endef

# Headers made from the description of all calls.
GENERATED := build/gen/.made
$(GENERATED): abi/uinta.idl tools/idl.py
	@mkdir -p $(@D)
	$(call quiet,IDL,$(PYTHON) tools/idl.py --out build abi/uinta.idl)
	@touch $@

# Objects of sources $(1): build/kernel/trap.c.o, for there is a trap.S too.
objects = $(patsubst %,build/%.o,$(1))

COMPILE_COMMANDS = @$(SBI_MAKE) -n -B V=1 2>/dev/null | \
    $(PYTHON) tools/compile-commands build >$@ && wc -l <$@ | xargs -I N echo 'compile_commands.json: N lines'
FORMAT = @find abi kernel sbi user tests mkfs \
    \( -name '*.[ch]' \) -print0 | xargs -0r clang-format

# Dependencies that the compiler wrote last time.
-include $(shell test -d build && find build -name '*.d')
