"""The conformance program of user interrupts (tests/isa), case by case.

Each configuration of the machine boots once, when pytest collects; every line
`ok NAME`, `FAIL NAME: why` is then a test of its own. What the emulation
cannot show must be exactly ALIASES. Instruction counts are checked against
the firmware's budget (docs/design/firmware.md).
"""
import os
import re
import subprocess

import pytest

from harness.machine import MACHINES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build/tests/isa.elf")
SECONDS = 120

EXACT = "1-hart-icount"
STOCK = {
    "1-hart": ["-smp", "1"],
    EXACT: ["-smp", "1", "-icount", "shift=0"],
    "2-harts-icount-idle-skipped": ["-smp", "2", "-icount",
                                    "shift=4,sleep=off", "-rtc", "clock=vm"],
    "4-harts": ["-smp", "4"],
    "4-harts-icount": ["-smp", "4", "-icount", "shift=0"],
    "8-harts": ["-smp", "8"],
}
CONFIGURATIONS = {f"{machine}-{name}": ["--machine", machine, "--", *STOCK[name]]
                  for machine, names in {
                      "stock": STOCK,
                      "native": [EXACT, "4-harts", "8-harts"]}.items()
                  if machine in MACHINES for name in names}
ALIASES = {
    "alias.sstatus-shows-uie-and-upie",
    "alias.sie-shows-the-user-bits",
    "alias.sip-shows-the-user-bits",
    "alias.sie-takes-what-sideleg-keeps",
}
# Instructions, the trapping one included; measured at EXACT, emulated.
BUDGET = {
    "csrr-ucause": 40,
    "csrw-uscratch": 50,
    "csrsi-ustatus-uie": 65,
    "csrci-ustatus-uie": 65,
    "csrci-uip-usip": 75,
    "uret": 35,
    "interrupt-to-utvec": 45,
    "sret-that-delivers": 60,
}
LOOKS_MAX = 10  # of a waiting hart until the other has done what it waits for
SUMMARY = re.compile(r"(\d+) ok, (\d+) failed, (\d+) not shown")


class Result:
    """What one boot printed."""

    def __init__(self, arguments):
        self.cases, self.hidden, self.counts = {}, set(), {}
        self.summary, self.emulated = None, False
        try:
            done = subprocess.run(
                [os.path.join(ROOT, "tools/run-qemu"), "--kernel", PROGRAM,
                 "--initrd", "none", *arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
            self.output, self.status = done.stdout, done.returncode
        except subprocess.TimeoutExpired as end:
            self.output, self.status = end.stdout or b"", "timeout"
        except OSError as error:
            self.output, self.status = str(error).encode(), "not started"
        self.output = self.output.decode(errors="replace")
        for line in self.output.splitlines():
            self.read(line.strip())

    def read(self, line):
        """Take in one line of the console."""
        word, _, rest = line.partition(" ")
        if word == "ok" and rest:
            self.cases[rest] = None
        elif word == "FAIL":
            name, _, why = rest.partition(": ")
            self.cases[name] = why
        elif word == "not-shown":
            self.hidden.add(rest.partition(":")[0])
        elif word == "count":
            name, _, value = rest.partition(": ")
            self.counts[name] = int(value)
        elif line == "isa: N is emulated":
            self.emulated = True
        elif SUMMARY.fullmatch(line):
            self.summary = SUMMARY.fullmatch(line).groups()


RESULTS = {}


def result(configuration):
    """The result of booting that configuration, booted once."""
    if configuration not in RESULTS:
        RESULTS[configuration] = Result(CONFIGURATIONS[configuration])
    return RESULTS[configuration]


def pytest_generate_tests(metafunc):
    if "isa_case" in metafunc.fixturenames:
        metafunc.parametrize(
            "configuration,isa_case",
            [pytest.param(c, name, id=f"{c}-{name}")
             for c in CONFIGURATIONS for name in result(c).cases])
    elif "configuration" in metafunc.fixturenames:
        metafunc.parametrize("configuration", CONFIGURATIONS)


def test_isa_case(configuration, isa_case):
    """One rule of the N chapter on one machine."""
    why = result(configuration).cases[isa_case]
    assert why is None, why


def test_isa_complete(configuration):
    """It ran to its end, and hid only what it may."""
    r = result(configuration)
    assert r.summary, f"status {r.status}, ended with:\n{r.output[-2000:]}"
    assert r.status == (1 if int(r.summary[1]) else 0)
    assert r.hidden == (ALIASES if r.emulated else set())
    assert len(r.cases) >= 124


@pytest.mark.parametrize("step", BUDGET if "stock" in MACHINES else ())
def test_isa_budget(step):
    """A step of the emulation costs no more than was promised."""
    r = result(f"stock-{EXACT}")
    assert r.emulated
    assert 0 < r.counts[step] <= BUDGET[step]


@pytest.mark.parametrize("pending", ["software", "line"])
@pytest.mark.parametrize("turns", [
    name for name in CONFIGURATIONS
    if "icount" in name and "1-hart" not in name])
def test_isa_wfi_ends_the_turn(turns, pending):
    """With -icount QEMU runs harts in turns: who waits must end its own."""
    assert result(turns).counts[f"looks-{pending}"] <= LOOKS_MAX
