"""Every case of every guest program on 1, 2 and 4 harts, with and without
-icount, and on the machines with user interrupts, with devices of that machine but the
firmware's user interrupts, and without interrupts for S-mode: one boot a program and machine, one verdict a case."""
import re

import pytest

from harness import guest
from harness.machine import MACHINES

# (harts, icount). With -icount and several harts QEMU runs one hart at a time.
# On stock QEMU programs in which one hart waits for another, or for QEMU's own
# threads, in a loop of user mode stand still there, always or now and then,
# and only the others are run so, on two harts also one whose loops are all on
# the second hart; ours ends a turn in time (docs/testing.md).
STOCK = [(1, False), (1, True), (2, False), (4, False)]
NATIVE = [(1, True), (4, True), (4, False)]
# The strict PLIC and the wired UARTs with user interrupts by the firmware.
EMULATED = {"uart": [(1, True), (4, True)], "driver": [(1, True), (4, True)]} | \
    {program: [(4, True)] for program in
     ("devices", "handoff", "migrate", "ownership", "rseq", "storm", "uevents",
      "uintr", "wired")}
K210 = [(1, True), (4, False)]
ALSO = {program: [(2, True), (4, True)] for program in
        ("events", "hostile", "ipc", "libc", "objects", "spawn", "syscalls")}
ALSO["memory"] = [(2, True)]
# Where two harts are another case than four: who is the other one.
NATIVE_ALSO = {program: [(2, True)] for program in
               ("driver", "handoff", "uart", "uevents", "uintr")}
LIMIT = {"fuzz": 300}  # seconds of wall clock, 150 by default
EXTRA = {"devices": ["-device", "virtio-rng-device"],
         "storm": ["-device", "virtio-keyboard-device"]}

_runs = {}


def run_of(program, machine, smp, icount):
    """The boot that these cases share; made when the first one asks."""
    key = program, machine, smp, icount
    if key not in _runs:
        run = guest.Run(program, smp, icount, LIMIT.get(program, 150),
                        extra=EXTRA.get(program, ()), machine=machine)
        run.expected = guest.cases(program)
        _runs[key] = run
    return _runs[key]


def parameters():
    """Machine by machine, so that one boot's cases follow each other."""
    for program in guest.programs():
        stock = STOCK + ALSO.get(program, [])
        native = NATIVE + NATIVE_ALSO.get(program, [])
        configurations = [("stock", *c) for c in stock] + \
            [("native", *c) for c in native] + \
            [("emulated", *c) for c in EMULATED.get(program, [])] + \
            [("k210", *c) for c in K210]
        for machine, smp, icount in configurations:
            if {"emulated": "native"}.get(machine, machine) not in MACHINES:
                continue
            name = f"{program}-{machine}-{smp}h{'-icount' if icount else ''}"
            for case in guest.cases(program):
                yield pytest.param(program, machine, smp, icount, case,
                                   id=f"{name}-{case}")


@pytest.mark.parametrize("program,machine,smp,icount,case", parameters())
def test_guest(program, machine, smp, icount, case):
    run = run_of(program, machine, smp, icount)
    word, why = run.verdict(case)
    if word == "skip":
        pytest.skip(why)
    if word != "ok":
        tail = "\n".join(run.output.split("\n")[-40:])
        pytest.fail(f"{case}: {why}\n{tail}\n{guest.symbolise(run.output)}",
                    pytrace=False)


@pytest.mark.skipif("native" not in MACHINES, reason="no native machine here")
def test_turns_repeat_to_the_instruction():
    """sched prints what four harts have counted, and ns: twice the same."""
    runs = [run_of("sched", "native", 4, True),
            guest.Run("sched", 4, True, machine="native")]
    said = [re.findall(r"^# .*\d.*$", run.output, re.MULTILINE)
            for run in runs]
    assert len(said[0]) >= 4
    assert said[0] == said[1]
