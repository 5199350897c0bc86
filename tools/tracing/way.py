"""One byte's way, out of a trace of /trace/byte: where each hart was, and when
each step was made. Times are instructions since the UART raised its line.

With -icount one thread of QEMU runs the harts in turns, and the clock goes on
with the instructions of all. So while a byte is on its way exactly one hart
executes at any time. A hart's "idle" in the trace ends at its first record of
something else; where all are idle, the time is given to the next to leave it:
firmware, or the kernel's way out of its idle loop, which have no records (and
the last instructions of who went to sleep before).
"""
from tracing import chrome

NS = 16                # an instruction, -icount shift=4
KERNEL, HANDLER, DRIVER, CLIENT, IDLE = range(5)  # what a hart does


class WayError(Exception):
    """There is no such byte in this trace; the text says what to do."""


class Way:
    """spans: {hart: [(start, end, what, name), ...]}; steps: [(key, time,
    hart), ...] in the order of time; both from the raise to `end`."""

    def __init__(self, document, number):
        self.events = [e for e in document["traceEvents"] if e["ph"] == "X"]
        self.start = self.raised(number)
        self.find_processes()
        self.end = self.at(self.read)
        harts = sorted({e["tid"] for e in self.events if "cat" not in e
                        and e["pid"] == chrome.MACHINE})
        self.spans = {h: self.lane(h) for h in harts}
        self.settle_idle()
        self.steps = self.find_steps()

    def raised(self, number):
        """us of the raise of byte `number`."""
        raised = [e for e in self.events if e.get("cat") == "raised"]
        if number >= len(raised):
            raise WayError(f"byte {number} is not in it, there are "
                           f"{len(raised)}: record run=/trace/byte, with "
                           f"bytes={number + 1} or more")
        self.client = raised[number]["pid"]
        return raised[number]["ts"]

    def at(self, event):
        """Instructions since the raise."""
        return round((event["ts"] - self.start) * 1000 / NS)

    def first(self, *cats, after=0, until=None, **fields):
        """The first event of these kinds with these fields; None."""
        for e in self.events:
            if e.get("cat") in cats and self.at(e) >= after and \
                    (until is None or self.at(e) <= until) and \
                    all(e[k] == v for k, v in fields.items()):
                return e
        return None

    def find_processes(self):
        self.read = self.first("read", pid=self.client)
        came = self.first("uart_in")
        if not self.read or not came or self.at(came) > self.at(self.read):
            raise WayError("the byte's way has no end in it: the run ended, or "
                           "its records are overwritten")
        self.driver = came["pid"]

    def lane(self, hart):
        """What the hart did, without gaps."""
        handlers = [e for e in self.events if e["pid"] == self.driver
                    and "cat" not in e and e["name"].startswith("handler")]
        spans = []
        for e in self.events:
            if "cat" in e or (e["pid"], e["tid"]) != (chrome.MACHINE, hart):
                continue
            a = max(self.at(e), 0)
            b = min(self.at(e) + round(e["dur"] * 1000 / NS), self.end)
            if a >= b:
                continue
            name, inside = e["name"], []
            if name == "idle" or name.startswith("kernel"):
                what = IDLE if name == "idle" else KERNEL
            elif name.endswith(f"({self.client})"):
                what = CLIENT
            else:
                what = DRIVER
                inside = [h for h in handlers if self.at(h) < b and
                          self.at(h) + h["dur"] * 1000 / NS > a]
            for h in inside:
                x = max(self.at(h), a)
                y = min(self.at(h) + round(h["dur"] * 1000 / NS), b)
                spans.append((a, x, what, name))
                spans.append((x, y, HANDLER, h["name"]))
                a = y
            spans.append((a, b, what, name))
        return [s for s in spans if s[0] < s[1]]

    def settle_idle(self):
        """Whose the time is in which all harts seem idle."""
        edges = sorted({t for lane in self.spans.values() for s in lane
                        for t in s[:2]})
        for a, b in zip(edges, edges[1:]):
            covers = {h: next((s for s in lane if s[0] <= a and s[1] >= b), None)
                      for h, lane in self.spans.items()}
            if any(s and s[2] != IDLE for s in covers.values()):
                continue
            ends = {h: s[1] for h, s in covers.items() if s}
            if not ends:
                continue
            hart = min(ends, key=ends.get)
            lane = self.spans[hart]
            i = lane.index(covers[hart])
            x, y = covers[hart][:2]
            parts = [(x, a, IDLE, "idle"), (a, b, KERNEL, "wakes up"),
                     (b, y, IDLE, "idle")]
            lane[i:i + 1] = [p for p in parts if p[0] < p[1]]

    def find_steps(self):
        """Each step of STEPS that is in this way."""
        end = self.end
        driver_hart = next((h for h, lane in self.spans.items() if any(
            s[2] in (DRIVER, HANDLER) for s in lane)), None)
        client_hart = next((h for h, lane in self.spans.items() if any(
            s[2] == CLIENT for s in lane)), None)

        def runs(hart, kinds):
            return next((s[0] for s in self.spans.get(hart, ())
                         if s[2] in kinds), None)

        def mark(*cats, **more):
            e = self.first(*cats, until=end, **more)
            return e and self.at(e)
        bell = mark("doorbell", pid=self.driver)
        handler = next((s[0] for s in self.spans[driver_hart]
                        if s[2] == HANDLER), None)
        ack = next((s[1] for s in self.spans[driver_hart]
                    if s[3] == "kernel: irq_ack"), None)
        found = {
            "raised": (0, driver_hart),
            "claimed": (mark("kernel_claim", "claim"), driver_hart),
            "runs": (runs(driver_hart, (DRIVER, HANDLER)), driver_hart),
            "handler": (handler, driver_hart),
            "ring": (mark("uart_in"), driver_hart),
            "doorbell": (bell, driver_hart),
            "woken": (mark("wake", after=bell or 0), driver_hart),
            "completed": (mark("complete") or ack, driver_hart),
            "client": (runs(client_hart, (CLIENT,)), client_hart),
            "read": (end, client_hart),
        }
        return sorted(((k, t, h) for k, (t, h) in found.items()
                       if t is not None), key=lambda s: s[1])
