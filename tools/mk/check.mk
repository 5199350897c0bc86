# Refuse what we do not know: a variable, a value or a target with a typing
# mistake must not silently do something else.

# Names of the targets with a help text, as `make help` shows them.
TARGETS := $(shell sed -n 's/^\([a-z_.-]*\):.*\#\# .*/\1/p' Makefile)
VARIABLES := MACHINE RELAY SMP MEM DELIVERY ICOUNT BOOTARGS BENCH QUICK MINUTES TESTS

comma := ,
refuse = $(error $(1). $(2))

ifneq ($(words $(CURDIR)),1)
$(call refuse,this directory has a space in its path: $(CURDIR),make cannot work there; move it)
endif

given := $(foreach v,$(filter-out -*- MAKEFLAGS MAKECMDGOALS,$(.VARIABLES)),\
    $(if $(filter command,$(firstword $(origin $v))),$v))
unknown := $(filter-out $(VARIABLES) UINTA_CACHE QEMU_SRC,$(given))
ifneq ($(unknown),)
$(call refuse,unknown variable: $(unknown),Known: $(VARIABLES); see `make help`)
endif

unknown := $(filter-out $(TARGETS) build/%,$(MAKECMDGOALS))
ifneq ($(unknown),)
$(call refuse,unknown target: $(unknown),Known: $(TARGETS); see `make help`)
endif

# $(call one_of,VARIABLE,values)
one_of = $(if $(and $(filter 1,$(words $($(1)))),$(filter $(2),$($(1)))),,\
    $(call refuse,$(1)='$($(1))' is not known,Known: $(2)))

# Strip: the defaults have a comment behind them.
$(foreach v,MACHINE RELAY SMP MEM DELIVERY ICOUNT BENCH QUICK MINUTES,$(eval override $v := $(strip $($v))))

MACHINES := stock native k210
$(call one_of,MACHINE,$(MACHINES))
$(call one_of,RELAY,claim call mask)
ifneq ($(MACHINE),k210)
ifneq ($(filter RELAY,$(given)),)
$(call refuse,RELAY=$(RELAY) is for MACHINE=k210$(comma) not $(MACHINE),See `make help`)
endif
endif
$(call one_of,SMP,1 2 3 4 5 6 7 8)
$(call one_of,DELIVERY,auto emulated native notify)
ifeq ($(MACHINE),k210) # its harts' M contexts are taken by the relay
ifneq ($(filter emulated native,$(DELIVERY)),)
$(call refuse,DELIVERY=$(DELIVERY) is not to be had on MACHINE=k210,Known: auto notify)
endif
endif
ifneq ($(ICOUNT),)
$(call one_of,ICOUNT,0 1 2 3 4 5 6 7 8 9 10)
endif
BENCHES := $(sort $(basename $(notdir $(wildcard user/bench/*.c))) \
    $(patsubst user/bench/%/,%,$(dir $(wildcard user/bench/*/*.c))))
ifneq ($(filter bench,$(MAKECMDGOALS)),)
$(call one_of,MACHINE,stock native)
$(call one_of,BENCH,$(BENCHES))
ifneq ($(filter SMP ICOUNT BOOTARGS,$(given)),)
$(call refuse,bench takes no SMP$(comma) ICOUNT or BOOTARGS,A program in user/bench says on what it is measured)
endif
ifeq ($(BENCH),uart) # its UARTs are the native machine's
ifneq ($(filter MACHINE DELIVERY,$(given)),)
$(call refuse,BENCH=uart takes no MACHINE and no DELIVERY,It runs on native and measures every delivery)
endif
override MACHINE := native
endif
endif
ifneq ($(QUICK),)
$(call one_of,QUICK,1)
endif
ifneq ($(filter storm,$(MAKECMDGOALS)),) # its UARTs, too
ifneq ($(filter MACHINE,$(given)),)
$(call refuse,storm takes no MACHINE,It runs on native)
endif
override MACHINE := native
ifneq ($(filter 1,$(SMP)),)
$(call refuse,storm with SMP=1 has no other hart to move to,Known: 2 3 4 5 6 7 8)
endif
endif
ifneq ($(shell echo '$(MINUTES)' | grep -cEx '[1-9][0-9]{0$(comma)3}'),1)
$(call refuse,MINUTES='$(MINUTES)' is not known,Known: 1 to 9999)
endif

# MEM is a number of MiB or GiB, 32 MiB at least.
mem_mib := $(shell echo '$(MEM)' | awk \
    '/^[1-9][0-9]*M$$/ { print $$0 + 0 } /^[1-9][0-9]*G$$/ { print $$0 * 1024 }')
ifneq ($(shell test 0$(mem_mib) -ge 32 && echo yes),yes)
$(call refuse,MEM='$(MEM)' is not known,Known: 32M and more; a number and M or G)
endif

# These go to commands in a shell's quotes.
ifneq ($(findstring ',$(BOOTARGS)$(TESTS)),)
$(call refuse,BOOTARGS and TESTS take no quotation marks,See `make help`)
endif

# OpenSBI's make must not see our variables.
MAKEOVERRIDES =
