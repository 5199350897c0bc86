"""Draws ways of a byte (way.py) above each other on one time axis, by gnuplot.

A panel a delivery; in it a lane a hart, flags at the steps. The picture is laid
out here, in instructions across and in lines of text down, because gnuplot
knows nothing about labels that get into each other's way.
"""
from benches import gnuplot
from tracing import way as w

COLOURS = {w.KERNEL: "#cc6677", w.HANDLER: "#117733", w.DRIVER: "#88ccaa",
           w.CLIENT: "#6699cc", w.IDLE: "#eeeeee"}
WORDS = {w.KERNEL: "kernel, firmware", w.HANDLER: "driver: handler",
         w.DRIVER: "driver: rest", w.CLIENT: "client", w.IDLE: "idle"}
FLAGS = {"raised": "UART raises its line", "claimed": "claimed",
         "runs": "driver runs", "handler": "handler entered",
         "ring": "byte in the ring", "doorbell": "doorbell rung",
         "woken": "client woken", "completed": "completed",
         "client": "client runs", "read": "client has the byte"}
# Lines of text down a panel: title, flags, the two lanes, flags below.
TITLE, LANE, GAP, BELOW = 1.6, 1.7, 0.8, 3.2
WIDTH, MARGIN = 1000, (64, 12)      # of the SVG; left and right of the axis
SIZE, LINE, LETTER = 13, 17, 7.6    # of the font: height, line, mean width
SCALES = (("svg", "svg dynamic background rgb 'white'", 1),
          ("png", "pngcairo", 1.5))


TICK = 500                          # instructions, 8 µs


def number(n):
    return f"{n:,}"


def flags(steps, per_letter):
    """[(x, text, level), ...]: text right of x, as many lines up as it takes
    that no pole goes through a text."""
    out = []
    for key, x, _ in sorted(steps, key=lambda s: -s[1]):
        text = f"{FLAGS[key]}  {number(x)}"
        end = x + (len(text) + 2) * per_letter
        level = 1 + max((f[2] for f in out if f[0] <= end), default=-1)
        out.append((x, text, level))
    return out


class Sheet:
    """gnuplot's commands, for one size of the letters."""

    def __init__(self, scale):
        self.lines, self.scale = [], scale

    def text(self, x, y, words, size=SIZE, more=""):
        words = words.replace('"', "'")
        self.lines.append(
            f'set label "{words}" at {x:.1f},{y:.2f} noenhanced front '
            f"font 'sans,{size * self.scale:.1f}' {more}")

    def box(self, x, y, right, top, colour):
        self.lines.append(
            f"set object rectangle from {x:.1f},{y:.2f} to {right:.1f},{top:.2f} "
            f"fillcolor rgb '{colour}' fillstyle solid border lc rgb 'white'")

    def line(self, x, y, right, top, colour="#333333", width=1, more="nohead",
             dash=""):
        self.lines.append(
            f"set arrow from {x:.1f},{y:.2f} to {right:.1f},{top:.2f} {more} "
            f"front lw {width * self.scale} lc rgb '{colour}' {dash}")


def room(a, b, poles, width):
    """The middle of the widest place between a and b that no pole stands in;
    None: it is narrower than `width`."""
    edges = [a, *sorted(p for p in poles if a < p < b), b]
    x, y = max(zip(edges, edges[1:]), key=lambda e: e[1] - e[0])
    return (x + y) / 2 if y - x > width else None


def draw_lane(sheet, spans, y, poles, per_letter):
    for a, b, what, name in spans:
        sheet.box(a, y, b, y + LANE, COLOURS[what])
        name = name.replace("kernel: ", "")
        middle = room(a, b, poles, len(name) * per_letter)
        if what in (w.KERNEL, w.HANDLER) and middle:
            sheet.text(middle, y + LANE / 2, name, SIZE - 2,
                       "center textcolor rgb 'white'")


