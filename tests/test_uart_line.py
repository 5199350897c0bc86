"""The UART server on a wire that is bad, cut, too fast, or carries more than is
read; and its threads on the move. tests/guest/line.c says what the clients see
and are told; what really came over the wire is in QEMU's trace."""
import re
import zlib

import pytest

from harness.machine import MACHINES, Machine
from harness.qmp import Monitor

pytestmark = pytest.mark.skipif("native" not in MACHINES,
                                reason="no native machine here")

# More bytes than sessions of v3 send, or some of them, before both clients are
# there: 3 each.
MESSAGES = 13
OVERRUN, PARITY, FRAMING, BREAK = 2, 4, 8, 16
# enum uart_counter
COUNTERS = ("in", "out", "overruns", "parity", "framing", "breaks",
            "interrupts", "wakeups", "doorbells", "full", "sessions")
# Idle time is skipped; harts take turns of so many instructions, or one that
# polls would keep the others from the wire.
ICOUNT = "4,sleep=off"
TURNS = ("-accel", "tcg,icount-turn=500")


def digest(errors):
    """As the client sums up what it is told."""
    crc = 0
    for position, what in errors:
        crc = zlib.crc32(position.to_bytes(8, "little") + bytes([what]), crc)
    return len(errors), crc


class Received:
    """What one UART heard, by the trace: the bytes that its FIFO took, the
    errors of these as (position, LSR's bits), overruns likewise, with the
    position of the byte before those that are lost."""

    def __init__(self):
        self.bytes, self.broken, self.overruns, self.lost = \
            bytearray(), [], [], 0

    def byte(self, value, error):
        """One more. An overrun is taken back by what the trace says next."""
        if error:
            self.broken.append((len(self.bytes), error))
        self.bytes.append(value)

    def overrun(self):
        """The last one was lost. A gap is told once."""
        self.bytes.pop()
        if self.broken and self.broken[-1][0] == len(self.bytes):
            self.broken.pop()
        gap = (len(self.bytes) - 1, OVERRUN)
        if self.overruns[-1:] != [gap]:
            self.overruns.append(gap)
        self.lost += 1


    def without(self, first):
        """The same after so many bytes, which are no data."""
        rest = Received()
        rest.bytes, rest.lost = self.bytes[first:], self.lost
        rest.broken, rest.overruns = (
            [(at - first, what) for at, what in errors if at >= first]
            for errors in (self.broken, self.overruns))
        return rest


def heard(path):
    """The trace in a file, by UART."""
    uarts = {}
    with open(path, encoding="ascii") as trace:
        for line in trace:
            m = re.match(r"uart16550_(receive|overrun) uart:(\S+) byte (\S+)"
                         r"(?: LSR errors (\S+))?", line)
            if not m:
                continue
            uart = uarts.setdefault(m[2], Received())
            if m[1] == "overrun":
                uart.overrun()
            else:
                uart.byte(int(m[3], 16), int(m[4], 16))
    return uarts.values()


class End:
    """What tests/guest/line.c says of the client at one end; `wire` is what
    came there."""

    def __init__(self, name, output, uarts):
        m = re.search(rf"^wire {name} sent (\d+) got (\d+) crc (\w+) "
                      r"wrong (\d+) at \d+$", output, re.M)
        assert m, output[-2000:]
        self.sent, self.got, self.wrong = int(m[1]), int(m[2]), int(m[4])
        self.crc = int(m[3], 16)
        values = re.search(rf"^counters {name} ([\d ]+)$", output, re.M)
        self.count = dict(zip(COUNTERS, map(int, values[1].split())))
        m = re.search(rf"^told {name} forgotten (\d+) errors (\d+) crc (\w+) "
                      r"overruns (\d+) crc (\w+)$", output, re.M)
        self.forgotten = int(m[1])
        self.broken = int(m[2]), int(m[3], 16)
        self.overruns = int(m[4]), int(m[5], 16)
        self.wire = Received() if not self.got else next(
            (w for u in uarts for first in range(MESSAGES)
             for w in [u.without(first)]
             if zlib.crc32(w.bytes) == self.crc), None)


class Line:
    """One run of line. words: its arguments; extra: options of QEMU; sets:
    (device, property, value), before the machine starts; cut: (device,
    property), set while bytes flow until they stand still; a and b: its ends;
    lost: what each device has lost to the cut."""

    def __init__(self, folder, *words, extra=(), sets=(), cut=(), limit=60):
        trace, qmp = f"{folder}/trace", f"{folder}/qmp"
        with Machine(smp=4, icount=ICOUNT, machine="native", limit=limit,
                     append=" ".join(["run=/test/line", *words]),
                     extra=[*TURNS, "-D", trace, "-trace", "uart16550_receive",
                            "-trace", "uart16550_overrun", "-S", "-qmp",
                            f"unix:{qmp},server=on,wait=off", *extra]) as m:
            monitor = Monitor(qmp)
            for one in sets:
                monitor.set(*one)
            monitor.ask("cont")
            if cut:
                self.cut(m, monitor, cut)
            m.expect(r"run: /test/line: [^\r\n]*\r", limit)
            self.end = m.child.after.strip()
            m.status()
            self.output = m.output
        uarts = heard(trace)
        self.a, self.b = (End(n, self.output, uarts) for n in "ab")
        self.ends = self.a, self.b
        self.through = "\nthrough\n" in self.output


    def cut(self, m, monitor, wires):
        """In mid-transfer, and mended when the program has noticed."""
        m.expect(r"running\r")
        for wire in wires:
            monitor.set(*wire, True)
        m.expect(r"stalled \w>\w\r")
        monitor.ask("stop")
        self.lost = {u: monitor.get(u, "lost") for u in ("uart1", "uart2")}
        for wire in wires:
            monitor.set(*wire, False)
        monitor.ask("cont")
        m.expect(r"flows \w>\w\r")


