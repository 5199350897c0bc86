# build/setup.mk says where newlib and OpenSBI's source are; tools/setup makes
# it, and before that installs and builds what is missing. It runs each time
# (10 ms when nothing is to do) except for targets that need nothing of it.

ifneq ($(filter-out help clean loc,$(or $(MAKECMDGOALS),all)),)
include build/setup.mk
endif

build/setup.mk: FORCE
	@tools/setup --make $@

FORCE:
.PHONY: FORCE
