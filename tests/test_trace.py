"""make trace: nothing when off, few instructions when on, and what it tells."""
import collections
import json
import re
import struct
import subprocess
import sys

import pytest

from harness.machine import MACHINES, TOP

sys.path.insert(0, str(TOP / "tools"))
from tracing import chrome, records  # noqa: E402

SECONDS = 100
BYTES = 16          # of /trace/byte
LIMIT = 30          # instructions a record
NS = 16             # an instruction, -icount shift=4
SOURCE = 13         # of the UART that /trace/byte reads
MODES = {"native": ("interrupt", []), "emulated": ("interrupt", ["--emulate"]),
         "notify": ("notify", [])}
native = pytest.mark.skipif("native" not in MACHINES,
                            reason="no native machine here")


def tool(program, *arguments):
    return subprocess.run(
        [f"riscv64-unknown-elf-{program}", *map(str, arguments)], check=True,
        text=True, capture_output=True).stdout


def trace(*arguments):
    return subprocess.run(
        [str(TOP / "tools/trace"), *map(str, arguments)], cwd=TOP, text=True,
        capture_output=True, timeout=2 * SECONDS, stdin=subprocess.DEVNULL,
        check=False)


# -- off ---------------------------------------------------------------------

def test_off_there_is_nothing_of_it():
    """Neither in the kernel nor in any program of the normal build."""
    elves = [TOP / "build/kernel/kernel.elf",
             *(TOP / "build/user").glob("*/*.elf")]
    assert len(elves) > 20
    for elf in elves:
        assert "trace_" not in tool("nm", elf), elf


def test_off_the_macro_evaluates_nothing(tmp_path):
    """The same instructions with TRACE() as without, side effects and all."""
    texts = []
    for name, body in (("with", "TRACE(TRACE_USER, f(), x++);"), ("without", "")):
        source = tmp_path / f"{name}.c"
        source.write_text("#include <uinta/trace.h>\nlong f(void);\n"
                          f"long g(long x) {{ {body} return x; }}\n")
        tool("gcc", "-O2", "-march=rv64imac", "-mabi=lp64", "-I", TOP,
             "-I", TOP / "user/lib/include", "-c", source, "-o",
             tmp_path / "object.o")
        texts.append(tool("objdump", "-d", tmp_path / "object.o"))
    assert texts[0] == texts[1]


# -- on: what a record costs ---------------------------------------------------

