"""`make bench BENCH=uart`: how each row is run and turned to figures.

One row is one boot of /bench/uart on the native machine (QEMU of
tools/qemu/build, -icount shift=4: a 62.5 MIPS hart, 16 ns an instruction, all
harts together). The program prints raw counts as one line of JSON; figures()
makes rates and shares of them. The rows: uart_plan.py; latencies: uart_line.py;
report and plots: uart_report.py, uart_plots.py.
"""
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

from benches import uart_line, uart_plots, uart_report
from benches.uart_plan import FIELDS, key, name, plan_full, plan_quick

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(TOP, "build", "bench")
SECONDS = 120      # wall clock, of one boot
CAP = 4 << 20      # bytes of console output
NS_PER_INSTRUCTION = 16
BOOTS_MAX = 3      # two of them must be equal
MS, QUICK_MS = 1000, 200   # guest time of a row
# How much later one end starts, ns: what two ends do to each other hangs on it,
# by chance. The quick figures are of 0 and these.
PHASES = (7_000, 23_000, 104_000, 250_000)
HIGH_IS_GOOD = ("rate", "share", "left_to_busy")
LOW_IS_GOOD = ("busy", "harts_busy", "interrupts_per_kb",
               "instructions_per_byte", "line_ns", "way_ns")
ENDS = ("a", "b")


def command(spec, milliseconds, folder, phase=0):
    """
    The boot of a row. QEMU writes when bytes arrive into files in that folder.
    phase: ns by which one end starts later.
    """
    words = [spec["load"], f"mode={spec['mode']}", f"flow={spec['flow']}",
             f"baud={spec['baud']}", f"place={spec['place']}",
             f"ms={milliseconds}"]
    words += [f"{option}={spec[option]}" for option in ("batch", "gather")
              if spec[option]] + ([f"phase={phase}"] if phase else [])
    kernel = "kernel-bench" if spec["mode"] == "kernel" else "kernel"
    # the harts have N; without it the firmware emulates it
    more = ["-cpu", "rv64,x-n=off"] if spec["delivery"] == "emulated" else []
    if spec["turn"]:
        more += ["-accel", f"tcg,icount-turn={spec['turn']}"]
    return [os.path.join(TOP, "tools/run-qemu"), "--machine", "native",
            "--smp", str(spec["harts"]), "--timeout", str(SECONDS),
            "--cap", str(CAP),
            "--kernel", os.path.join(TOP, f"build/kernel/{kernel}.elf"),
            "--append", "run=/bench/uart " + " ".join(words), "--", *more,
            "-global", f"uart16550.arrivals={folder}/arrivals",
            "-icount", "shift=4,sleep=off",
            "-rtc", "base=2026-01-01,clock=vm"]


class Boots:
    """The boots that run now: all end when the measurement is interrupted."""

    def __init__(self):
        self.lock = threading.Lock()
        self.running = set()
        self.stopped = False

    def run(self, words):
        """(exit status, output); a session of its own, so ^C is ours."""
        with self.lock:
            if self.stopped:
                return -1, ""
            # pylint: disable=consider-using-with
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT, start_new_session=True)
            self.running.add(process)
        output = process.communicate()[0].decode(errors="replace")
        with self.lock:
            self.running.remove(process)
        return process.returncode, output

    def stop(self):
        """No more boots."""
        with self.lock:
            self.stopped = True
            for process in self.running:
                try:
                    os.killpg(process.pid, signal.SIGTERM)
                except ProcessLookupError:
                    pass  # it has ended just now


BOOTS = Boots()


def why_failed(status, output):
    """What a boot without a result said last."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines
            if line.startswith(("uart:", "run:", "fault:", "panic"))]
    if status == 124:
        said.insert(0, f"not at its end after {SECONDS} s")
    return "; ".join(said) or f"QEMU ended with {status}" + \
        (f": {lines[-1]}" if lines else "")


def run_raw(spec, milliseconds, phase=0):
    """The program's line of one boot, or a sentence about why there is none."""
    with tempfile.TemporaryDirectory(prefix="uinta-bench-") as folder:
        status, output = BOOTS.run(
            command(spec, milliseconds, folder, phase))
        lines = [line for line in output.splitlines() if line.startswith("{")]
        if status or "exited 0" not in output or len(lines) != 1:
            return None, why_failed(status, output)
        raw = json.loads(lines[0])
        if raw["delivery"] != spec["delivery"]:
            return None, f"delivery is {raw['delivery']}, " \
                f"not {spec['delivery']}"
        found, why = uart_line.measure(folder, output, raw["taken"],
                                       spec["load"] == "mix")
        raw.update(found or {"line": None})
    if why and sessions(raw):
        why = ""  # the drivers' own messages are among what came
    return (None, why) if why else (raw, "")


