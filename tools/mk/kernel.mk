# The kernel, with init's image inside.

KERNEL_ELF := build/kernel/kernel.elf
KERNEL_SOURCES := $(wildcard kernel/*.c kernel/*.S)
KERNEL_OBJECTS := $(call objects,$(KERNEL_SOURCES))
# The frame pointer makes a panic's backtrace possible.
KERNEL_CFLAGS := $(ARCH) $(CFLAGS) -ffreestanding -nostdlib -fno-pic \
    -fno-omit-frame-pointer -fno-strict-aliasing \
    -I. -Ikernel -Ibuild -Ibuild/user
KERNEL_LDFLAGS = $(ARCH) -nostdlib -static -Wl,--build-id=none \
    -Wl,-z,max-page-size=4096 -Wl,-Map=$(@:.elf=.map)

build/kernel/%.c.o: kernel/%.c $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(KERNEL_CFLAGS))
build/kernel/%.S.o: kernel/%.S $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(KERNEL_CFLAGS))

# .incbin "init.bin" is a dependency that the compiler does not see.
build/kernel/init_image.S.o: build/user/init.bin

$(KERNEL_ELF): $(KERNEL_OBJECTS) kernel/kernel.ld
	$(call quiet,LD,$(CC) $(KERNEL_LDFLAGS) -T kernel/kernel.ld \
	    -o $@ $(KERNEL_OBJECTS) $(LIBGCC))

kernel: $(KERNEL_ELF)

# The conformance program for user interrupts boots in the kernel's place.
include $(wildcard tests/isa/rules.mk)
isa: $(if $(wildcard tests/isa/rules.mk),build/tests/isa.elf)