def check_told(line):
    """Each client got what was on the wire, and each error with its byte."""
    for end in line.ends:
        assert end.wire, "the client got other bytes than the FIFO"
        assert not end.forgotten
        assert end.broken == digest(end.wire.broken)
        for name, bit in (("parity", PARITY), ("framing", FRAMING),
                          ("breaks", BREAK)):
            assert end.count[name] == \
                sum(1 for e in end.wire.broken if e[1] & bit)
        assert end.count["in"] == end.got == len(end.wire.bytes)


def bad_wire(ppb, seed=5):
    """QEMU's options for so many bad bits in a billion."""
    return ["-global", f"uart16550.bit-error-ppb={ppb}",
            "-global", f"uart16550.error-seed={seed}"]


MODES = ("polling", "interrupt", "async", "async-unbuffered", "notify")


@pytest.mark.parametrize("mode,flow", [(m, "v3") for m in MODES] +
                         [("interrupt", "none")])
def test_line_errors_with_their_bytes(tmp_path, mode, flow):
    """Some bits in ten thousand: each broken byte is told, and no other."""
    line = Line(tmp_path, f"mode={mode}", f"flow={flow}", "word=8E1",
                "baud=115200", "bytes=5000", extra=bad_wire(200_000))
    check_told(line)
    assert line.through
    for end in line.ends:
        assert end.wire.lost == end.count["overruns"] == 0
        assert end.got == 5000  # with this seed none goes missing
        assert end.count["parity"] > 3 and end.count["framing"] > 0


@pytest.mark.parametrize("mode", ["interrupt", "async"])
def test_line_many_errors(tmp_path, mode):
    """A third of all bytes is broken, some are breaks: all is told."""
    line = Line(tmp_path, f"mode={mode}", "flow=none", "word=8E1",
                "baud=115200", "bytes=6000", extra=bad_wire(40_000_000, 9))
    check_told(line)
    assert line.through
    for end in line.ends:
        assert len(end.wire.broken) > 1500 and end.count["breaks"] > 0


@pytest.mark.parametrize("flow,ppm", [("none", -40_000), ("v3", 40_000)])
def test_line_skew_within_tolerance(tmp_path, flow, ppm):
    """4 % too fast or slow: as if it were not."""
    line = Line(tmp_path, f"flow={flow}", "baud=115200", "bytes=2000",
                sets=[("uart1", "clock-skew-ppm", ppm)])
    check_told(line)
    for end in line.ends:
        assert end.got == 2000 and not end.wrong


@pytest.mark.parametrize("ppm", [-70_000, 70_000])
def test_line_skew_beyond_tolerance(tmp_path, ppm):
    """7 %: what comes is wrong, and said to be."""
    line = Line(tmp_path, "flow=none", "baud=38400", "bytes=2000",
                sets=[("uart1", "clock-skew-ppm", ppm)])
    check_told(line)
    for end in line.ends:
        assert end.wrong and end.count["framing"] > 100


@pytest.mark.parametrize("mode,sent", [("interrupt", 4000), ("async", 12000)])
def test_line_overruns_are_counted(tmp_path, mode, sent):
    """Without flow control and with nobody who reads: each byte that found the
    FIFO full is counted, and told as missing behind the right one."""
    line = Line(tmp_path, f"mode={mode}", "flow=none",
                "baud=9600", f"bytes={sent}", "stream=4096", "reads=late",
                "from=a")
    check_told(line)
    b = line.b
    assert b.wire.lost > 500
    assert line.a.sent == line.a.count["out"] == sent
    assert line.a.sent == b.got + b.count["overruns"]
    assert b.overruns == digest(b.wire.overruns)


def test_line_overruns_too_fast_to_count(tmp_path):
    """At 6.25 Mbaud a flag is read that stands for several bytes: it is told,
    and the two ends' counters say how many."""
    line = Line(tmp_path, "flow=none", "baud=6250000", "bytes=40000",
                "reads=late", "from=a")
    b = line.b
    assert 0 < b.count["overruns"] <= b.wire.lost
    assert b.overruns[0] + b.forgotten > 0
    assert line.a.count["out"] - b.count["in"] == b.wire.lost


DATA = [("uart1", "cut-data")]
MODEM = [("uart1", "cut-modem")]
CABLE = [(u, p) for u in ("uart1", "uart2") for p in ("cut-data", "cut-modem")]


