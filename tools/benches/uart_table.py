"""Which rows count, and ours beside what others published."""
from benches.uart_plan import FAST, SLOW, USER

# What, published best and what is to be reached (KB/s, each way), busy share to
# stay under; then load, rate, modes, delivery. docs/benchmarks/uart.md has
# where the published ones are from.
SUMMARY = (
    ("6.25 Mbaud simplex, interrupt modes, native", 416, 619, 0.60,
     "simplex", FAST, USER, "native"),
    ("6.25 Mbaud duplex, interrupt modes, native", 292, 606, None,
     "duplex", FAST, USER, "native"),
    ("6.25 Mbaud simplex, polling", 584, 619, None,
     "simplex", FAST, ("polling",), "-"),
    ("6.25 Mbaud duplex, polling", 443, 612, None,
     "duplex", FAST, ("polling",), "-"),
    ("1.25 Mbaud duplex, interrupt modes, native", 40, 124, 0.25,
     "duplex", SLOW, USER, "native"),
    ("6.25 Mbaud simplex, interrupt modes, emulated", None, 562.5, None,
     "simplex", FAST, USER, "emulated"),
    ("6.25 Mbaud duplex, interrupt modes, emulated", None, 468.8, None,
     "duplex", FAST, USER, "emulated"),
    ("6.25 Mbaud duplex, notify", None, None, None,
     "duplex", FAST, ("notify",), "notify"),
    ("6.25 Mbaud duplex, kernel", 78, None, None,
     "duplex", FAST, ("kernel",), "-"),
)
HEADING = ("KB/s each way", "published best", "to reach", "ours", "by",
           "% busy", "reached")


def sound(results, load, baud):
    """
    Rows of a load in which no byte was lost or wrong, with turns or without.
    """
    return [r for r in results
            if "error" not in r and "problem" not in r
            and not r["lost"] and not r["wrong"]
            and r["load"] == load and r["baud"] == baud
            and r["place"] == "alone" and not r["gather"]]


def rate(result):
    """KB/s of the slower direction that is in use."""
    return min(r for r in result["rate"] if r or result["load"] == "duplex") \
        / 1000


def turns(result):
    """Named where the row runs with them."""
    return f", turn {result['turn']}" if result["turn"] else ""


def busy_share(result):
    """Of the busier driver's hart; beside a busy process, what that had not."""
    return 1 - result["left_to_busy"] if "left_to_busy" in result \
        else result["busy"]


def summary(results):
    """The table's lines, heading first; the best row of each."""
    def number(value):
        return "" if value is None else f"{value:g}"

    def meets(row, reach, busy_most):
        return rate(row) >= (reach or 0) and (
            busy_most is None or busy_share(row) < busy_most)
    lines = [HEADING]
    for what, published, reach, busy_most, load, baud, modes, way in SUMMARY:
        rows = [r for r in sound(results, load, baud)
                if r["mode"] in modes and r["delivery"] == way]
        if not rows:
            lines.append((what, number(published), number(reach), "not measured",
                          "", "", ""))
            continue
        met = [r for r in rows if meets(r, reach, busy_most)]
        top = max(met or rows, key=rate)
        reached = "" if reach is None else "yes" if met else "no"
        lines.append((what, number(published), number(reach) + (
            f", under {busy_most * 100:g} % busy" if busy_most else ""),
            f"{rate(top):.1f}", f"{top['mode']} {top['flow']}, {top['harts']} "
            "hart" + "s" * (top["harts"] > 1) + turns(top), f"{busy_share(top) * 100:.1f}", reached))
    return lines
