"""`make bench BENCH=uart`: the rows, and how each is run and turned to figures.

One row is one boot of /bench/uart on the native machine (QEMU of
tools/qemu/build, -icount shift=4: a 62.5 MIPS hart, 16 ns an instruction, all
harts together). The program prints raw counts as one line of JSON; figures()
makes rates and shares of them. Report and plots: uart_report.py, uart_plots.py.
"""
import concurrent.futures
import json
import os
import subprocess
import sys
import time
import zlib

from benches import uart_report

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
OUT = os.path.join(TOP, "build", "bench")
SECONDS = 120      # wall clock, of one boot
CAP = 1 << 20      # bytes of console output
NS_PER_INSTRUCTION = 16
TURN = 32  # instructions, see docs/benchmarks/uart.md
TURN = 32  # instructions, see docs/benchmarks/uart.md
BOOTS_MAX = 3      # two of them must be equal
FAST, SLOW = 6_250_000, 1_250_000
MS, QUICK_MS = 1000, 200   # guest time of a row
USER = ("interrupt", "async", "async-unbuffered")  # modes that take user interrupts
FIELDS = ("load", "mode", "flow", "delivery", "baud", "harts", "place")


def row(load, mode, flow, baud=FAST, harts=4, delivery="native",
        place="alone", batch=None):
    """A row to measure; delivery is that of modes that take user interrupts."""
    delivery = {"polling": "-", "kernel": "-", "notify": "notify"}.get(
        mode, delivery)
    return {"load": load, "mode": mode, "flow": flow, "delivery": delivery,
            "baud": baud, "harts": harts, "place": place, "batch": batch}


def plan_full():
    """All modes x flow controls x deliveries that make sense."""
    ways = [(mode, "v3", delivery) for mode in USER
            for delivery in ("native", "emulated")] + \
        [("polling", "v3", "-"), ("notify", "v3", "-"), ("kernel", "v2", "-")]
    rows = [row(load, mode, flow, delivery=delivery)
            for mode, flow, delivery in ways
            for load in ("simplex", "duplex")]
    rows += [row(load, mode, flow, SLOW, delivery=delivery)
             for mode, flow, delivery in ways for load in ("simplex", "duplex")]
    rows += [row("pingpong", mode, flow, delivery=delivery, batch=batch)
             for mode, flow, delivery in ways for batch in (1, 8, 16)]
    # a polling driver leaves its hart to nobody
    shared = [way for way in ways if way[0] != "polling"]
    rows += [row("duplex", mode, flow, harts=harts, delivery=delivery)
             for mode, flow, delivery in shared for harts in (1, 2)]
    rows += [row("duplex", mode, flow, SLOW, harts, delivery, "busy")
             for mode, flow, delivery in shared for harts in (1, 4)]
    rows += [row(load, mode, flow, delivery=delivery)
             for mode, flow, delivery in ways for load in ("checksum", "mix")]
    # every flow control, in the loads that the published figures have
    rows += [row(load, mode, flow) for mode in USER + ("polling",)
             for flow in ("none", "v1", "v2") for load in ("simplex", "duplex")]
    rows += [row(load, "kernel", "none", harts=1)
             for load in ("simplex", "duplex")]
    rows += [row("pingpong", USER[0], "v3", batch=batch)
             for batch in range(2, 16) if batch != 8]
    return rows


def plan_quick():
    """What CI measures: each mode and delivery once, and the main loads."""
    rows = [row(load, "interrupt", "v3") for load in ("simplex", "duplex")]
    rows += [row("duplex", mode, "v3")
             for mode in USER[1:] + ("polling", "notify")]
    rows += [row("duplex", "kernel", "v2", harts=1),
             row("duplex", "interrupt", "v3", SLOW),
             row("duplex", "interrupt", "v3", SLOW, 1, place="busy"),
             row("checksum", "interrupt", "v3"),
             row("mix", "interrupt", "v3"),
             row("pingpong", "interrupt", "v3", batch=8),
             row("simplex", "interrupt", "v2")]
    return rows


