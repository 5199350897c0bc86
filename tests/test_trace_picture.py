"""make trace-picture: it draws what was recorded, and says why it cannot."""
import json
import re
import subprocess
import sys

import pytest

from harness.machine import MACHINES, TOP

sys.path.insert(0, str(TOP / "tools"))
from tracing import picture, way  # noqa: E402

SECONDS = 100
BYTE = 2
DELIVERIES = ("native", "emulated", "notify")
pytestmark = pytest.mark.skipif("native" not in MACHINES,
                                reason="no native machine here")


def draw(*arguments, **more):
    return subprocess.run(
        ["/usr/bin/python3", str(TOP / "tools/trace-picture"),
         *map(str, arguments)], cwd=TOP, text=True, capture_output=True,
        timeout=SECONDS, stdin=subprocess.DEVNULL, check=False, **more)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """(stem, what it printed) of a picture of a fresh run of each delivery."""
    stem = tmp_path_factory.mktemp("picture") / "byte"
    done = draw("--byte", BYTE, "--out", stem)
    assert done.returncode == 0, done.stdout + done.stderr
    return stem, done.stdout


@pytest.fixture(scope="module")
def trace(tmp_path_factory):
    """A trace with four bytes, of native delivery."""
    out = tmp_path_factory.mktemp("trace") / "trace.json"
    done = subprocess.run(
        [str(TOP / "tools/trace"), "--smp", "2", "--out", str(out),
         "--append", "run=/trace/byte bytes=4"], cwd=TOP, text=True,
        capture_output=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
        check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def rows(text):
    """{step: [instructions or None of each delivery]} of the table."""
    lines = [line.strip("| \n").split(" | ") for line in text.splitlines()
             if line.startswith("| ")]
    assert tuple(lines[0][1:]) == DELIVERIES

    def value(cell):
        if cell == "-":
            return None
        count, ns = re.fullmatch(r"([\d,]+) \(([\d,]+)\)", cell).groups()
        count, ns = (int(n.replace(",", "")) for n in (count, ns))
        assert ns == count * way.NS
        return count
    return {words: [value(cell) for cell in cells]
            for words, *cells in lines[1:]}


def test_the_steps_follow_each_other(drawn):
    """In the order of each delivery: who claims before whom."""
    table = list(rows(drawn[1]).values())
    (raised, claimed, runs, handler, ring, bell, woken, complete, client,
     read) = table
    assert raised == [0, 0, 0]
    for i, name in enumerate(DELIVERIES):
        if name == "notify":
            assert claimed[i] < runs[i] < ring[i] and handler[i] is None
        else:
            assert runs[i] < claimed[i] < handler[i] < ring[i]
        assert ring[i] < bell[i] < woken[i] < client[i] < read[i]
        assert bell[i] < complete[i]
    assert runs[0] < runs[1] and runs[0] < runs[2]


def test_the_picture_says_what_the_table_says(drawn):
    """Every step of every delivery is a flag in the SVG; the PNG is one."""
    stem, printed = drawn
    svg = stem.with_suffix(".svg").read_text(encoding="utf-8")
    words = re.findall(r"<text[^>]*>(?:<tspan[^>]*>)?([^<]*)<", svg)
    words = [" ".join(w.replace("\xa0", " ").split()) for w in words]
    keys = ("raised", "claimed", "runs", "handler", "ring", "doorbell",
            "woken", "completed", "client", "read")
    for key, values in zip(keys, rows(printed).values()):
        for value in values:
            if value is not None:
                assert f"{picture.FLAGS[key]} {value:,}" in words, words
    for name in DELIVERIES:
        assert any(w.startswith(f"{name}: ") for w in words)
    assert stem.with_suffix(".png").read_bytes().startswith(b"\x89PNG\r\n")


def test_no_pole_stands_in_a_text():
    """Flags as close as they like: texts at one height are apart, and what is
    in a text's way is lower."""
    steps = [(key, x, 1) for key, x in zip(
        picture.FLAGS, (0, 1, 2, 200, 201, 500, 1500, 1501, 1502, 4000))]
    flags = picture.flags(steps, 3.5)
    assert len(flags) == len(steps)
    for x, text, level in flags:
        for other, _, lower in flags:
            if x < other <= x + len(text) * 3.5:
                assert lower < level


def test_of_a_way_exactly_one_hart_executes(trace):
    """Lanes without gaps, and never two or none at work."""
    with open(trace, encoding="utf-8") as file:
        found = way.Way(json.load(file), BYTE)
    busy = 0
    for lane in found.spans.values():
        assert (lane[0][0], lane[-1][1]) == (0, found.end)
        for this, after in zip(lane, lane[1:]):
            assert this[1] == after[0]
        busy += sum(b - a for a, b, what, _ in lane if what != way.IDLE)
    assert busy == found.end


def test_a_trace_without_the_byte_is_refused(trace, tmp_path):
    done = draw("--byte", 4, "--out", tmp_path / "x", f"native={trace}")
    assert done.returncode == 1
    assert "byte 4 is not in it, there are 4" in done.stderr
    assert "bytes=5" in done.stderr
    with open(trace, encoding="utf-8") as file:
        document = json.load(file)
    events = document["traceEvents"]
    reads = [e["ts"] for e in events if e.get("cat") == "read"]
    document["traceEvents"] = [e for e in events if e["ts"] < reads[BYTE]]
    cut = tmp_path / "cut.json"
    cut.write_text(json.dumps(document))
    done = draw("--byte", BYTE, "--out", tmp_path / "x", f"native={cut}")
    assert done.returncode == 1
    assert "has no end in it" in done.stderr
    assert not list(tmp_path.glob("x*"))


def test_what_is_no_trace_is_refused(tmp_path):
    other = tmp_path / "other.json"
    for text in ("{}", "[", '{"traceEvents": [{}]}', "[]"):
        other.write_text(text)
        done = draw("--out", tmp_path / "x", f"native={other}")
        assert done.returncode == 1
        assert "is not a trace" in done.stderr, done.stderr
    for word in ("native", "kernel=x"):
        done = draw("--out", tmp_path / "x", word)
        assert done.returncode == 1 and "native=FILE" in done.stderr
    done = draw("--byte", -1)
    assert done.returncode == 1 and "counted from 0" in done.stderr


def test_without_gnuplot_it_says_so(trace, tmp_path):
    done = draw("--byte", BYTE, "--out", tmp_path / "x", f"native={trace}",
                env={"PATH": str(tmp_path), "HOME": str(tmp_path)})
    assert done.returncode == 1
    assert "no gnuplot" in done.stderr and "gnuplot-nox" in done.stderr
    assert not list(tmp_path.glob("x.*"))
