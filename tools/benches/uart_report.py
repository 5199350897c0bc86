"""The UART benchmark's figures as a table, for people and for docs."""
import json
import os
import shutil
import sys

from benches import uart_plots, uart_table
from benches.uart_plan import key, load_name, plan_full, plan_quick

HEADING = ("load", "mode", "flow", "delivery", "Mbaud", "harts", "KB/s a>b",
           "KB/s b>a", "% wire", "lost", "wrong", "irq/KB", "% busy", "instr/B",
           "line us: median", "p99", "max", "way us: median", "p99", "max")
TEXT = 4  # columns that stand left
LABELS = ("median", "p99", "max")


def percent(share):
    return f"{share * 100:.1f}"


def short(result):
    """A row's outcome while the others still run."""
    if "error" in result:
        return "FAILED: " + result["error"]
    text = " / ".join(f"{rate / 1000:.1f}" for rate in result["rate"]) + " KB/s"
    if result["lost"] or result["wrong"]:
        text += f", {result['lost']} lost, {result['wrong']} wrong"
    if "line_ns" in result:
        text += f", line to client {microseconds(result['line_ns'], 'p99')} us"
    if "problem" in result:
        text += " FAILED: " + result["problem"]
    return text


def microseconds(latency, label):
    """A latency for the table; empty if the row has none."""
    return f"{latency[label] / 1000:.1f}" if latency else ""


def cells(result):
    start = [load_name(result), result["mode"], result["flow"], result["delivery"],
             f"{result['baud'] / 1e6:g}", str(result["harts"])]
    if "error" in result:
        return start + ["failed"] + [""] * (len(HEADING) - len(start) - 1)
    used = [share for share in result["share"] if share]
    per_kb = result["interrupts_per_kb"]
    per_byte = result["instructions_per_byte"]
    return start + [
        *(f"{rate / 1000:.1f}" if rate else "" for rate in result["rate"]),
        percent(min(used)) if used else "0",
        str(result["lost"]), str(result["wrong"]),
        "" if per_kb is None else f"{per_kb:.0f}",
        percent(uart_table.busy_share(result)),
        "" if per_byte is None else f"{per_byte:.1f}",
        *(microseconds(result.get(latency), label)
          for latency in ("line_ns", "way_ns") for label in LABELS)]


def columns(table, text):
    """Lines for the terminal; the first `text` columns stand left."""
    widths = [max(len(line[i]) for line in table)
              for i in range(len(table[0]))]
    return "".join("  ".join(cell.ljust(w) if i < text else cell.rjust(w)
                             for i, (cell, w) in enumerate(zip(line, widths)))
                   .rstrip() + "\n" for line in table)


def markdown(table, text):
    """The same for a page."""
    def line(parts):
        return "| " + " | ".join(parts) + " |\n"
    rule = "|" + "---|" * text + "--:|" * (len(table[0]) - text) + "\n"
    return line(table[0]) + rule + "".join(map(line, table[1:]))


def rows_table(results):
    """All rows, heading first; with their commits if there is more than one."""
    if len({result["commit"] for result in results}) < 2:
        return [HEADING] + [cells(result) for result in results]
    return [HEADING + ("commit",)] + [cells(result) + [result["commit"]]
                                      for result in results]


def print_table(results):
    """For people, on the terminal."""
    print(columns(rows_table(results), TEXT), end="")


def print_summary(results):
    """What was to be reached, by all rows there are."""
    print("\n" + columns(uart_table.summary(results), 1))


def origin(results):
    """A sentence about which commits the rows are of, and what is missing."""
    commits = {}
    for result in results:
        commits.setdefault(result["commit"], []).append(result)
    text = "Measured at commit " + ", ".join(
        f"{commit} ({len(rows)} rows)" for commit, rows in commits.items())
    missing = len(plan_full()) - len(results)
    return text + (f"; {missing} rows of the plan are not measured"
                   if missing else "") + ".\n\n"


def read_rows(path, plan, verb):
    """The rows of a run, or an error that says how to make them."""
    if not os.path.exists(path):
        sys.exit(f"bench: no {os.path.relpath(path)}; {verb} makes it")
    with open(path, encoding="utf-8") as file:
        results = json.load(file)
    unknown = {key(r) for r in results} - {key(spec) for spec in plan}
    if unknown:
        sys.exit(f"bench: {os.path.relpath(path)} has rows of another plan; "
                 f"{verb} makes it anew")
    return results


def fill(top):
    """
    Put the figures of the last full run, its plots, and the figures of the
    last quick run, which CI compares with, into docs.
    """
    begin, end = "<!-- tools/bench --markdown -->\n", "<!-- end -->\n"
    out = os.path.join(top, "build", "bench")
    results = read_rows(os.path.join(out, "uart.json"), plan_full(),
                        "make bench BENCH=uart")
    quick = os.path.join(out, "uart-quick.json")
    plan = plan_quick()
    if os.path.exists(quick):
        rows = read_rows(quick, plan, "make bench BENCH=uart QUICK=1")
        bad = [r for r in rows if "error" in r or "problem" in r]
        if len(rows) < len(plan) or bad:
            sys.exit(f"bench: {os.path.relpath(quick)} has {len(rows)} of "
                     f"{len(plan)} rows, {len(bad)} failed: it is not what CI "
                     "is to compare with; make bench BENCH=uart QUICK=1")
    path = os.path.join(top, "docs/benchmarks/uart.md")
    with open(path, encoding="utf-8") as file:
        before, found, rest = file.read().partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        sys.exit(f"bench: {path} has no lines {begin!r} and {end!r}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + origin(results)
                   + markdown(uart_table.summary(results), 1) + "\n"
                   + markdown(rows_table(results), TEXT) + end + after)
    for name in uart_plots.NAMES:
        for suffix in ("svg", "png"):
            plot = os.path.join(out, f"uart-{name}.{suffix}")
            if os.path.exists(plot):
                shutil.copy(plot, os.path.dirname(path))
    if os.path.exists(quick):
        shutil.copy(quick, os.path.dirname(path))
    print(f"filled {os.path.relpath(path)}")


def worse(result, committed, tolerance=0.05):
    """
    Sentences about figures of a row that are more than `tolerance` worse than
    those committed, in the worst of their phases. A lost or wrong byte more is
    worse without any tolerance.
    """
    if "error" in result or "problem" in result:
        return [result.get("error") or result["problem"]]
    found = []

    def compare(what, now, then, higher_is_better):
        if now is None or then is None:
            return
        bad = now < then * (1 - tolerance) if higher_is_better else \
            now > then * (1 + tolerance)
        if bad:
            found.append(f"{what} {now}, was {then}")
    worst = committed["worst"]
    for way, now, then in zip(("a to b", "b to a"), result["rate"],
                              worst["rate"]):
        compare(f"bytes/s {way}", now, then, True)
    for what in ("busy", "instructions_per_byte", "interrupts_per_kb"):
        compare(what, result[what], worst[what], False)
    for latency, where in (("line_ns", "line to client"),
                           ("way_ns", "client to client")):
        for what in ("median", "p99") if latency in worst else ():
            compare(f"latency {where} {what}", result[latency][what],
                    worst[latency][what], False)
    for what in ("lost", "wrong"):
        if result[what] > committed[what]:
            found.append(f"{result[what]} bytes {what}, was {committed[what]}")
    if "left_to_busy" in worst:
        # not of what is left: next to nothing may be, and is then all chance
        compare("not left to the busy process", 1 - result["left_to_busy"],
                1 - worst["left_to_busy"], False)
    return found
