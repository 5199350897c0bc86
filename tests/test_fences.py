"""Remote fences of the firmware (tests/fences): no hart waits in them for
another's turn to end, where QEMU runs harts in turns."""
import functools
import re
import subprocess

import pytest

from harness.machine import MACHINES, TOP, Machine

# By harts: one that is busy leaves the one behind it no turn, QEMU's fault.
CASES = {2: ["asleep", "fencing", "busy"], 4: ["asleep", "fencing"]}
RUNS = [(machine, harts, icount, case) for machine in MACHINES
        for harts in CASES for icount in (True, False)
        for case in CASES[harts]]
WITHIN = 10_000  # us of guest time, the longest of 200; a turn is 100 ms


@functools.lru_cache(maxsize=None)
def said(machine, harts, icount):
    """What one boot says."""
    command = Machine(machine=machine, smp=harts, icount=7 if icount else None,
                      kernel=TOP / "build/tests/fences.elf",
                      initrd="").command
    at = command.index("--")
    done = subprocess.run(
        [*command[:at], "--timeout", "30", "--cap", "100000", *command[at:]],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=40, check=False)
    return done.stdout.decode(errors="replace").replace("\r", "")


@pytest.mark.parametrize("machine,harts,icount,case", RUNS)
def test_fences(machine, harts, icount, case):
    """All fences come back, and soon, if nobody is busy."""
    text = said(machine, harts, icount)
    found = re.search(rf"^ok {case}: longest (\d+) us$", text, re.M)
    assert found, text[-1500:]
    if icount and case != "busy":
        assert int(found[1]) < WITHIN
