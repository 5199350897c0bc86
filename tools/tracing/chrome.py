"""From records to the Chrome trace format (JSON), which Perfetto opens, too.

Tracks: process 0 is the machine, a thread a hart: who runs there, what the
kernel does there, idle time. Each traced process has a track of its own
with its handlers as slices and everything else as marks, one instruction
(16 ns) wide because a flow arrow can only end at a slice. Arrows follow each
interrupt: raised (or claimed), handler, bytes from the device, reader.
Times are microseconds of guest time from the first record.
"""
import re

from tracing import records as rec

MACHINE = 0            # "process" of the harts' tracks
MARK_NS = 16
SYSCALLS = {}
EXTERNAL, TIMER, SOFT = 9, 5, 1
INTERRUPTS = {SOFT: "kick", TIMER: "timer", EXTERNAL: "device"}
TRAPS = {1 << 63 | c: f"interrupt: {n}" for c, n in INTERRUPTS.items()}


def syscall_name(number):
    """By abi/uinta.idl."""
    if not SYSCALLS:
        with open(f"{rec.TOP}/abi/uinta.idl", encoding="utf-8") as file:
            for n, name in re.findall(r"^syscall (\d+) (\w+)", file.read(),
                                      re.MULTILINE):
                SYSCALLS[int(n)] = name
        SYSCALLS[rec.C["CALL"]] = "trace_ring"
    return SYSCALLS.get(number, f"system call {number}")


def source_name(source):
    """Of TRACE_ENTER and the like."""
    return {0: "software", (1 << 64) - 1: "timer"}.get(source,
                                                       f"source {source}")


def trap_name(cause):
    return TRAPS.get(cause, f"exception {cause}")


class Slices:
    """One track whose slices follow each other without gaps."""

    def __init__(self, pid, tid):
        self.pid, self.tid = pid, tid
        self.open = None
        self.out = []

    def begin(self, time, name, **args):
        self.end(time)
        self.open = (time, name, args)

    def end(self, time):
        if self.open:
            start, name, args = self.open
            self.out.append({"ph": "X", "name": name, "pid": self.pid,
                             "tid": self.tid, "ts": start, "dur": time - start,
                             "args": args})
        self.open = None


def hart_track(hart, records, names):
    """Slices of one hart from its own records, in their order."""
    track = Slices(MACHINE, hart)
    runs = None

    def who(pid):
        return f"{names.get(pid, '?')} ({pid})" if pid is not None else "user"
    for i, r in enumerate(records):
        if r.event == "SYSCALL":
            track.begin(r.time, "kernel: " + syscall_name(r.a), argument=r.b)
        elif r.event == "SYSCALL_DONE":
            # Without a switch nothing more is recorded on the way out: then
            # the next thing is the program's own, another entry.
            follows = records[i + 1].event if i + 1 < len(records) else ""
            if follows in ("SYSCALL", "TRAP", ""):
                track.begin(r.time, who(runs))
        elif r.event == "TRAP":
            track.begin(r.time, "kernel: " + trap_name(r.a), stval=r.b)
        elif r.event == "IDLE":
            track.begin(r.time, "kernel: switch" if r.a else "idle")
        elif r.event == "WAKE_UP":
            track.begin(r.time, "kernel: from idle", sip=r.a)
        elif r.event == "RUN":
            runs = r.a >> 32
            track.begin(r.time, who(runs), thread=r.a & 0xffffffff)
    if records:
        track.end(records[-1].time)
    return track.out


def mark_text(r, names):
    """What a mark says: name and arguments."""
    thread = f"{names.get(r.a >> 32, '?')} ({r.a >> 32})"
    return {
        "KERNEL_CLAIM": (f"kernel claims {source_name(r.a)}", {"hart": r.b}),
        "RECORDED": (f"recorded for {thread}", {}),
        "WAKE": (f"wakes {thread}", {}),
        "BELL": ("kernel rings", {"badge": r.a}),
        "POST": (f"user interrupt posted to {thread}", {"uip": r.b}),
        "LOAD": (f"user-interrupt state of {thread} loaded", {}),
        "UNLOAD": (f"user-interrupt state of {thread} put away", {}),
        "CLAIM": (f"claims {source_name(r.a)}",
                  {"delivery": "direct" if r.b else "through the kernel"}),
        "COMPLETE": (f"completes {source_name(r.a)}", {}),
        "RING_FULL": ("ring full", {"ring": hex(r.a), "wants": r.b}),
        "RING_EMPTY": ("ring empty", {"ring": hex(r.a), "wants": r.b}),
        "DOORBELL": ("rings doorbell", {"handle": r.a}),
        "UART_IN": (f"{r.b} bytes from the FIFO", {"position": r.a}),
        "UART_OUT": (f"{r.b} bytes to the FIFO", {"position": r.a}),
        "READ": (f"reads {r.b} bytes", {"position": r.a}),
        "WRITE": (f"writes {r.b} bytes", {"position": r.a}),
        "RAISED": (f"device raises {source_name(r.a)}", {}),
        "TASK_READY": ("wakes tasks", {"tasks": bits(r.a)}),
        "COPIED": (f"copies {r.b} bytes to the ring", {"position": r.a}),
        "USER": ("mark", {"a": r.a, "b": r.b}),
    }.get(r.event)


