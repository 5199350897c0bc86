"""Every case of every guest program on 1, 2 and 4 harts, with and without
-icount: one boot a program and machine, one verdict a case."""
import pytest

from harness import guest

# (harts, icount). With -icount and several harts QEMU runs one hart at a time,
# and a hart that waits for the kernel's lock waits up to 100 ms: only what
# does not contend for it is run so (docs/testing.md).
MACHINES = [(1, False), (1, True), (2, False), (4, False)]
ALSO = {"spawn": [(2, True), (4, True)]}
# On several harts the million calls take longer than this limit, or hang: open.
ONLY = {"fuzz": [(1, False)]}
LIMIT = {"fuzz": 300}  # seconds of wall clock, 150 by default
EXTRA = {"uintr": ["-device", "virtio-rng-device"]}

_runs = {}


def run_of(program, smp, icount):
    """The boot that these cases share; made when the first one asks."""
    key = program, smp, icount
    if key not in _runs:
        run = guest.Run(program, smp, icount, LIMIT.get(program, 150),
                        extra=EXTRA.get(program, ()))
        run.expected = guest.cases(program)
        _runs[key] = run
    return _runs[key]


def parameters():
    """Machine by machine, so that one boot's cases follow each other."""
    for program in guest.programs():
        machines = ONLY.get(program, MACHINES) + ALSO.get(program, [])
        for smp, icount in machines:
            name = f"{program}-{smp}h{'-icount' if icount else ''}"
            for case in guest.cases(program):
                yield pytest.param(program, smp, icount, case,
                                   id=f"{name}-{case}")


@pytest.mark.parametrize("program,smp,icount,case", parameters())
def test_guest(program, smp, icount, case):
    run = run_of(program, smp, icount)
    word, why = run.verdict(case)
    if word == "skip":
        pytest.skip(why)
    if word != "ok":
        tail = "\n".join(run.output.split("\n")[-40:])
        pytest.fail(f"{case}: {why}\n{tail}\n{guest.symbolise(run.output)}",
                    pytrace=False)