@pytest.mark.parametrize("mode,flow,wires", [
    ("interrupt", "none", DATA), ("interrupt", "v1", DATA),
    ("interrupt", "v2", DATA), ("interrupt", "v3", DATA),
    ("notify", "v3", MODEM), ("interrupt", "v2", CABLE),
    ("async", "v3", CABLE), ("polling", "v3", CABLE)],
    ids=lambda v: "cable" if v is CABLE else v[0][1] if v in (DATA, MODEM)
    else v)
def test_line_cut_and_mended(tmp_path, mode, flow, wires):
    """A wire is cut in mid-transfer and mended: data flows again both ways,
    and the counters say what was lost: with v3 nothing."""
    line = Line(tmp_path, f"mode={mode}", f"flow={flow}", "baud=115200",
                "ms=2000", cut=wires)
    assert line.through
    for end, other, wire in ((line.b, line.a, "uart1"),
                             (line.a, line.b, "uart2")):
        assert 10_000 < other.sent <= other.count["out"]
        assert flow == "v3" or other.sent == other.count["out"]
        missing = other.sent - end.got
        assert end.got == end.count["in"]
        if flow == "v3":
            assert missing == 0 and not end.wrong
        elif wires is DATA:
            assert missing == line.lost[wire] + end.wire.lost
        else:  # and what one end sent while the other took it for gone
            assert 0 <= missing <= 4 * 16
    if flow != "v3" and wires is DATA:
        check_told(line)
        assert line.lost["uart1"] > 0
        assert flow == "none" or line.lost["uart1"] <= 4 * 16


@pytest.mark.parametrize("mode,flow", [
    ("interrupt", "v3"), ("async", "v3"), ("async-unbuffered", "v2"),
    ("notify", "v3"), ("polling", "v3")])
def test_line_moved_every_ms(tmp_path, mode, flow):
    """Drivers and clients go to another hart every millisecond, at 1.25 Mbaud
    both ways: no byte is lost. `make storm` is the same for ten minutes."""
    line = Line(tmp_path, f"mode={mode}", f"flow={flow}", "baud=1250000",
                "ms=1000", "move=1")
    check_told(line)
    assert line.through and line.end.endswith("exited 0")
    assert int(re.search(r"^moved (\d+)$", line.output, re.M)[1]) >= 1000
    for end, other in (line.ends, line.ends[::-1]):
        assert end.got == other.sent > 20_000 and not end.wrong


# Words of the server's command line, and what it says to them.
REFUSED = {
    "--mode=fast":
        "not one of: polling, interrupt, async, async-unbuffered, notify",
    "--mode=": "not one of: polling,",
    "--flow=v9": "not one of: none, v1, v2, v3",
    "--baud=fast": "not one of: a number of bits a second",
    "--baud=0": "not one of: a number of bits a second",
    "--clock=1MHz": "not one of: a number of Hz",
    "--word=9N1": "data bits 5 to 8, parity N, E or O, stop bits 1 or 2",
    "--word=8X1": "such as 8N1",
    "--word=8N3": "such as 8N1",
    "--trigger=3": "not one of: 1, 4, 8, 14",
    "--trigger=14,--flow=v3": "take 1, 4 or 8",
    "--baud=4000000":
        "a clock of 100000000 Hz cannot make it within 2 %; it makes 6250000 "
        "divided by a whole number",
    "--baud=6380000": "cannot make it within 2 %",
    "--baud=50,--clock=100000000": "cannot make it within 2 %",
    "--speed=9": "--speed=9: unknown; there is --mode= --flow= --baud= "
                 "--word= --trigger= --clock=",
}
OWNED = ["--mode=notify", "--mode=interrupt", "--mode=polling",
         "--mode=async,--flow=v3"]


def said_to(*words):
    """What the server says to them, one after the other."""
    with Machine(smp=2, icount=ICOUNT, machine="native", extra=TURNS,
                 append=" ".join(["run=/test/words", *words])) as m:
        m.expect(r"run: /test/words: exited 0\r", 60)
        return m.output.replace("\n\n", "\n")


@pytest.fixture(scope="module")
def words():
    """The same to all that is tested here, in two boots."""
    bad = [*REFUSED]
    return said_to(*bad[:9]) + said_to(*bad[9:], "--baud=6250000", *OWNED)


@pytest.mark.parametrize("given", REFUSED)
def test_line_refuses(words, given):
    """It says what there is, and ends with status 2."""
    said = re.search(rf"^uart: (.*)\nwords: {re.escape(given)}: exited 2$",
                     words, re.M)
    assert said, words[-3000:]
    assert REFUSED[given] in said[1]
    assert given.split(",")[0].split("=")[0] in said[1]


@pytest.mark.parametrize("mode", OWNED)
def test_line_refuses_an_owned_device(words, mode):
    """The driver before still runs."""
    assert "\nwords: --baud=6250000: runs\n" in words
    assert re.search(r"^uart: the device has an owner already, another driver"
                     rf"\nwords: {re.escape(mode)}: exited 2$", words, re.M)