def event_time(r):
    """ns; the raise was foreseen by who wrote it."""
    return r.b if r.event == "RAISED" else r.time


def place(r):
    """pid and tid of the track that the record is on."""
    return (MACHINE, r.hart) if r.pid is None else (r.pid, r.pid)


def mark(r, text, args):
    """A slice of one instruction, drawn over whatever is there."""
    pid, tid = place(r)
    return {"ph": "X", "name": text, "cat": r.event.lower(), "pid": pid,
            "tid": tid, "ts": event_time(r), "dur": MARK_NS, "args": args}


def bits(word):
    """The places of the ones in it: "0, 5"."""
    return ", ".join(str(i) for i in range(64) if word >> i & 1)


# What a program has in slices: the end of each, and its name.
ENDS = {"ENTER": "EXIT", "TASK_RUN": "TASK_STOP"}
SLICES = {"EXIT": lambda r: "handler: " + source_name(r.a),
          "TASK_STOP": lambda r: f"task {r.a}"}


def handlers(pid, records):
    """A slice for each beginning with its end; they nest."""
    out, stack = [], []
    for r in records:
        if r.event in ENDS:
            stack.append((ENDS[r.event], r.a, r.time))
        elif r.event in SLICES:
            while stack and stack[-1][:2] != (r.event, r.a):
                stack.pop()        # its end was not recorded: overwritten
            if stack:
                start = stack.pop()[2]
                out.append({"ph": "X", "name": SLICES[r.event](r),
                            "pid": pid, "tid": pid, "ts": start,
                            "dur": r.time - start, "args": {}})
    return out


# What an arrow goes through, in this order; each at most once.
STEPS = (("RAISED",), ("KERNEL_CLAIM", "CLAIM"), ("ENTER",), ("UART_IN",),
         ("READ",))


def ways(records):
    """The records that each device interrupt led to: [[record, ...], ...]."""
    done, open_ways = [], {}
    ordered = sorted((r for r in records if any(r.event in s for s in STEPS)),
                     key=event_time)
    for r in ordered:
        step = next(i for i, s in enumerate(STEPS) if r.event in s)
        if step <= 2:
            if r.a == 0 or r.a >> 32:
                continue           # not a device's
            way = open_ways.get(r.a)
            if way is None or way[-1][0] >= step:
                if way:
                    done.append(way)
                open_ways[r.a] = way = []
            way.append((step, r))
            continue
        # bytes belong to the interrupt that was served last before them
        waiting = [w for w in open_ways.values() if w[-1][0] < step
                   and (step == 3 or w[-1][0] == 3)]
        if waiting:
            max(waiting, key=lambda w: event_time(w[-1][1])).append((step, r))
    done += open_ways.values()
    return [[r for _, r in way] for way in done if len(way) > 1]


def arrows(records):
    """Flow events s, t.., f of each way."""
    out = []
    for number, way in enumerate(ways(records), 1):
        for i, r in enumerate(way):
            pid, tid = place(r)
            last = i == len(way) - 1
            flow = {"ph": "s" if i == 0 else "f" if last else "t",
                    "name": "interrupt", "cat": "flow", "id": number,
                    "pid": pid, "tid": tid, "ts": event_time(r)}
            if last:
                flow["bp"] = "e"
            out.append(flow)
    return out


def convert(records, names):
    """The trace as the object that json.dump writes."""
    first = min(event_time(r) for r in records)
    events = []
    harts = sorted({r.hart for r in records if r.hart is not None})
    pids = sorted({r.pid for r in records if r.pid is not None})
    for hart in harts:
        events += hart_track(hart, [r for r in records if r.hart == hart],
                             names)
    for pid in pids:
        events += handlers(pid, [r for r in records if r.pid == pid])
    for r in records:
        said = mark_text(r, names)
        if said:
            events.append(mark(r, *said))
    events += arrows(records)
    # A parent before its children where both begin at once.
    events.sort(key=lambda e: (e["ts"], -e.get("dur", 0)))
    for e in events:
        e["ts"] = (e["ts"] - first) / 1000
        if "dur" in e:
            e["dur"] /= 1000

    def meta(what, pid, tid, name):
        return {"ph": "M", "name": what, "pid": pid, "tid": tid, "ts": 0,
                "args": {"name": name}}
    about = [meta("process_name", MACHINE, 0, "Uinta")]
    about += [meta("thread_name", MACHINE, h, f"hart {h}") for h in harts]
    for pid in pids:
        about += [meta("process_name", pid, pid, names.get(pid, "?")),
                  meta("thread_name", pid, pid, names.get(pid, "?"))]
    return {"displayTimeUnit": "ns", "traceEvents": about + events}