def sessions(raw):
    """How often the drivers began anew while it ran, v3."""
    return sum(raw.get(f"counters_{end}", {}).get("sessions", 0)
               for end in ENDS)


def crc_wrong(raw):
    """Checksums that both clients and this program do not agree on."""
    bad = []
    for sender, end in enumerate(ENDS):
        if f"crc_{end}" in raw:
            size, sent, received = raw[f"crc_{end}"]
            if not uart_line.content_crc(sender, size) == sent == received:
                bad.append(f"{end}: sent {sent:08x}, received {received:08x}")
    return bad


def latency(quantiles, scale=1, less=0):
    """Median, p99 and maximum of quantiles, in ns."""
    at = dict(map(tuple, quantiles))
    return {label: round(at[permille] / scale - less) for label, permille in
            (("median", 500), ("p99", 990), ("max", 1000))}


def problem(spec, raw, out):
    """
    What must not be, though there are figures; or None. Without flow control
    bytes may be lost: that is its figure.
    """
    found = []
    for sender, end in enumerate(ENDS):
        if raw["sent"][sender] and not out["rate"][sender]:
            found.append(f"nothing came from {end}")
    if spec["flow"] != "none":
        found += [f"{out[what]} bytes {what}" for what in ("lost", "wrong")
                  if out[what]]
    for i, end in enumerate(ENDS):
        driver = raw.get(f"counters_{end}", {}).get("bytes_in", raw["taken"][i])
        if driver != raw["taken"][i]:
            found.append(f"driver {end} has received {driver} bytes, its "
                         f"client {raw['taken'][i]}")
    bad = crc_wrong(raw)
    if bad:
        found.append("checksum differs: " + "; ".join(bad))
    return ", ".join(found) or None


def figures(spec, raw):
    """What is published of a row. Rates in bytes/s, shares of 1, times in ns."""
    wire = spec["baud"] / 10
    ns = raw["ns"]
    each = [raw["received"][1], raw["received"][0]]       # a to b, b to a
    spans = [raw["received_ns"][1], raw["received_ns"][0]]
    rates = [n * 1e9 / span if span else 0 for n, span in zip(each, spans)]
    if "came" in raw and not any(raw["lost"] + raw["wrong"]):
        # to the byte; by the client's clock it is to what it takes at once
        rates = [it[0] * 1e9 / it[1] if it else rate
                 for it, rate in zip(raw["came"][::-1], rates)]
    total = sum(each)
    busy = [1 - idle / ns for idle in raw["idle"]]
    drivers = busy[:1] if spec["harts"] == 1 else busy[:2]
    worked = sum(busy) * ns / NS_PER_INSTRUCTION
    if spec["place"] == "busy":  # nobody sleeps: an instruction is its time
        worked = ns / NS_PER_INSTRUCTION - raw["computed"]
    out = {field: spec[field] for field in FIELDS}
    out.update({
        "ms": round(ns / 1e6),
        "rate": [round(rate) for rate in rates],
        "share": [round(rate / wire, 4) for rate in rates],
        "lost": sum(raw["lost"]), "wrong": sum(raw["wrong"]),
        "bytes": each,
        "interrupts_per_kb": round(
            sum(raw["interrupts"]) * 1024 / total, 1) if total else None,
        "busy": round(max(drivers), 4), "harts_busy": [round(b, 4) for b in busy],
        "instructions_per_byte": round(worked / total, 1) if total else None,
    })
    if spec["place"] == "busy":
        out["left_to_busy"] = round(
            raw["computed"] * NS_PER_INSTRUCTION / ns, 4)
    if raw["line"]:
        out["line"] = raw["line"]
        out["line_ns"] = latency(raw["line"]["quantiles"])
    if "quantiles" in raw:
        out["way"] = {field: raw[field] for field in ("samples", "quantiles")}
        # a round trip is two ways, and the wire has its part of each
        out["way_ns"] = latency(
            raw["quantiles"], 2 if spec["load"] == "pingpong" else 1,
            (spec["batch"] or 0) * 1e9 / wire)
    for end in ENDS:
        if f"counters_{end}" in raw:
            out[f"counters_{end}"] = raw[f"counters_{end}"]
    wrong = problem(spec, raw, out)
    return {**out, "problem": wrong} if wrong else out