def name(spec):
    """One line for people."""
    return " ".join([spec["load"] + (f" {spec['batch']}" if spec.get("batch")
                                     else ""),
                     spec["mode"], spec["flow"], spec["delivery"],
                     f"{spec['baud'] / 1e6:g}M", f"{spec['harts']} hart"
                     + "s" * (spec["harts"] > 1)] +
                    ["beside a busy process"] * (spec["place"] == "busy"))


def key(spec):
    """What makes a row the same row in two tables."""
    return tuple(spec[field] for field in FIELDS) + (spec.get("batch"),)


def command(spec, milliseconds):
    words = [spec["load"], f"mode={spec['mode']}", f"flow={spec['flow']}",
             f"baud={spec['baud']}", f"place={spec['place']}",
             f"ms={milliseconds}"]
    if spec["batch"]:
        words.append(f"batch={spec['batch']}")
    kernel = "kernel-bench" if spec["mode"] == "kernel" else "kernel"
    # the harts have N; without it the firmware emulates it
    cpu = ["-cpu", "rv64,x-n=off"] if spec["delivery"] == "emulated" else []
    # QEMU runs the harts in turns, and one that never waits ends none
    if spec["mode"] == "polling" or \
            (spec["place"] == "busy" and spec["harts"] > 1):
        cpu += ["-accel", f"tcg,icount-turn={TURN}"]
    # QEMU runs the harts in turns, and one that never waits ends none
    if spec["mode"] == "polling" or \
            (spec["place"] == "busy" and spec["harts"] > 1):
        cpu += ["-accel", f"tcg,icount-turn={TURN}"]
    return [os.path.join(TOP, "tools/run-qemu"), "--machine", "native",
            "--smp", str(spec["harts"]), "--timeout", str(SECONDS),
            "--cap", str(CAP),
            "--kernel", os.path.join(TOP, f"build/kernel/{kernel}.elf"),
            "--append", "run=/bench/uart " + " ".join(words), "--", *cpu,
            "-icount", "shift=4,sleep=off",
            "-rtc", "base=2026-01-01,clock=vm"]


