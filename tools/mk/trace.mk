# The build of `make trace`, in build/trace: the kernel's own objects with
# kernel/trace beside them, and all programs once more, with their records.

TRACE_KERNEL := build/trace/kernel.elf
TRACE_WRAP := irq_init trap_user trap_interrupts sched_resume \
    plic_claim uintr_record uintr_load uintr_unload uintr_post uintr_nap thread_wake \
    doorbell_ring syscall_table
TRACE_KERNEL_OBJECTS := $(call objects,$(wildcard kernel/trace/*.c \
    kernel/trace/*.S))

# Each has to fit a record's 30 instructions.
build/kernel/trace/%.o: KERNEL_CFLAGS += -fomit-frame-pointer

$(TRACE_KERNEL): $(KERNEL_OBJECTS) $(TRACE_KERNEL_OBJECTS) kernel/kernel.ld
	@mkdir -p $(@D)
	$(call quiet,LD,$(CC) $(KERNEL_LDFLAGS) \
	    $(foreach f,$(TRACE_WRAP),-Wl,--wrap=$f) -T kernel/kernel.ld -o $@ \
	    $(KERNEL_OBJECTS) $(TRACE_KERNEL_OBJECTS) -L$(NEWLIB)/lib -lc \
	    $(LIBGCC))

# The library and the programs; crt0 and init are the normal ones.
TRACE_CFLAGS = $(USER_CFLAGS) -DUINTA_TRACE
build/trace/%.c.o: %.c $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(TRACE_CFLAGS))
build/trace/%.S.o: %.S $(MAKEFILES_READ) | $(GENERATED)
	$(call compile,$(TRACE_CFLAGS))

traced = $(patsubst %,build/trace/%.o,$(1))
TRACE_LIB := build/trace/libuinta.a
$(TRACE_LIB): $(call traced,$(LIB_SOURCES))
	@mkdir -p $(@D) && rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $^)

# As `program` in user.mk.
define traced_program
build/trace/$(1)/$(2).elf: LIB := $(TRACE_LIB)
build/trace/$(1)/$(2).elf: $(call traced,$(3)) $(CRT0) $(TRACE_LIB) user/program.ld
	@mkdir -p $$(@D)
	$$(call quiet,LD,$$(CC) $$(USER_LDFLAGS) -T user/program.ld -o $$@ \
	    $(CRT0) $(call traced,$(3)) $$(USER_LIBS))
build/trace/root/$(1)/$(2): build/trace/$(1)/$(2).elf
	@mkdir -p $$(@D)
	@$$(OBJCOPY) --strip-all $$< $$@
TRACED += build/trace/root/$(1)/$(2)
endef
traced_programs = $(foreach n,$(filter-out $(3),$(call names,$(2))),\
    $(eval $(call traced_program,$(1),$(n),$(call sources,$(2),$(n)))))

TRACED :=
$(call traced_programs,bin,user/bin)
$(call traced_programs,bench,user/bench)
$(call traced_programs,server,user/servers,init)
$(call traced_programs,trace,user/trace)

TRACE_ARCHIVE := build/trace/boot.cpio
build/trace/archive.list: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' $(foreach p,$(TRACED),$(p:build/trace/root/%=%)=$(p)) \
	    $(foreach f,$(ETC),$(f:user/%=%)=$(f)) >$@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@
$(TRACE_ARCHIVE): build/trace/archive.list mkfs/mkcpio.py $(TRACED) $(ETC)
	$(call quiet,CPIO,$(PYTHON) mkfs/mkcpio.py --out $@ $<)

traced: $(TRACE_KERNEL) $(TRACE_ARCHIVE)
TRACE_RUN = @$(PYTHON) tools/trace --machine $(MACHINE) --smp $(SMP) \
    --mem $(MEM) $(if $(ICOUNT),--icount $(ICOUNT)) \
    $(if $(filter native-emulated,$(MACHINE)-$(DELIVERY)),--emulate) \
    --append '$(strip delivery=$(DELIVERY) $(BOOTARGS))'