def differences(raw, again):
    """
    Names of the fields in which two boots differ. Idle time may, by a
    thousandth: if QEMU's main loop looks at the clock between a wfi and the
    account of the instructions before it, a wake-up is noted these too late.
    """
    def same(field):
        if field != "idle" or field not in again:
            return raw[field] == again.get(field)
        return all(abs(a - b) < raw["ns"] / 1000
                   for a, b in zip(raw[field], again[field]))
    return ", ".join(field for field in raw if not same(field))


def repeated(spec, milliseconds):
    """(what two boots agree on, how many it took), or (None, why not)."""
    boots = []
    while len(boots) < BOOTS_MAX:
        again, why = run_raw(spec, milliseconds)
        if again is None:
            return None, why
        if any(not differences(old, again) for old in boots):
            return again, len(boots) + 1
        boots.append(again)
    return None, f"{BOOTS_MAX} boots all differ: " + differences(*boots[-2:])


def middle(values):
    """The median."""
    return sorted(values)[len(values) // 2]


def of_each(choose, values):
    """`choose` of numbers; of lists and dictionaries, of each of theirs."""
    first = values[0]
    if isinstance(first, dict):
        return {k: of_each(choose, [v[k] for v in values]) for k in first}
    if isinstance(first, list):
        return [of_each(choose, list(each)) for each in zip(*values)]
    return choose(values) if None not in values else None


def together(rows):
    """
    One row of several that differ in phase: the median of every figure, and
    the worst of each beside it; any byte lost and any problem counts.
    """
    def phased(choose, fields):
        return {field: of_each(choose, [r[field] for r in rows])
                for field in fields if all(field in r for r in rows)}
    out = {**rows[0], **phased(middle, HIGH_IS_GOOD + LOW_IS_GOOD)}
    out["worst"] = {**phased(min, HIGH_IS_GOOD), **phased(max, LOW_IS_GOOD)}
    for field in ("lost", "wrong"):
        out[field] = sum(r[field] for r in rows)
    problems = [r["problem"] for r in rows if "problem" in r]
    return {**out, "problem": problems[0]} if problems else out


def run(spec, milliseconds, quick):
    """Figures of a row; "error" in their place if it did not work."""
    raw, boots = repeated(spec, milliseconds) if quick else (
        run_raw(spec, milliseconds))
    if raw is None:
        return {**spec, "error": boots}
    rows = [figures(spec, raw)]
    for phase in PHASES if quick else ():
        raw, why = run_raw(spec, milliseconds, phase)
        if raw is None:
            return {**spec, "error": why}
        rows.append(figures(spec, raw))
    return {**together(rows), "boots": boots} if quick else rows[0]


def commit():
    """What is measured: a commit's name, with a + if files differ from it."""
    def git(*words):
        done = subprocess.run(["git", "-C", TOP, *words], text=True,
                              capture_output=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else ""
    changed = git("status", "--porcelain", "--untracked-files=no", "--",
                  "kernel", "user", "sbi", "abi", "tools")
    return (git("rev-parse", "--short=10", "HEAD") or "unknown") + \
        ("+" if changed else "")


def load(path):
    """The rows of a file by their key; none if there is none."""
    if not os.path.exists(path):
        return {}
    try:
        with open(path, encoding="utf-8") as file:
            return {key(row): row for row in json.load(file)}
    except (ValueError, AttributeError, TypeError):
        sys.exit(f"bench: {os.path.relpath(path)} is not a table that "
                 "tools/bench wrote: remove it, and measure all rows")


def save(results, plan, path):
    """What there is so far, in the plan's order."""
    rows = [results[key(spec)] for spec in plan if key(spec) in results]
    try:
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write("[\n" + ",\n".join(json.dumps(r) for r in rows)
                       + "\n]\n")
        os.replace(path + ".new", path)
    except OSError as error:
        sys.exit(f"bench: cannot write {os.path.relpath(path)}: "
                 f"{error.strerror}; it has the rows before this one, and "
                 "--rest does the others")


def as_done(futures, stopped):
    """
    These futures as they come to their ends, until `stopped` is set: a signal
    comes at any instruction of Python's own locks, where nothing may be raised.
    """
    while futures and not stopped.is_set():
        ended, futures = concurrent.futures.wait(
            futures, 0.2, concurrent.futures.FIRST_COMPLETED)
        yield from ended


def measure(rows, one, jobs, done):
    """
    one(spec) of all rows, telling on stderr how far it is; done(spec, result)
    after each. False: interrupted.
    """
    start = time.monotonic()
    stopped = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopped.set())
              for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
            futures = {pool.submit(one, spec): spec for spec in rows}
            try:
                for count, future in enumerate(as_done(set(futures), stopped), 1):
                    spec, result = futures[future], future.result()
                    done(spec, result)
                    print(f"[{count}/{len(rows)} "
                          f"{time.monotonic() - start:.0f} s] {name(spec)}: "
                          f"{uart_report.short(result)}",
                          file=sys.stderr, flush=True)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
                BOOTS.stop()
                for number, handler in before.items():
                    signal.signal(number, handler)
    finally:
        BOOTS.stopped = False  # by now all have ended
    return not stopped.is_set()


def check_machine():
    """Before a hundred rows fail of the same cause."""
    done = subprocess.run([os.path.join(TOP, "tools/qemu/build"), "--path"],
                          text=True, capture_output=True, check=False)
    if done.returncode and not os.environ.get("QEMU"):
        sys.exit("bench: uart runs on the native machine, whose QEMU is "
                 f"missing: {done.stderr.strip()}")


def choose(plan, quick, only, rest):
    """Which rows to measure, and those of earlier runs that stay."""
    path = os.path.join(OUT, "uart-quick.json" if quick else "uart.json")
    rows = [spec for spec in plan if only in name(spec)]
    if not rows:
        sys.exit(f"bench: no row has '{only}' in its name; a name is such as "
                 f"'{name(plan[0])}'")
    old = load(path) if only or rest else {}
    if rest:
        rows = [spec for spec in rows if "error" in old.get(
            key(spec), {"error": ""})]
        if not rows:
            sys.exit(f"bench: {os.path.relpath(path)} has all these rows")
    return path, rows, old


def finish(results, rows, quick, path, whole):
    """Says how it went; exit status 1 if a row failed, 130 if not `whole`."""
    fresh = [results[key(spec)] for spec in rows if key(spec) in results]
    uart_report.print_table(fresh)
    bad = [r for r in fresh if "error" in r or "problem" in r]
    for r in bad:
        print(f"failed: {name(r)}: {r.get('error') or r['problem']}")
    if quick and whole and not any("error" in r for r in fresh):
        more = sum(r["boots"] > 2 for r in fresh)
        print("two boots of each row gave exactly the same numbers"
              + (f"; {more} took a third boot" if more else ""))
    print(f"wrote {os.path.relpath(path)}")
    if not whole:
        print(f"bench: interrupted: {len(fresh)} of {len(rows)} rows are "
              "measured and kept; tools/bench "
              f"{'--quick ' if quick else ''}--rest uart does the others",
              file=sys.stderr)
        sys.exit(130)
    if not quick:
        uart_report.print_summary(list(results.values()))
        uart_plots.draw(list(results.values()), OUT)
    if bad:
        sys.exit(f"bench: {len(bad)} of {len(fresh)} rows failed")


def main(quick=False, only="", rest=False, jobs=0):
    """Called by tools/bench. Exit status 1 if a row failed."""
    check_machine()
    if not quick:
        uart_plots.check()
    os.makedirs(OUT, exist_ok=True)
    plan = plan_quick() if quick else plan_full()
    path, rows, results = choose(plan, quick, only, rest)
    milliseconds = QUICK_MS if quick else MS
    print(f"{len(rows)} rows of {milliseconds} ms of guest time"
          + (", each booted twice, and in four other phases" if quick else ""),
          file=sys.stderr)
    of = commit()

    def one(spec):
        return run(spec, milliseconds, quick)

    def done(spec, result):
        results[key(spec)] = {**result, "commit": of}
        save(results, plan, path)

    whole = measure(rows, one, jobs or os.cpu_count() or 1, done)
    finish(results, rows, quick, path, whole)
