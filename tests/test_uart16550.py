"""The UARTs of the native machine (tests/uart16550), case by case.

The program boots once, with -icount, when pytest collects; every line it
prints is then a test of its own. A second kind of run tells what comes over a
wire that was made bad through QEMU's properties, before the machine starts
or while it runs.
"""
import os
import re
import signal
import struct
import subprocess
import tempfile

import pytest

from harness.machine import MACHINES
from harness.qmp import Monitor

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROGRAM = os.path.join(ROOT, "build/tests/uart16550.elf")
SECONDS = 100
SUMMARY = re.compile(r"(\d+) ok, (\d+) failed")
CASES = 81
BYTES = 4096  # ROUNDS * 256 of tests/uart16550/wire.c

pytestmark = pytest.mark.skipif("native" not in MACHINES,
                                reason="no native machine here")


def command(*arguments):
    """QEMU with the program, one hart, 16 ns an instruction."""
    return [os.path.join(ROOT, "tools/run-qemu"), "--machine", "native",
            "--smp", "1", "--bios", "none", "--kernel", PROGRAM, "--initrd",
            "none", "--icount", "4", "--timeout", str(SECONDS), "--",
            "-rtc", "clock=vm", *arguments]


class Result:
    """What the cases printed."""

    def __init__(self):
        done = subprocess.run(command(), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        self.output = done.stdout.decode(errors="replace")
        self.status, self.summary, self.cases = done.returncode, None, {}
        for line in self.output.splitlines():
            word, _, rest = line.strip().partition(" ")
            if word == "ok":
                self.cases[rest] = None
            elif word == "FAIL":
                name, _, why = rest.partition(": ")
                self.cases[name] = why
            elif SUMMARY.fullmatch(line.strip()):
                self.summary = SUMMARY.fullmatch(line.strip()).groups()


RESULTS = []


def result():
    """The result of the one boot."""
    if not RESULTS:
        RESULTS.append(Result())
    return RESULTS[0]


def pytest_generate_tests(metafunc):
    if "uart_case" in metafunc.fixturenames:
        metafunc.parametrize("uart_case", result().cases
                             if "native" in MACHINES else ())


def test_uart16550_case(uart_case):
    """One rule of the data sheet."""
    why = result().cases[uart_case]
    assert why is None, why


def test_uart16550_complete():
    """It ran to its end."""
    r = result()
    assert r.summary, f"status {r.status}, ended with:\n{r.output[-2000:]}"
    assert int(r.summary[0]) + int(r.summary[1]) == CASES == len(r.cases)
    assert r.status == (1 if int(r.summary[1]) else 0)


class Wire:
    """The program in its reporting mode, and QEMU's properties of the UARTs.

    sets: (uart 1..4, property, value), before the machine starts. The rows
    that it prints are in rows, by name; the modem lines in lines; what had
    arrived before the change in arrived."""

    def __init__(self, *sets, change=False, extra=()):
        self.rows, self.lines, self.arrived = {}, [], None
        self.change = change
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "qmp")
            self.process = subprocess.Popen(
                command("-S", "-qmp", f"unix:{path},server=on,wait=off",
                        "-device", "loader,addr=0x80100000,data-len=4,data="
                        + ("2" if change else "1"), *extra),
                stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True)
            try:
                self.monitor = Monitor(path)
                self.run(sets)
            finally:
                self.process.stdin.close()
                try:  # timeout and QEMU
                    os.killpg(self.process.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                self.process.wait()

    def set(self, uart, name, value):
        """Set a property of UART 1..4."""
        self.monitor.set(f"uart{uart}", name, value)

    def get(self, uart, name):
        """A property of UART 1..4."""
        return self.monitor.get(f"uart{uart}", name)

    def run(self, sets):
        """Take in what the program prints."""
        for one in sets:
            self.set(*one)
        self.monitor.ask("cont")
        for line in self.process.stdout:
            words = line.decode().split()
            if words[:1] == ["wire"]:
                self.rows[words[1]] = {
                    k: int(v) for k, v in (w.split("=") for w in words[2:])}
            elif words[:1] == ["lines"]:
                self.lines.append(tuple(
                    int(w.split("=")[1], 16) for w in words[1:]))
            elif words[:1] == ["arrived"]:
                self.arrived = int(words[1])
            elif words == ["change", "it"]:
                self.change(self)
                self.process.stdin.write(b"\n")
                self.process.stdin.flush()


def row_of(right=0, wrong=0, missing=0, **errors):
    """The counts of a row that are asked for; the others 0."""
    return {"sent": BYTES, "right": right, "wrong": wrong,
            "missing": missing, "parity": 0, "framing": 0, "breaks": 0,
            **errors}


def counts(row):
    """A row without its digest."""
    return {k: v for k, v in row.items() if k != "digest"}


ALL_RIGHT = row_of(right=BYTES)
CTS_DSR_DCD = 0xb0 | 0x0b


def test_uart16550_good_wire():
    """Nothing is lost on it, and the counters know."""
    seen = {}

    def look(wire):
        for uart in range(1, 5):
            seen[uart] = {name: wire.get(uart, name) for name in (
                "bytes-sent", "bytes-received", "overruns", "parity-errors",
                "framing-errors", "breaks", "lost")}

    wire = Wire(change=look)
    for name in ("1-2", "1-2-even", "2-1", "changed"):
        assert counts(wire.rows[name]) == ALL_RIGHT
    assert wire.lines == [(CTS_DSR_DCD, CTS_DSR_DCD), (0xb0, 0xb0)]
    none = {"overruns": 0, "parity-errors": 0, "framing-errors": 0,
            "breaks": 0, "lost": 0}
    assert seen == {
        1: {"bytes-sent": 2 * BYTES + 4, "bytes-received": BYTES, **none},
        2: {"bytes-sent": BYTES, "bytes-received": 2 * BYTES + 4, **none},
        3: {"bytes-sent": 0, "bytes-received": 0, **none},
        4: {"bytes-sent": 0, "bytes-received": 0, **none}}


def test_uart16550_cut_data():
    """One direction is cut: nothing comes there, the other is whole."""
    wire = Wire((1, "cut-data", True))
    assert counts(wire.rows["1-2"]) == row_of(missing=BYTES)
    assert counts(wire.rows["2-1"]) == ALL_RIGHT
    assert wire.lines == [(CTS_DSR_DCD, CTS_DSR_DCD)]


def test_uart16550_cut_modem():
    """The lines of one end are cut, its data is not."""
    wire = Wire((1, "cut-modem", True))
    assert counts(wire.rows["1-2"]) == ALL_RIGHT
    assert wire.lines == [(CTS_DSR_DCD, 0)]


def test_uart16550_cut_while_running():
    """A wire is cut in mid-flight; the lines fall, and the deltas show it."""
    def cut(wire):
        wire.set(1, "cut-data", True)
        wire.set(1, "cut-modem", True)
        assert wire.get(1, "cut-data") is True

    wire = Wire(change=cut)
    assert counts(wire.rows["1-2"]) == ALL_RIGHT
    assert counts(wire.rows["changed"]) == row_of(missing=BYTES)
    assert wire.lines[1] == (0xb0, 0x0b)
    assert wire.arrived == 4


def test_uart16550_bit_errors():
    """One bit in a thousand: about 10 bytes in a thousand go wrong; the same
    seed makes the same errors, another makes others."""
    rate = (1, "bit-error-ppb", 1_000_000)
    one, again, other = (Wire(rate, (1, "error-seed", seed))
                         for seed in (7, 7, 8))
    row = one.rows["1-2"]
    assert one.rows == again.rows
    assert row["digest"] != other.rows["1-2"]["digest"]
    assert 20 <= row["wrong"] + row["missing"] <= 70
    assert row["framing"] > 0 and row["parity"] == 0
    assert one.rows["1-2-even"]["parity"] > 10
    assert counts(one.rows["2-1"]) == ALL_RIGHT


def test_uart16550_global_properties():
    """The same from the command line, for all of them."""
    wire = Wire(extra=["-global", "uart16550.bit-error-ppb=1000000",
                       "-global", "uart16550.error-seed=7"])
    same = Wire((1, "bit-error-ppb", 1_000_000), (1, "error-seed", 7))
    assert wire.rows["1-2"] == same.rows["1-2"]
    assert wire.rows["2-1"]["wrong"] > 0


def test_uart16550_arrivals(tmp_path):
    """A file for each UART: which byte got in, and when, to the nanosecond."""
    seen = {}

    def look(wire):
        for uart in range(1, 5):
            seen[uart] = wire.get(uart, "bytes-received")

    Wire(change=look, extra=["-global", f"uart16550.arrivals={tmp_path}/a"])
    for uart in range(1, 5):
        data = (tmp_path / f"a.uart{uart}").read_bytes()
        words = [v for v, in struct.iter_unpack("<Q", data)]
        assert len(words) >= seen[uart]
        times = [v >> 8 for v in words]
        apart = [b - a for a, b in zip(times, times[1:])]
        if uart > 2:
            assert not words
            continue
        # 8N1 and 8E1 at 6.25 Mbaud: never closer than a frame, mostly one
        assert min(apart) == 1600
        assert sum(t in (1600, 1760) for t in apart) > len(apart) / 2
        assert len({v & 0xff for v in words}) == 256


def test_uart16550_arrivals_that_cannot_be_written():
    """QEMU does not start, and names the file."""
    done = subprocess.run(
        command("-global", "uart16550.arrivals=/nowhere/a"),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 1
    assert b"/nowhere/a.uart1: No such file" in done.stdout


@pytest.mark.parametrize("ppm", [-40_000, -20_000, -123, 77, 20_000, 40_000])
def test_uart16550_skew_within_tolerance(ppm):
    """Up to 4 % are harmless."""
    wire = Wire((1, "clock-skew-ppm", ppm))
    for name in ("1-2", "1-2-even", "2-1"):
        assert counts(wire.rows[name]) == ALL_RIGHT


@pytest.mark.parametrize("ppm", [-70_000, 70_000])
def test_uart16550_skew_beyond_tolerance(ppm):
    """7 % are not: framing errors, both ways."""
    wire = Wire((1, "clock-skew-ppm", ppm))
    for name in ("1-2", "2-1"):
        assert wire.rows[name]["framing"] > 100
        assert wire.rows[name]["right"] < BYTES * 3 // 4


@pytest.mark.parametrize("name,value", [
    ("clock-skew-ppm", 500_001), ("clock-skew-ppm", -500_001),
    ("bit-error-ppb", 1_000_000_001), ("bytes-sent", 1)])
def test_uart16550_bad_property(name, value):
    """What cannot be set is refused with its name."""
    with pytest.raises(AssertionError, match=name):
        Wire((1, name, value))
