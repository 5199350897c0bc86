# Everything a person types: `make help` lists it. How things are built is in
# tools/mk/: check.mk refuses mistakes on the command line, setup.mk prepares
# the machine, kernel.mk, user.mk and sbi.mk build, run.mk boots and tests.

MACHINE  = stock#    stock; native: QEMU with user interrupts; k210
RELAY    = mask#     of interrupts with MACHINE=k210: claim call mask
SMP      = 4#        harts, 1..8
MEM      = 128M#     memory, from 32M
DELIVERY = auto#     of user interrupts: auto emulated native notify
ICOUNT   =#          2^N ns of guest time per instruction; empty: wall clock
BOOTARGS =#          more words for init, such as run=/bin/ps
BENCH    = micro#    which measurements: a program in user/bench
QUICK    =#          1: of BENCH=uart, only what CI measures; 2 minutes
MINUTES  = 10#       of guest time, for `make storm`
TESTS    =#          only tests whose name has this in it; empty: all

.DEFAULT_GOAL := all

include tools/mk/check.mk
include tools/mk/setup.mk
include tools/mk/rules.mk
include tools/mk/sbi.mk
include tools/mk/kernel.mk
include tools/mk/user.mk
include tools/mk/trace.mk
include tools/mk/run.mk

help: ## this list
	@awk -F ':.*## ' '/^[a-z_.-]+:.*## / { printf "  %-22s %s\n", $$1, $$2 }' \
	    Makefile
	@echo
	@echo 'variables, as in `make qemu SMP=2 MEM=64M`:'
	@sed -n 's/^\([A-Z]*\) *= *\([^#]*\)# *\(.*\)/\1 \2 \3/p' Makefile | \
	    awk '{ v = $$1; sub(/^[^ ]* /, ""); \
	        printf "  %-22s %s\n", v "=" substr($$0, 1, index($$0, " ") - 1), \
	        substr($$0, index($$0, " ") + 1) }'

setup: build/setup.mk ## install packages, build newlib, fetch OpenSBI; once
	@:
all: kernel sbi programs archive ## build everything that boots
kernel: ## only the kernel, with init inside
sbi: ## only the firmware
programs: ## only the programs
archive: ## only the boot archive, with the programs
host-tests: ## only the tests that run on this machine, do not run them
isa: ## only tests/isa, the conformance program of user interrupts
bare: ## only the bare-metal tests of the machine's devices: tests/plic, ...
machine: ## fetch, patch and build the QEMU of MACHINE=native; once
	$(MACHINE_RUN)
qemu: all machine ## boot it: a shell on this terminal (halt, or ctrl-A x, ends it)
	$(QEMU_RUN)
qemu-gdb: all machine ## the same, stopped at its first instruction for `make gdb`
	@echo 'waiting for `make gdb` in another terminal'
	$(QEMU_RUN) $(QEMU_GDB)
gdb: ## debug what `make qemu-gdb` started (docs/debugging.md)
	$(GDB_RUN)
test: all traced host-tests isa bare ## run all tests on all machines; last line "N passed, N failed"
	$(TEST_RUN)
bench: all machine ## measure; prints a table, writes build/bench/NAME.json
	$(BENCH_RUN)
storm: all machine ## ten minutes of two UARTs, both ways, drivers moved every ms
	$(STORM_RUN)
traced: ## only what `make trace` boots
trace: all traced machine ## run a program, record what happens: build/trace/trace.json
	$(TRACE_RUN)
trace-picture: all traced machine ## draw a byte's way under each delivery: docs/design/byte.svg, .png
	@$(PYTHON) tools/trace-picture
loc: ## lines of code by component against the kernel's budget
	@tools/loc
format: ## lay out all C sources by .clang-format
	$(FORMAT) -i
format-check: ## fail if `make format` would change something
	$(FORMAT) --dry-run --Werror
compile_commands.json: all ## for clangd and editors
	$(COMPILE_COMMANDS)
clean: ## remove build/ (the cache of newlib and OpenSBI stays)
	rm -rf build

.PHONY: trace trace-picture traced help setup all machine qemu qemu-gdb gdb test bench storm loc format format-check
.PHONY: compile_commands.json clean kernel sbi programs archive host-tests isa bare
