# The kernel, with init's image inside.

KERNEL_ELF := build/kernel/kernel.elf
KERNEL_SOURCES := $(wildcard kernel/*.c kernel/*.S)

# The reader of device trees: libfdt as OpenSBI carries it, on the types of a
# header, $(call libfdt_cflags,HEADER), and the string functions of a C library
# (OpenSBI's own strnlen is wrong).
LIBFDT_SOURCES := $(addprefix $(OPENSBI_SRC)/lib/utils/libfdt/,fdt.c fdt_ro.c \
    fdt_check.c fdt_addresses.c)
libfdt_cflags = -DOPENSBI_EXTERNAL_SBI_TYPES=$(1) \
    $(foreach f,memchr memcmp memcpy memmove memset strchr strcmp strlen \
    strnlen strrchr,-Dsbi_$(f)=$(f)) \
    -isystem $(OPENSBI_SRC)/lib/utils/libfdt -isystem $(OPENSBI_SRC)/include
# In sections, so that the linker leaves out what is not used.
LIBFDT_COMPILE = $(KERNEL_CFLAGS) -w -ffunction-sections

KERNEL_OBJECTS := $(call objects,$(KERNEL_SOURCES)) \
    $(patsubst %,build/kernel/libfdt/%.o,$(notdir $(LIBFDT_SOURCES)))
# The frame pointer makes a panic's backtrace possible.
KERNEL_CFLAGS := $(ARCH) $(CFLAGS) -ffreestanding -nostdlib -fno-pic \
    -fno-omit-frame-pointer -fno-strict-aliasing \
    -I. -Ikernel -Ibuild -Ibuild/user $(call libfdt_cflags,kernel/lib.h)
KERNEL_LDFLAGS = $(ARCH) -nostdlib -static -Wl,--gc-sections \
    -Wl,--build-id=none -Wl,-z,max-page-size=4096 -Wl,-Map=$(@:.elf=.map)

# Leaves of a line or two, on the way of each interrupt: they call nobody.
build/kernel/plic.c.o: KERNEL_CFLAGS += -fomit-frame-pointer

build/kernel/%.c.o: kernel/%.c $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(KERNEL_CFLAGS))
build/kernel/%.S.o: kernel/%.S $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(KERNEL_CFLAGS))
build/kernel/libfdt/%.c.o: $(OPENSBI_SRC)/lib/utils/libfdt/%.c $(MAKEFILES_READ)
	$(call compile,$(LIBFDT_COMPILE))

# .incbin "init.bin" is a dependency that the compiler does not see.
build/kernel/init_image.S.o: build/user/init.bin

$(KERNEL_ELF): $(KERNEL_OBJECTS) kernel/kernel.ld
	$(call quiet,LD,$(CC) $(KERNEL_LDFLAGS) -T kernel/kernel.ld \
	    -o $@ $(KERNEL_OBJECTS) -L$(NEWLIB)/lib -lc $(LIBGCC))

# The same with a UART driver inside, the baseline of `make bench BENCH=uart`:
# the kernel's objects, unchanged, and one more whose functions take the place
# of those that --wrap names.
KERNEL_BENCH := build/kernel/kernel-bench.elf
KERNEL_BENCH_WRAP := -Wl,--wrap=plic_claim -Wl,--wrap=syscall_table
KERNEL_BENCH_OBJECTS := $(call objects,$(wildcard kernel/bench/*.c))

$(KERNEL_BENCH): $(KERNEL_OBJECTS) $(KERNEL_BENCH_OBJECTS) kernel/kernel.ld
	$(call quiet,LD,$(CC) $(KERNEL_LDFLAGS) $(KERNEL_BENCH_WRAP) \
	    -T kernel/kernel.ld -o $@ $(KERNEL_OBJECTS) \
	    $(KERNEL_BENCH_OBJECTS) -L$(NEWLIB)/lib -lc $(LIBGCC))

kernel: $(KERNEL_ELF) $(KERNEL_BENCH)

# The conformance program for user interrupts boots in the kernel's place.
include $(wildcard tests/isa/rules.mk)
include tests/bare/rules.mk
include tests/relay/rules.mk
include tests/fences/rules.mk
isa: $(if $(wildcard tests/isa/rules.mk),build/tests/isa.elf)
