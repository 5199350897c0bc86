"""PLIC and UARTs of the native machine as devices of QEMU: their state comes
through a migration at any point, and their trace events tell what they do.
No hart runs: the test reads and writes their registers (harness/qtest.py)."""
import re

import pytest

from harness.machine import MACHINES
from harness.qtest import Board

pytestmark = pytest.mark.skipif("native" not in MACHINES,
                                reason="the patched QEMU is not to be had")

# One hart: contexts M, S, U.
S, U = 1, 2
CONSOLE = 10  # a source that goes up and down with a register
CONSOLE_IER, THRI = 0x10000001, 2


def priority(source):
    return 0xc000000 + 4 * source


def pending(board, source):
    return board.read32(0xc001000) >> source & 1


def enable(context):
    return 0xc002000 + 0x80 * context


def threshold(context):
    return 0xc200000 + 0x1000 * context


def claim(context):
    return threshold(context) + 4


# What one byte takes at 6.25 Mbaud, 8N1, in ns; UART 1 and its peer.
BYTE = 1600
ONE, TWO = 0x10010000, 0x10011000
RBR, DLL, IER, DLM, FCR, IIR, LCR, MCR, LSR, MSR = 0, 0, 1, 1, 2, 2, 3, 4, 5, 6
DR, OE, THRE, TEMT = 1, 2, 0x20, 0x40


def uart_setup(board, divisor=1):
    """8N1, FIFOs with trigger 8, receive and line status interrupts."""
    for uart in (ONE, TWO):
        board.write8(uart + LCR, 0x83)
        board.write8(uart + DLL, divisor)
        board.write8(uart + DLM, 0)
        board.write8(uart + LCR, 3)
        board.write8(uart + FCR, 0x87)
        board.write8(uart + IER, 5)


def moved(tmp_path, board, extra=()):
    """The same machine elsewhere: what board was migrated to."""
    board.monitor.save(tmp_path / "state")
    return Board(tmp_path, "to", extra, tmp_path / "state")


def test_plic_migrates(tmp_path):
    """
    Between claim and complete in a U context, with the line still high: where
    it goes on, the source is not pending, enabled where it was, its completion
    counts in that context only, and makes it pending again, for the line is.
    """
    with Board(tmp_path, "from") as board:
        board.write32(priority(CONSOLE), 3)
        board.write32(enable(U), 1 << CONSOLE)
        board.write32(threshold(S), 2)
        board.write8(CONSOLE_IER, THRI)
        assert board.read32(claim(U)) == CONSOLE
        to = moved(tmp_path, board)
    with to as board:
        assert board.read32(priority(CONSOLE)) == 3
        assert board.read32(enable(U)) == 1 << CONSOLE
        assert board.read32(enable(S)) == 0
        assert board.read32(threshold(S)) == 2
        assert not pending(board, CONSOLE)
        assert board.read32(claim(U)) == 0
        board.write32(claim(S), CONSOLE)
        assert not pending(board, CONSOLE)
        board.write32(claim(U), CONSOLE)
        assert pending(board, CONSOLE)
        assert board.read32(claim(U)) == CONSOLE
        board.write8(CONSOLE_IER, 0)
        board.write32(claim(U), CONSOLE)
        assert not pending(board, CONSOLE)


def byte_for_byte(board, start, sent):
    """What is left of the bytes 0..16 comes at its time, then 17 and 18."""
    for i in range(sent, 17):
        before = start + (i + 1) * BYTE - 1
        board.time(before)
        assert not board.read8(TWO + LSR) & DR, i
        board.time(start + (i + 1) * BYTE)
        assert board.read8(TWO + LSR) & (DR | OE) == DR, i
        assert board.read8(TWO + RBR) == 0x40 + i
    assert board.read8(ONE + LSR) & TEMT