def run_raw(spec, milliseconds):
    """The program's line of one boot, or a sentence about why there is none."""
    done = subprocess.run(command(spec, milliseconds),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    output = done.stdout.decode(errors="replace")
    lines = [line for line in output.splitlines() if line.startswith("{")]
    said = [line for line in output.splitlines()
            if line.startswith(("uart:", "run:", "fault:", "panic"))]
    if done.returncode or "exited 0" not in output or len(lines) != 1:
        return None, "; ".join(said) or f"QEMU ended with {done.returncode}"
    raw = json.loads(lines[0])
    if raw["delivery"] != spec["delivery"]:
        return None, f"delivery is {raw['delivery']}, not {spec['delivery']}"
    return raw, ""


MASK = (1 << 64) - 1


def content_crc(sender, size):
    """CRC-32 of the first `size` bytes that an end sends, made anew here."""
    number = (sender + 1) << 48
    words = bytearray()
    for _ in range(size // 8):
        x = number * 0x9e3779b97f4a7c15 & MASK
        x ^= x >> 32
        words += (x * 0xd6e8feb86659fd93 & MASK).to_bytes(8, "little")
        number += 1
    return zlib.crc32(words)


def crc_wrong(raw):
    """Checksums that both clients and this program do not agree on."""
    bad = []
    for end, sender in (("a", 0), ("b", 1)):
        if f"crc_{end}" in raw:
            size, sent, received = raw[f"crc_{end}"]
            if not content_crc(sender, size) == sent == received:
                bad.append(f"{end}: sent {sent:08x}, received {received:08x}")
    return bad


def figures(spec, raw):
    """What is published of a row. Rates in bytes/s, shares of 1, times in ns."""
    wire = spec["baud"] / 10
    ns = raw["ns"]
    each = [raw["received"][1], raw["received"][0]]       # a to b, b to a
    spans = [raw["received_ns"][1], raw["received_ns"][0]]
    rates = [n * 1e9 / span if span else 0 for n, span in zip(each, spans)]
    total = sum(each)
    busy = [1 - idle / ns for idle in raw["idle"]]
    drivers = busy[:1] if spec["harts"] == 1 else busy[:2]
    out = {field: spec[field] for field in FIELDS}
    out.update({
        "batch": spec["batch"], "ms": round(ns / 1e6),
        "rate": [round(rate) for rate in rates],
        "share": [round(rate / wire, 4) for rate in rates],
        "lost": sum(raw["lost"]), "wrong": sum(raw["wrong"]),
        "bytes": each,
        "interrupts_per_kb": round(
            sum(raw["interrupts"]) * 1024 / total, 1) if total else None,
        "busy": round(max(drivers), 4), "harts_busy": [round(b, 4) for b in busy],
        "instructions_per_byte": round(
            sum(busy) * ns / NS_PER_INSTRUCTION / total, 1) if total else None,
    })
    if spec["place"] == "busy":
        out["left_to_busy"] = round(max(raw["busy"]) / ns, 4)
    if "quantiles" in raw:
        out["samples"] = raw["samples"]
        out["quantiles"] = raw["quantiles"]
        at = dict(map(tuple, raw["quantiles"]))
        # a round trip is two ways, and the wire has its part of each
        halves = 2 if spec["load"] == "pingpong" else 1
        wire_ns = (spec["batch"] or 0) * 1e9 / wire
        out["latency_ns"] = {
            label: round(at[permille] / halves - wire_ns)
            for label, permille in
            (("median", 500), ("p99", 990), ("max", 1000))}
    if "counters" in raw:
        out["counters"] = raw["counters"]
    return out


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


def run(spec, milliseconds, twice):
    """Figures of a row; "error" in their place if it did not work."""
    raw, why = run_raw(spec, milliseconds)
    failed = {**spec, "error": why}
    if raw is None:
        return failed
    boots = [raw]
    while twice:
        again, why = run_raw(spec, milliseconds)
        if again is None:
            return {**failed, "error": why}
        same = [old for old in boots if not differences(old, again)]
        boots.append(again)
        if same:
            raw = same[0]
            break
        if len(boots) == BOOTS_MAX:
            return {**failed, "error": f"{BOOTS_MAX} boots all differ: " +
                    differences(raw, again)}
    bad = crc_wrong(raw)
    if bad:
        return {**failed, "error": "checksum differs: " + "; ".join(bad)}
    return {**figures(spec, raw), "boots": len(boots)}


def save(results, path):
    """What there is so far: a run that is interrupted leaves it."""
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(r) for r in results if r)
                   + "\n]\n")


def measure(rows, milliseconds, twice, jobs, path):
    """All rows, telling on stderr how far it is."""
    start = time.monotonic()
    results = [None] * len(rows)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(run, spec, milliseconds, twice): i
                   for i, spec in enumerate(rows)}
        for done, future in enumerate(
                concurrent.futures.as_completed(futures), 1):
            i = futures[future]
            results[i] = future.result()
            save(results, path)
            print(f"[{done}/{len(rows)} {time.monotonic() - start:.0f} s] "
                  f"{name(rows[i])}: {uart_report.short(results[i])}",
                  file=sys.stderr, flush=True)
    return results


def main(quick, only="", jobs=0):
    """Called by tools/bench. Exit status 1 if a row failed."""
    rows = [spec for spec in (plan_quick() if quick else plan_full())
            if only in name(spec)]
    if not rows:
        sys.exit(f"bench: no row has '{only}' in its name")
    os.makedirs(OUT, exist_ok=True)
    milliseconds = QUICK_MS if quick else MS
    print(f"{len(rows)} rows of {milliseconds} ms of guest time"
          + (", each booted twice" if quick else ""), file=sys.stderr)
    path = os.path.join(OUT, "uart-quick.json" if quick else "uart.json")
    results = measure(rows, milliseconds, quick, jobs or os.cpu_count() or 1,
                      path)
    uart_report.print_table(results)
    errors = [r for r in results if "error" in r]
    if quick and not errors:
        more = sum(r["boots"] > 2 for r in results)
        print("two boots of each row gave exactly the same numbers"
              + (f"; {more} took a third boot" if more else ""))
    print(f"wrote {os.path.relpath(path)}")
    if not quick and not only:
        from benches import uart_plots
        uart_plots.draw(results, OUT)
    if errors:
        sys.exit(f"bench: {len(errors)} of {len(results)} rows failed")
