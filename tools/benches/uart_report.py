"""The UART benchmark's figures as a table, for people and for docs."""
import json
import os
import shutil
import sys

HEADING = ("load", "mode", "flow", "delivery", "Mbaud", "harts", "KB/s a>b",
           "KB/s b>a", "% wire", "lost", "wrong", "irq/KB", "% busy", "instr/B",
           "median us", "p99 us", "max us")
TEXT = 4  # columns that stand left


def percent(share):
    return f"{share * 100:.1f}"


def short(result):
    """A row's outcome while the others still run."""
    if "error" in result:
        return "FAILED: " + result["error"]
    text = " / ".join(f"{rate / 1000:.1f}" for rate in result["rate"]) + " KB/s"
    if result["lost"] or result["wrong"]:
        text += f", {result['lost']} lost, {result['wrong']} wrong"
    return text


def cells(result):
    load = result["load"] + (f" {result['batch']}" if result["batch"] else "")
    if result["place"] == "busy":
        load += " +busy"
    start = [load, result["mode"], result["flow"], result["delivery"],
             f"{result['baud'] / 1e6:g}", str(result["harts"])]
    if "error" in result:
        return start + ["failed"] + [""] * (len(HEADING) - len(start) - 1)
    latency = result.get("latency_ns")
    used = [share for share in result["share"] if share]
    per_kb = result["interrupts_per_kb"]
    per_byte = result["instructions_per_byte"]
    return start + [
        *(f"{rate / 1000:.1f}" if rate else "" for rate in result["rate"]),
        percent(min(used)) if used else "0",
        str(result["lost"]), str(result["wrong"]),
        "" if per_kb is None else f"{per_kb:.0f}",
        f"{percent(1 - result['left_to_busy'])}" if "left_to_busy" in result
        else percent(result["busy"]),
        "" if per_byte is None else f"{per_byte:.1f}",
        *(f"{latency[k] / 1000:.1f}" if latency else ""
          for k in ("median", "p99", "max"))]


def print_table(results):
    table = [HEADING] + [cells(result) for result in results]
    widths = [max(len(line[i]) for line in table)
              for i in range(len(HEADING))]
    for line in table:
        print("  ".join(cell.ljust(w) if i < TEXT else cell.rjust(w)
                        for i, (cell, w) in enumerate(zip(line, widths)))
              .rstrip())


def markdown(results):
    def line(parts):
        return "| " + " | ".join(parts) + " |\n"
    rule = "|" + "---|" * TEXT + "--:|" * (len(HEADING) - TEXT) + "\n"
    return line(HEADING) + rule + "".join(line(cells(r)) for r in results)


def fill(top):
    """
    Put the figures of the last full run, its plots, and the figures of the
    last quick run, which CI compares with, into docs.
    """
    begin, end = "<!-- tools/bench --markdown -->\n", "<!-- end -->\n"
    out = os.path.join(top, "build", "bench")
    with open(os.path.join(out, "uart.json"), encoding="utf-8") as file:
        results = json.load(file)
    path = os.path.join(top, "docs/benchmarks/uart.md")
    with open(path, encoding="utf-8") as file:
        before, found, rest = file.read().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        sys.exit(f"bench: {path} has no lines {begin!r} and {end!r}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + markdown(results) + end + after)
    for name in ("throughput", "busy", "latency"):
        for suffix in ("svg", "png"):
            plot = os.path.join(out, f"uart-{name}.{suffix}")
            if os.path.exists(plot):
                shutil.copy(plot, os.path.dirname(path))
    quick = os.path.join(out, "uart-quick.json")
    if os.path.exists(quick):
        shutil.copy(quick, os.path.dirname(path))
    print(f"filled {os.path.relpath(path)}")


def worse(result, committed, tolerance=0.05):
    """
    Sentences about figures of a row that are more than `tolerance` worse than
    those committed. A lost or wrong byte more is worse without any tolerance.
    """
    if "error" in result:
        return [result["error"]]
    found = []

    def compare(what, now, then, higher_is_better):
        if now is None or then is None:
            return
        bad = now < then * (1 - tolerance) if higher_is_better else \
            now > then * (1 + tolerance)
        if bad:
            found.append(f"{what} {now}, was {then}")
    for way, now, then in zip(("a to b", "b to a"), result["rate"],
                              committed["rate"]):
        compare(f"bytes/s {way}", now, then, True)
    for what in ("busy", "instructions_per_byte", "interrupts_per_kb"):
        compare(what, result[what], committed[what], False)
    for what in ("median", "p99"):
        if "latency_ns" in committed:
            compare(f"latency {what}", result["latency_ns"][what],
                    committed["latency_ns"][what], False)
    for what in ("lost", "wrong"):
        if result[what] > committed[what]:
            found.append(f"{result[what]} bytes {what}, was {committed[what]}")
    if "left_to_busy" in committed:
        compare("left to the busy process", result["left_to_busy"],
                committed["left_to_busy"], True)
    return found
