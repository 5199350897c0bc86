"""How long each byte took from the wire to the client that wanted it.

Two logs, both in ns of the guest's clock. QEMU notes when the last bit of each
byte has arrived at a UART (uart16550.arrivals, 8 bytes a byte: ns << 8 | byte):
that costs the guest nothing. A client notes when it has taken and checked how
many (lines "reads" of /bench/uart): one entry whenever it looks, whatever it
finds. The n-th byte of the one is the n-th byte of the other. No driver has a
part in it.
"""
import array
import os
import sys
import zlib

MASK = (1 << 64) - 1
ENDS = {"a": "uart1", "b": "uart2"}
PERMILLE = (0, 50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950, 990, 999,
            1000)
HEAD = 16       # bytes of content by which its beginning is known
BEFORE_MAX = 64  # bytes that drivers may have exchanged before


def content(sender, size):
    """The first `size` bytes that an end sends, made anew here."""
    number = (sender + 1) << 48
    words = bytearray()
    for _ in range(size // 8):
        x = number * 0x9e3779b97f4a7c15 & MASK
        x ^= x >> 32
        words += (x * 0xd6e8feb86659fd93 & MASK).to_bytes(8, "little")
        number += 1
    return words


def content_crc(sender, size):
    """CRC-32 of that."""
    return zlib.crc32(content(sender, size))


def read_log(output):
    """{"a": (bytes, ns, [(bytes, ns), ...])}: where it begins, then steps."""
    logs = {}
    for line in output.splitlines():
        words = line.split()
        if words[:1] != ["reads"]:
            continue
        if words[2] == "from":
            logs[words[1]] = (int(words[3]), int(words[4]), [])
        else:
            logs[words[1]][2].extend(
                tuple(map(int, step.split(":"))) for step in words[2:])
    return logs


def arrivals(path, sender):
    """(ns of each byte of content, None), or ((), what is wrong)."""
    times = array.array("Q")
    with open(path, "rb") as file:
        times.frombytes(file.read())
    if sys.byteorder != "little":
        times.byteswap()
    first = bytes(content(sender, HEAD))
    seen = bytes(v & 0xff for v in times[:BEFORE_MAX + HEAD])
    at = seen.find(first)
    if at < 0:
        return (), "the wire's first bytes are not what was sent"
    return times[at:], None


def latencies(times, log):
    """ns of each byte that was read in the window."""
    taken, ns, steps = log
    found = []
    for count, passed in steps:
        ns += passed
        found.extend(ns - (v >> 8) for v in times[taken:taken + count])
        taken += count
    return found


def came(times, log):
    """(bytes that were read in the window, ns in which they came)."""
    first, _, steps = log
    count = sum(n for n, _ in steps)
    before = max(first - 1, 0)
    return count, (times[first + count - 1] >> 8) - (times[before] >> 8)


def distribution(values):
    """Samples and quantiles."""
    values = sorted(values)
    last = len(values) - 1
    return {"samples": len(values),
            "quantiles": [[p, values[last * p // 1000]] for p in PERMILLE]}


def measure(folder, output, taken, slow_only):
    """
    {"line": distribution over all bytes read within the window, of end a alone
    if slow_only; "came": came() of each end or None}. taken: bytes that each
    client has read in all. Or (None, what is wrong).
    """
    found, both = [], [None, None]
    for end, log in sorted(read_log(output).items()):
        index = "ab".index(end)
        times, why = arrivals(os.path.join(folder, f"arrivals.{ENDS[end]}"),
                              sender=1 - index)
        if why:
            return None, f"to {end}: {why}"
        if len(times) != taken[index]:
            return None, f"{len(times)} bytes came to UART {end}, its client " \
                f"has read {taken[index]}"
        both[index] = came(times, log)
        if end == "a" or not slow_only:
            found += latencies(times, log)
    if found and min(found) < 0:
        return None, "a byte was read before it came"
    return {"line": distribution(found) if found else None, "came": both}, None