def cost(kernel):
    """What /trace/cost prints, ns."""
    done = subprocess.run(
        [str(TOP / "tools/run-qemu"), "--machine", "stock", "--smp", "1",
         "--timeout", str(SECONDS), "--icount", "4", "--kernel", kernel,
         "--initrd", str(TOP / "build/trace/boot.cpio"),
         "--append", "run=/trace/cost", "--", "-rtc", "clock=vm"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        check=False)
    return {word: int(n) for word, n in
            re.findall(r"^(record|null) (\d+)", done.stdout, re.MULTILINE)}


def test_cost_of_a_record():
    on = cost(str(TOP / "build/trace/kernel.elf"))
    off = cost(str(TOP / "build/kernel/kernel.elf"))
    assert 0 < on["record"] < LIMIT * NS
    assert 0 < (on["null"] - off["null"]) / 2 < LIMIT * NS


def test_no_kernel_record_is_longer():
    """Each wrapper with its record, of its own and of what it calls through."""
    code = tool("objdump", "-d", TOP / "build/trace/kernel.elf")
    sizes, name = {}, None
    for line in code.splitlines():
        heading = re.match(r"^\w+ <(\w+)>:$", line)
        if heading:
            name = heading[1]
        elif name and re.match(r"^\w+:\t", line):
            sizes[name] = sizes.get(name, 0) + 1
    wrappers = {n: size for n, size in sizes.items() if n.startswith("__wrap_")}
    assert len(wrappers) >= 11
    two = {"__wrap_sched_resume", "__wrap_uintr_nap", "trace_syscall"}
    del wrappers["__wrap_irq_init"]        # boot
    wrappers["__wrap_plic_claim"] -= 3     # its way out without a record
    wrappers["trace_syscall"] = sizes["trace_syscall"]
    assert {n: size for n, size in wrappers.items()
            if size > LIMIT * (2 if n in two else 1)} == {}


# -- on: what it tells ---------------------------------------------------------

@pytest.fixture(scope="module", params=MODES)
def run(request, tmp_path_factory):
    """(delivery, the JSON of a run of /trace/byte)."""
    if "native" not in MACHINES:
        pytest.skip("no native machine here")
    mode, more = MODES[request.param]
    out = tmp_path_factory.mktemp("trace") / "trace.json"
    done = trace("--smp", 2, "--timeout", SECONDS, "--out", out, *more,
                 "--append", f"run=/trace/byte mode={mode} bytes={BYTES}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"byte: {BYTES} bytes" in done.stdout
    with open(out, encoding="utf-8") as file:
        return request.param, json.load(file)


def check_format(document):
    """The rules of the Chrome trace format for what we write."""
    assert document["displayTimeUnit"] == "ns"
    flows, slices, last = {}, {}, 0
    for e in document["traceEvents"]:
        assert e["ph"] in "MXstf" and e["name"], e
        assert isinstance(e["pid"], int) and isinstance(e["tid"], int)
        assert e["ts"] >= last or e["ph"] == "M", "sorted by time"
        last = e["ts"]
        track = (e["pid"], e["tid"])
        if e["ph"] == "M":
            assert e["name"] in ("process_name", "thread_name")
            assert isinstance(e["args"]["name"], str)
        elif e["ph"] == "X":
            assert e["dur"] >= 0 and isinstance(e["args"], dict)
            slices.setdefault(track, []).append((e["ts"], e["ts"] + e["dur"]))
        else:
            flows.setdefault(e["id"], []).append(e)
    for flow in flows.values():
        kinds = "".join(e["ph"] for e in flow)
        assert re.fullmatch("st*f", kinds), kinds
        for e in flow:            # an arrow begins and ends at a slice
            assert any(a <= e["ts"] <= b
                       for a, b in slices[e["pid"], e["tid"]]), e
    return flows


@native
def test_is_what_the_viewers_read(run):
    delivery, document = run
    flows = check_format(document)
    names = {e["args"]["name"] for e in document["traceEvents"]
             if e["ph"] == "M"}
    assert {"Uinta", "hart 0", "hart 1", "byte", "uart"} <= names
    assert len(flows) >= BYTES
    texts = {e["name"] for e in document["traceEvents"] if e["ph"] == "X"}
    expected = {"idle", "rings doorbell", "ring empty", "reads 1 bytes",
                "1 bytes from the FIFO", "kernel: doorbell_ring",
                f"device raises source {SOURCE}"}
    if delivery == "notify":
        expected |= {f"kernel claims source {SOURCE}", "kernel rings"}
    else:
        expected |= {f"handler: source {SOURCE}", f"claims source {SOURCE}",
                     f"completes source {SOURCE}"}
    assert expected <= texts, expected - texts


@native
def test_a_byte_goes_the_way_of_its_delivery(run):
    """From raise to reader, each byte: through the kernel only with notify."""
    delivery, document = run
    cats = {}
    for e in document["traceEvents"]:
        if e["ph"] == "X" and "cat" in e:
            cats.setdefault((e["ts"], e["pid"], e["tid"]), set()).add(e["cat"])
    flows = {}
    for e in document["traceEvents"]:
        if e["ph"] in "stf":
            flows.setdefault(e["id"], []).append(
                (cats.get((e["ts"], e["pid"], e["tid"]), set()), e["ts"]))
    ways = [w for w in flows.values() if "raised" in w[0][0]]
    assert len(ways) == BYTES
    for way in ways:
        middle = set.union(*(cat for cat, _ in way[1:-1]))
        assert "read" in way[-1][0], way
        assert ("kernel_claim" in middle) == (delivery == "notify"), way
        assert ("claim" in middle) == (delivery != "notify"), way
        assert "uart_in" in middle


def inside(events, outer):
    """Those that begin in the slice, on its track."""
    end = outer["ts"] + outer["dur"]
    return [e for e in events if (e["pid"], e["tid"]) ==
            (outer["pid"], outer["tid"]) and outer["ts"] <= e["ts"] <= end]


@native
@pytest.mark.parametrize("mode", ("async", "async-unbuffered"))
def test_a_task_hands_each_byte_on(mode, tmp_path):
    """The handler takes it and wakes a task, the task rings the client."""
    out = tmp_path / "trace.json"
    done = trace("--smp", 2, "--timeout", SECONDS, "--out", out,
                 "--append", f"run=/trace/byte mode={mode} bytes={BYTES}")
    assert done.returncode == 0, done.stdout + done.stderr
    with open(out, encoding="utf-8") as file:
        document = json.load(file)
    check_format(document)
    slices = [e for e in document["traceEvents"] if e["ph"] == "X"]
    raises = [e["ts"] for e in slices if e.get("cat") == "raised"]
    reads = [e["ts"] for e in slices if e.get("cat") == "read"]
    assert len(raises) == len(reads) == BYTES
    for start, end in zip(raises, reads):
        way = [e for e in slices if start <= e["ts"] <= end]
        handler = next(e for e in way
                       if e["name"] == f"handler: source {SOURCE}")
        cats = [e.get("cat") for e in inside(way, handler)]
        assert cats.index("uart_in") < cats.index("task_ready"), cats
        assert "doorbell" not in cats
        woken = next(e for e in way if e.get("cat") == "task_ready")
        tasks = [e for e in way if e["name"] in
                 {f"task {n}" for n in woken["args"]["tasks"].split(", ")}]
        assert tasks and all(t["ts"] > handler["ts"] for t in tasks)
        cats = [e.get("cat") for e in inside(way, tasks[0])]
        assert "doorbell" in cats, cats
        assert ("copied" in cats) == (mode == "async"), cats
        if mode == "async":
            assert cats.index("copied") < cats.index("doorbell")
        completes = next(e for e in way if e.get("cat") == "complete")
        assert handler["ts"] + handler["dur"] <= completes["ts"]


@native
@pytest.mark.parametrize("word,why", [
    ("mode=warp", "--mode=warp: not one of: polling, interrupt, async, "
     "async-unbuffered, notify"),
    ("mode=polling", "a polling driver leaves its hart to nobody"),
    ("byte=3", "'byte=3' is not known; there are mode=M and bytes=N"),
    ("bytes=3x", "'bytes=3x' is not known; there are mode=M and bytes=N")])
def test_what_cannot_be_traced_is_refused(word, why, tmp_path):
    done = trace("--smp", 1, "--timeout", SECONDS, "--out", tmp_path / "t",
                 "--append", f"run=/trace/byte {word}")
    assert f"byte: {why}" in done.stdout
    assert "run: /trace/byte: exited 2" in done.stdout and done.returncode == 2


@native
def test_every_remedy_claims_and_completes():
    """/bench/micro has drivers with the retry loop and the restartable
    sequence: each handler between its claim and its completion, once."""
    done = trace("--smp", 1, "--icount", 0, "--timeout", SECONDS, "--text",
                 "--append", "run=/bench/micro")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    ways = {}
    for pid, event, source in re.findall(
            r"^\d+ pid (\d+) (CLAIM|ENTER|EXIT|COMPLETE) (0x[1-9a-f]\w*) ",
            done.stdout, re.MULTILINE):
        if int(source, 16) < 1024:      # not the timer
            ways.setdefault((pid, source), []).append(event)
    whole = ["CLAIM", "ENTER", "EXIT", "COMPLETE"]
    for events in ways.values():
        first = events.index("CLAIM")
        for i, event in enumerate(events[first:]):
            assert event == whole[i % 4], (i, events[first:][i - 4:i + 4])
    assert max(map(len, ways.values())) > 4 * 3000


def text_of(words):
    """(records as tools/trace prints them, the row) of /bench/uart: so short
    that no ring is full."""
    done = trace("--smp", 1, "--timeout", SECONDS, "--text", "--append",
                 f"run=/bench/uart simplex baud=1250000 ms=5 {words}")
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    found = re.findall(r"^\d+ (hart|pid) (\d+) ([A-Z_]+) (\w+) (\w+)$",
                       done.stdout, re.MULTILINE)
    return found, json.loads(re.search(r"^{.*}$", done.stdout,
                                       re.MULTILINE)[0])


@native
def test_every_event_is_recorded():
    """Drivers that share their hart, by user interrupts and without."""
    seen = set()
    for words in ("mode=async flow=v3 place=busy", "mode=notify flow=v3"):
        found, row = text_of(words)
        count = collections.Counter(event for _, _, event, _, _ in found)
        seen |= set(count)
        assert count["ENTER"] == count["EXIT"]
        assert count["TASK_RUN"] == count["TASK_STOP"]
        assert 0 <= count["SYSCALL"] - count["SYSCALL_DONE"] <= len(
            {n for kind, n, _, _, _ in found if kind == "pid"}), "one waits"
        # not a byte of which no record tells, and none of which two do
        for event, moved in (("UART_IN", row["counters_b"]["bytes_in"]),
                             ("UART_OUT", row["counters_a"]["bytes_out"])):
            sums = collections.Counter()
            for _, pid, what, _, b in found:
                if what == event:
                    sums[pid] += int(b, 16)
            assert moved in sums.values(), (event, moved, sums)
    # what only /trace/byte has, above, and programs under study
    assert set(records.NAMES.values()) - {"RAISED", "READ", "USER"} \
        - seen == set()


# -- bad input -----------------------------------------------------------------

def memory(size=1 << 22):
    """A machine's memory with nothing in it, and where its table is."""
    return bytearray(size), records.RAM_BASE + 4096


def put_ring(ram, at, base, pid, name):
    struct.pack_into("<QQ16s", ram, at - records.RAM_BASE, base, pid, name)


def test_what_programs_wrote_is_only_data():
    """Torn and impossible records are left out; nothing else is believed."""
    ram, table = memory()
    base = records.RAM_BASE + (1 << 20)
    put_ring(ram, table, base, 7, b"liar")
    good = records.C["USER"]
    for i, record in enumerate([(5, 0, 1, 2), (9, good, 1, 2),
                                (2**64 - 1, 2**63, 0, 0), (7, good, 3, 4)]):
        struct.pack_into("<4Q", ram, (1 << 20) + 32 * i, *record)
    found, names, full = records.parse(bytes(ram), table)
    assert [(r.time, r.a) for r in found] == [(7, 3), (9, 1)]
    assert names == {7: "liar"} and full == []
    check_format(chrome.convert(found, names))


def test_a_full_ring_is_said():
    ram, table = memory()
    base = records.RAM_BASE + (1 << 20)
    put_ring(ram, table, base, 0, b"")
    count = records.C["RING_SIZE"] // 32
    ram[1 << 20:(1 << 20) + count * 32] = \
        struct.pack("<4Q", 1, records.C["IDLE"], 0, 0) * count
    assert records.parse(bytes(ram), table)[2] == ["hart 0"]


def test_memory_of_another_run_is_refused():
    ram, table = memory()
    with pytest.raises(records.TraceError, match="no records"):
        records.parse(bytes(ram), table)
    put_ring(ram, table, 1 << 60, 0, b"")
    with pytest.raises(records.TraceError, match="is not in memory"):
        records.parse(bytes(ram), table)


def test_an_untraced_kernel_is_refused(tmp_path):
    (tmp_path / "ram").write_bytes(b"")
    done = trace("--memory", tmp_path / "ram", "--kernel",
                 TOP / "build/kernel/kernel.elf")
    assert done.returncode == 1
    assert "no trace_table" in done.stderr and "make traced" in done.stderr


def test_event_numbers_are_different():
    assert len(records.NAMES) == len(records.C) - len(records.LAYOUT)
    assert 0 not in records.NAMES