def draw_panel(sheet, name, way, y, levels, per_letter):
    """From y upwards. The steps of the hart that the driver is on above its
    lane, the others below theirs."""
    driver = next(h for _, _, h in way.steps)
    others = [h for h in way.spans if h != driver]
    lanes = {h: y + BELOW + i * (LANE + GAP)
             for i, h in enumerate(others + [driver])}
    for hart, at in lanes.items():
        sheet.text(-per_letter, at + LANE / 2, f"hart {hart}", SIZE, "right")
        draw_lane(sheet, way.spans[hart], at,
                  [t for _, t, h in way.steps if h == hart], per_letter)
    top = lanes[driver] + LANE
    for x, text, level in flags([s for s in way.steps if s[2] == driver],
                                per_letter):
        high = top + 0.7 + level
        sheet.line(x, lanes[driver], x, high + 0.3)
        sheet.text(x + per_letter / 2, high, text)
    below = [s for s in way.steps if s[2] != driver]
    for x, text, level in flags(below, per_letter):
        low = lanes[others[0]] - 0.7 - level
        sheet.line(x, lanes[others[0]] + LANE, x, low - 0.3)
        sheet.text(x + per_letter / 2, low, text)
    if below:       # what the wake is for
        woken = next(t for k, t, _ in way.steps if k == "woken")
        starts = next(s[0] for s in way.spans[others[0]] if s[2] != w.IDLE)
        sheet.line(woken, lanes[driver], starts, lanes[others[0]] + LANE,
                   more="head size screen 0.008,20 filled", dash="dt 2")
    entered = next((t for k, t, _ in way.steps
                    if k == ("handler" if name != "notify" else "runs")), 0)
    who = "driver" if name == "notify" else "handler"
    sheet.text(0, top + levels + TITLE,
               f"{name}: {who} after {number(entered)} instructions "
               f"({entered * w.NS / 1000:.1f} µs), client after "
               f"{number(way.end)} ({way.end * w.NS / 1000:.1f} µs)", SIZE + 2)


def script(ways, terminal, scale, path):
    """What gnuplot is to do for one file; ways: {name: Way}."""
    longest = max(way.end for way in ways.values())
    # The last flag is right of its pole.
    axis = (WIDTH - sum(MARGIN)) / LETTER                  # letters
    right = longest * axis / (axis - len(FLAGS["read"]) - 12)
    per_letter = right / axis
    sheet, y = Sheet(scale), 0
    for name, way in reversed(ways.items()):
        driver = way.steps[0][2]
        levels = 1 + max(f[2] for f in flags(
            [s for s in way.steps if s[2] == driver], per_letter))
        draw_panel(sheet, name, way, y, levels, per_letter)
        y += BELOW + LANE * len(way.spans) + GAP * (len(way.spans) - 1) + \
            levels + TITLE + 1.4
        sheet.line(0, y - 0.4, right, y - 0.4, "#bbbbbb")
    sheet.lines.pop()                   # above the first there is the legend
    x = 0
    for what, words in WORDS.items():
        sheet.box(x, y + 0.2, x + 3 * per_letter, y + 1.2, COLOURS[what])
        sheet.text(x + 3.6 * per_letter, y + 0.7, words)
        x += (len(words) + 8) * per_letter
    height = (y + 1.6) * LINE + 92
    left, above, below = MARGIN[0] / WIDTH, 6 / height, 86 / height
    ticks = [f'"{number(n)}\\n{n * w.NS // 1000} µs" {n}'
             for n in range(0, int(right) + 1, TICK)]
    return [
        f"set terminal {terminal} size {WIDTH * scale:.0f},"
        f"{height * scale:.0f} font 'sans,{SIZE * scale:.1f}'",
        f"set output '{path}'",
        f"set lmargin at screen {left:.4f}",
        f"set rmargin at screen {1 - MARGIN[1] / WIDTH:.4f}",
        f"set tmargin at screen {1 - above:.4f}",
        f"set bmargin at screen {below:.4f}",
        f"set xrange [0:{right:.1f}]", f"set yrange [0:{y + 1.6:.2f}]",
        "unset key", "set border 1", "set tics out nomirror", "unset ytics",
        f"set xtics ({', '.join(ticks)})",
        "set xlabel 'since the UART raised its line: instructions of 16 ns, "
        "and µs' offset 0,-0.8", *sheet.lines, "plot NaN notitle"]


def draw(ways, stem):
    """Writes stem.svg and stem.png."""
    gnuplot.check()
    for suffix, terminal, scale in SCALES:
        path = f"{stem}.{suffix}"
        gnuplot.draw(script(ways, terminal, scale, path), path)
