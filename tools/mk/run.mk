# Booting, debugging, testing, measuring.

bootargs = $(strip delivery=$(DELIVERY) $(BOOTARGS))
# The QEMU of that machine, built before the first use; stock needs none.
MACHINE_RUN = $(if $(filter native,$(MACHINE)),@tools/qemu/build,@:)

# exec: QEMU's exit status is the recipe's, and ^C reaches the guest.
QEMU_RUN = @exec tools/run-qemu --machine $(MACHINE) \
    $(if $(filter k210,$(MACHINE)),--relay $(RELAY)) --smp $(SMP) --mem $(MEM) \
    $(if $(ICOUNT),--icount $(ICOUNT)) --append '$(bootargs)'
# A socket file: two people on one machine do not meet on a port.
QEMU_GDB = -- -S -gdb unix:build/gdb.sock,server=on,wait=off

GDB_RUN = @test -S build/gdb.sock || \
    { echo 'start `make qemu-gdb` in another terminal first' >&2; exit 1; }; \
    exec gdb-multiarch -q -x tools/gdb/uinta.gdb \
    -ex 'target remote build/gdb.sock' build/kernel/kernel.elf

# Words in BOOTARGS come last, and win: mode=async flow=v2 baud=115200.
STORM_RUN = @exec tools/run-qemu --machine native --smp $(SMP) --mem $(MEM) \
    --append 'delivery=$(DELIVERY) run=/test/line mode=interrupt flow=v3 \
    baud=1250000 move=1 minutes=$(MINUTES) $(BOOTARGS)' \
    $(if $(ICOUNT),-- -rtc clock=vm -icount shift=$(ICOUNT)$(comma)sleep=off \
    -accel tcg$(comma)icount-turn=10000)

# On all machines, unless the command line names one.
TEST_RUN = @$(PYTHON) tools/test --filter '$(TESTS)' \
    $(if $(filter MACHINE,$(given)),--machine $(MACHINE)) $(HOST_TESTS)
BENCH_RUN = @$(PYTHON) tools/bench \
    $(if $(filter MACHINE,$(given)),--machine $(MACHINE)) \
    $(if $(filter DELIVERY,$(given)),--delivery $(DELIVERY)) \
    $(if $(filter MEM,$(given)),--mem $(MEM)) $(if $(QUICK),--quick) $(BENCH)

# Host tests: tests/host/test_X.c is linked with what its first line names:
#     /* link: user/lib/elf.c user/lib/cpio.c */
HOST_CC := gcc
HOST_SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all
HOST_CFLAGS := -std=gnu17 -O1 -g $(WARN) -I. -idirafter user/lib/include -Ibuild \
    -Itests/host -D_GNU_SOURCE -DUINTA_HOST -fno-omit-frame-pointer \
    $(call libfdt_cflags,kernel/lib.h)
HOST_LDFLAGS := -Wl,--gc-sections
HOST_TESTS := $(patsubst tests/host/%.c,build/host/%,\
    $(wildcard tests/host/test_*.c))
# One command compiles several files: -MMD would note the last one's headers.
HOST_HEADERS := $(shell find abi kernel user tests/host -name '*.h')
linked = $(shell sed -n '1s|^/\* *link:\(.*\)\*/.*|\1|p' $(1))
# A test for threads says `/* link-tsan: ... */` and gets TSan in place of ASan.
tsan = $(shell sed -n '1s|^/\* *link-tsan:\(.*\)\*/.*|\1|p' $(1))

# What a test takes in with #include "x.c", to see inside it.
inside = $(shell sed -n 's|^.include "\(.*\.c\)"|\1|p' $(1))

define host_test
build/host/$(1): tests/host/$(1).c $(call linked,tests/host/$(1).c) \
    $(call tsan,tests/host/$(1).c) $(call inside,tests/host/$(1).c) \
    $(HOST_HEADERS) $(MAKEFILES_READ) | $(GENERATED)
	@mkdir -p $$(@D)
	$$(call quiet,HOSTCC,$$(HOST_CC) $$(HOST_CFLAGS) \
	    $(if $(call tsan,tests/host/$(1).c),-fsanitize=thread -Wno-tsan,$$(HOST_SANITIZE)) \
	    $$(HOST_LDFLAGS) -o $$@ $$(filter-out $(call inside,tests/host/$(1).c),\
	    $$(filter %.c %.o,$$^)) -lcmocka -lpthread)
endef
$(foreach t,$(notdir $(HOST_TESTS)),$(eval $(call host_test,$(t))))

# libfdt for the tests that link it; its warnings are not ours. In sections, so
# that the linker leaves out what would need more of it.
build/host/libfdt.o: $(LIBFDT_SOURCES) $(MAKEFILES_READ)
	@mkdir -p $(@D)
	$(call quiet,HOSTCC,$(HOST_CC) $(filter-out -MMD -MP,$(HOST_CFLAGS)) -w \
	    $(HOST_SANITIZE) -fno-sanitize=alignment -ffunction-sections -r \
	    -nostdlib -o $@ \
	    $(LIBFDT_SOURCES))

host-tests: $(HOST_TESTS)
