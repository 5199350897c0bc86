"""The UART benchmark's plots, drawn by gnuplot as SVG and PNG."""
import os
import sys

from benches import gnuplot
from benches.uart_plan import FAST
from benches.uart_table import rate, sound

# Order and colour of the ways to drive a UART.
WAYS = (("polling", "-"), ("interrupt", "native"), ("interrupt", "emulated"),
        ("async", "native"), ("async", "emulated"),
        ("async-unbuffered", "native"), ("async-unbuffered", "emulated"),
        ("notify", "notify"), ("kernel", "-"))
TERMINALS = (("svg", "svg size 900,480 dynamic background rgb 'white' "
                     "font 'sans,13'"),
             ("png", "pngcairo size 1350,720 font 'sans,18'"))
# A mode has its colour; dashed if the delivery is emulated.
COLOURS = {"polling": "#222222", "interrupt": "#4477aa", "async": "#228833",
           "async-unbuffered": "#ccbb44", "notify": "#ee6677",
           "kernel": "#aa3377"}
LATENCY_BATCH = 8
NAMES = ("throughput", "busy", "latency", "latency-stream")


def label(way):
    mode, delivery = way
    text = mode.replace("async-unbuffered", "async,\\nno buffer")
    return text + (f"\\n{delivery}" if delivery in ("native", "emulated")
                   else "")


def best(results, way, load, value):
    """
    A value of the fastest row of one way and load at 6.25 Mbaud, on 4 harts: on
    fewer a driver's hart has clients on it, too, and is no figure of the driver.
    """
    rows = [r for r in sound(results, load, FAST)
            if (r["mode"], r["delivery"]) == way and r["harts"] == 4]
    return value(max(rows, key=rate)) if rows else None


def bars(results, title, ylabel, value, wire=None):
    """gnuplot's commands for one pair of bars a way: simplex and duplex."""
    lines = []
    for way in WAYS:
        pair = [best(results, way, load, value)
                for load in ("simplex", "duplex")]
        if any(v is not None for v in pair):
            lines.append(f'"{label(way)}" ' + " ".join(
                "NaN" if v is None else f"{v:.1f}" for v in pair))
    commands = [f"set title '{title}'", f"set ylabel '{ylabel}'",
                "set style data histograms",
                "set style histogram clustered gap 1",
                "set style fill solid 0.8 border -1", "set boxwidth 0.9",
                "set grid ytics", "set yrange [0:*]", "set key above right",
                "set xtics font ',10'", "set bmargin 4", "$data << EOD", *lines, "EOD"]
    plot = "plot $data using 2:xtic(1) title 'simplex' lc rgb '#4477aa', " \
        "'' using 3 title 'duplex, each way' lc rgb '#ccbb44'"
    if wire:
        commands.append("set yrange [0:700]")
        plot += f", {wire} title 'the wire' with lines lw 2 lc rgb '#cc3311'"
    return commands + [plot]


def latencies(results, title, chosen):
    """Cumulative distribution from the line to the client, a curve a way."""
    commands, plots = [], []
    for i, way in enumerate(WAYS):
        rows = [r for r in results if "line" in r and chosen(r)
                and (r["mode"], r["delivery"]) == way]
        if not rows:
            continue
        commands += [f"$way{i} << EOD"] + [
            f"{ns / 1000:.3f} {permille / 1000}"
            for permille, ns in rows[0]["line"]["quantiles"]] + ["EOD"]
        dashes = 2 if way[1] == "emulated" else 1
        plots.append(f"$way{i} using 1:2 with linespoints pt 7 ps 0.4 lw 2 "
                     f"dt {dashes} lc rgb '{COLOURS[way[0]]}' "
                     f"title '{label(way)}'".replace("\\n", " "))
    return [f"set title '{title}'",
            "set xlabel 'us from the last bit on the wire to the client "
            "(1 us is 62.5 instructions)'",
            "set ylabel 'share of the bytes'", "set logscale x",
            "set yrange [0:1.02]", "set grid",
            "set key outside right font ',12' samplen 2",
            *commands, "plot " + ", ".join(plots)] if plots else []


def check():
    """There is a gnuplot, or the program ends: before hours, not after."""
    try:
        gnuplot.check()
    except gnuplot.PlotError as error:
        sys.exit(f"bench: {error}; QUICK=1 draws nothing")


def draw(results, out):
    """The plots, each as SVG and PNG, into the folder `out`."""
    plots = dict(zip(NAMES, (
        bars(results, "Throughput at 6.25 Mbaud on 4 harts, no byte lost",
             "KB/s", rate, wire=FAST / 10000),
        bars(results, "Hart of the busier driver in these rows "
             "(kernel: with its client)",
             "% of the time not idle", lambda r: r["busy"] * 100),
        latencies(results, f"Ping-pong, {LATENCY_BATCH} bytes at 6.25 Mbaud",
                  lambda r: r["batch"] == LATENCY_BATCH),
        latencies(results, "A stream at 6.25 Mbaud, for a client that does "
                  "not let bytes gather",
                  lambda r: r["gather"] == 1 and r["baud"] == FAST))))
    for name, commands in plots.items():
        for suffix, terminal in TERMINALS if commands else ():
            path = os.path.join(out, f"uart-{name}.{suffix}")
            script = [f"set terminal {terminal}", f"set output '{path}'",
                      *commands]
            try:
                gnuplot.draw(script, path)
            except gnuplot.PlotError as error:
                sys.exit(f"bench: {error}")
            print(f"wrote {os.path.relpath(path)}")
