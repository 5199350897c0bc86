"""The benchmark's UART driver inside the kernel, mode=kernel: each flow control
loses nothing, and by QEMU's trace of the registers is what it is called."""
import json
import os
import re
import subprocess
import sys

import pytest

from harness.machine import MACHINES

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{TOP}/tools")
sys.dont_write_bytecode = True
from benches import uart, uart_plan  # noqa: E402

pytestmark = pytest.mark.skipif("native" not in MACHINES,
                                reason="the wired UARTs are the native machine's")

DATA, IIR, LCR, MCR, MSR = 0, 2, 3, 4, 6
RTS, DSR, RECEIVED = 2, 0x20, 4
BATCH, FIFO = 8, 16


def boot(words, harts=1, more=()):
    """The row that /bench/uart prints."""
    output = subprocess.run(
        [f"{TOP}/tools/run-qemu", "--machine", "native", "--smp", str(harts),
         "--timeout", "60", "--cap", "1000000", "--kernel",
         f"{TOP}/build/kernel/kernel-bench.elf", "--append",
         f"run=/bench/uart {words} mode=kernel", "--", *more,
         "-icount", "shift=4,sleep=off"],
        text=True, capture_output=True, stdin=subprocess.DEVNULL,
        check=False).stdout
    rows = [line for line in output.splitlines() if line.startswith("{")]
    assert len(rows) == 1, output
    return json.loads(rows[0])


def check(row, one_way=False):
    """All that was sent has come, and something came each way."""
    assert row["lost"] == [0, 0] and row["wrong"] == [0, 0]
    assert not uart.crc_wrong(row)
    for i, end in enumerate("ab"):
        assert row[f"counters_{end}"]["overruns"] == 0
        assert row[f"counters_{end}"]["bytes_in"] == row["taken"][i]
        assert row["received"][i] > 0 or one_way and end == "a"
    for sender, receiver in ("ab", "ba"):
        assert row[f"counters_{sender}"]["bytes_out"] == \
            row[f"counters_{receiver}"]["bytes_in"]


@pytest.mark.parametrize("harts", [1, 2, 4])
@pytest.mark.parametrize("baud", [uart_plan.FAST, uart_plan.SLOW])
@pytest.mark.parametrize("flow", ["v1", "v2", "v3"])
def test_nothing_is_lost(flow, baud, harts):
    """On one hart clients are slow enough for the kernel's rings to be full."""
    words = f"checksum flow={flow} baud={baud}"
    check(boot(f"{words} ms={300 if harts == 1 and baud > 5e6 else 60}",
               harts))


@pytest.mark.parametrize("flow,lost", [
    ("none", True), ("v1", False), ("v2", False), ("v3", False)])
def test_nobody_sends_before_the_other_end_is_there(flow, lost):
    row = boot(f"duplex flow={flow} ms=20 late=3000000")
    if lost:
        assert row["lost"][0] > 0
    else:
        check(row)


class End:
    """A UART as its driver uses it; sent: bytes, at the moment."""

    def __init__(self):
        self.sent, self.edges, self.pulses, self.mcr, self.lcr = 0, 0, 0, 0, 0
        self.rounds = []  # IIR, and the registers read after it
        self.there = False  # MSR has shown DSR

    def read(self, register, value):
        """A register was read."""
        if register == IIR:
            self.rounds.append((value & 15, []))
        elif self.rounds:
            self.rounds[-1][1].append(register)
        if register == MSR:
            self.there = bool(value & DSR)

    def write(self, register, value):
        """A register was written. True: a byte for the wire."""
        if register == MCR:
            self.edges += bool((self.mcr ^ value) & RTS)
            self.pulses += bool(~self.mcr & value & RTS)
            self.mcr = value
        elif register == LCR:
            self.lcr = value
        if register != DATA or self.lcr & 0x80:
            return False
        self.sent += 1
        return True


def trace(path):
    """(UART, read or write, register, value) of each access."""
    with open(path, encoding="ascii") as file:
        for line in file:
            m = re.match(r"uart16550_(read|write) uart:(\S+) reg (\d) "
                         r"(?:->|<-) 0x(\w+)", line)
            if m:
                yield m[2], m[1], int(m[3]), int(m[4], 16)


@pytest.mark.parametrize("flow", ["none", "v1", "v2", "v3"])
def test_the_registers_show_which_flow_control_it_is(flow, tmp_path):
    """
    One way. Of all that was sent at any moment no more than a batch a pulse, or
    16 bytes and 8 for each change of RTS; and no less in the end.
    """
    path = tmp_path / "trace"
    check(boot(f"simplex flow={flow} ms=20 baud=1250000", 1,
               ("-trace", "uart16550_read", "-trace", "uart16550_write",
                "-D", str(path))), one_way=True)
    ends, outstanding = {}, []
    for name, access, register, value in trace(path):
        end = ends.setdefault(name, End())
        if access == "read":
            end.read(register, value)
        elif end.write(register, value) and end.there:
            # of the two that are wired the other one's is told by its RTS
            others = [e for e in ends.values() if e is not end and e.edges]
            if flow == "v1" and others:
                # the first pulse is that of the session
                outstanding.append(end.sent - BATCH * (others[-1].pulses - 1))
            elif flow != "none" and others:
                outstanding.append(end.sent - BATCH * (others[-1].edges - 1))
    receiver = max(ends.values(), key=lambda e: sum(
        DATA in r for _, r in e.rounds))
    batches = [r for cause, r in receiver.rounds if cause == RECEIVED]
    assert len(batches) > 50
    if flow == "none":
        assert receiver.edges <= 1
        return
    assert max(outstanding) == {"v1": BATCH}.get(flow, FIFO)
    # v3 looks for credit whenever it takes a batch
    looks = sum(MSR in r for r in batches)
    assert looks == (len(batches) if flow == "v3" else 0)