@pytest.mark.parametrize("at", [1, 800, 1600, 5 * BYTE + 333, 16 * BYTE + 1500])
def test_uart_migrates_in_mid_byte(tmp_path, at):
    """Each byte, on the wire or in the FIFO, comes when it would have come."""
    with Board(tmp_path, "from") as board:
        uart_setup(board)
        start = board.step(1000)
        for i in range(17):  # one in the shift register, 16 in the FIFO
            board.write8(ONE + RBR, 0x40 + i)
        now = board.step(at)
        came = 0
        while board.read8(TWO + LSR) & DR:
            assert board.read8(TWO + RBR) == 0x40 + came
            came += 1
        assert came == min(17, at // BYTE)
        to = moved(tmp_path, board)
    with to as board:
        board.time(now)
        byte_for_byte(board, start, came)


def test_uart_migrates_registers_and_properties(tmp_path):
    """
    Received bytes, an overrun, modem deltas, the interrupt with its cause; and
    what was set on the properties, with the state of the random numbers: the
    errors are those that come without a migration.
    """
    bad = ["-global", "uart16550.bit-error-ppb=100000000",
           "-global", "uart16550.error-seed=5"]

    def half(board):
        for i in range(100):
            board.write8(TWO + RBR, i)
            board.step(3 * BYTE)
            lsr = board.read8(ONE + LSR)
            yield lsr, board.read8(ONE + RBR)

    with Board(tmp_path, "straight", bad) as board:
        uart_setup(board)
        wanted = list(half(board)) + list(half(board))
    with Board(tmp_path, "from", bad) as board:
        uart_setup(board)
        came = list(half(board))
        for i in range(19):
            board.write8(ONE + RBR, 0xff)
            board.step(2 * BYTE)
        board.write8(ONE + MCR, 3)
        now = board.step(100)
        to = moved(tmp_path, board)
    with to as board:  # with neither option: the properties came along
        board.time(now)
        assert board.read8(TWO + MSR) == 0xb0 | 0x0b
        assert board.read8(TWO + MSR) == 0xb0
        assert pending(board, 13)
        assert board.read8(TWO + IIR) & 0xf == 6  # line status: the overrun
        assert board.read8(TWO + LSR) & OE
        assert not board.read8(TWO + LSR) & OE
        assert board.read8(TWO + IIR) & 0xf == 4  # and the trigger
        came += list(half(board))
    assert came == wanted
    assert len({lsr for lsr, _ in wanted}) > 1


def test_trace_events(tmp_path):
    """Each of the events is printed, with its numbers."""
    trace = tmp_path / "trace"
    with Board(tmp_path, "board", [
            "-trace", "sifive_plic_*", "-trace", "uart16550_*",
            "-d", "guest_errors", "-D", str(trace)]) as board:
        board.write32(priority(CONSOLE), 3)
        board.write32(enable(U), 1 << CONSOLE)
        board.write8(CONSOLE_IER, THRI)
        assert board.read32(claim(U)) == CONSOLE
        board.write32(claim(S), CONSOLE)
        board.write32(claim(U), CONSOLE)
        uart_setup(board)
        for i in range(18):
            board.write8(ONE + RBR, 0x40 + i)
            board.step(2 * BYTE)
        board.read8(TWO + LSR)
        board.monitor.quit()
        board.process.wait(timeout=20)
    text = trace.read_text(encoding="latin-1")
    for line in ("sifive_plic_line source 10: line is 1",
                 "sifive_plic_claim context 2: claimed source 10",
                 "sifive_plic_complete_ignored context 1: completion of "
                 "source 10 ignored, it is not enabled there",
                 "sifive_plic_complete context 2: completed source 10",
                 "uart16550_write uart:0x[0-9a-f]+ reg 0 <- 0x41",
                 "uart16550_read uart:0x[0-9a-f]+ reg 5 -> 0x",
                 "uart16550_rate uart:0x[0-9a-f]+ divisor 1 bit 160000000 fs",
                 "uart16550_receive uart:0x[0-9a-f]+ byte 0x41 LSR errors 0x00",
                 "uart16550_irq uart:0x[0-9a-f]+ level 1",
                 "uart16550_overrun uart:0x[0-9a-f]+ byte 0x50 lost"):
        assert re.search("^" + line, text, re.M), f"no {line!r} in:\n{text}"
