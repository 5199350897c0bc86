# OpenSBI's generic platform as it is, plus ours behind its override hooks.
platform-objs-y += platform/generic/platform.o
platform-objs-y += platform.o relay.o relay_call.o reset.o turn.o uintr.o uintr_vector.o uintr_write.o uintr_gpr.o
