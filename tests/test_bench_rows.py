"""tools/bench uart without the machine: rows, latencies, what it refuses, what it
does when a row fails or the run is interrupted."""
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, f"{TOP}/tools")
sys.dont_write_bytecode = True
from benches import (gnuplot, uart, uart_line, uart_plan, uart_plots,  # noqa: E402
                     uart_report, uart_table)

SPEC = uart_plan.row("duplex", "interrupt", "v3")


def bench(*arguments, **environment):
    return subprocess.run([f"{TOP}/tools/bench", *arguments], cwd=TOP,
                          text=True, capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL, check=False,
                          env={**os.environ, **environment})


def raw(**changed):
    """What the program prints of a row in which all is well."""
    counters = {"bytes_in": 600, "overruns": 0}
    return {"ns": 1_000_000, "sent": [600, 600], "received": [500, 500],
            "received_ns": [1_000_000] * 2, "idle": [500_000] * 4,
            "interrupts": [60, 60], "lost": [0, 0], "wrong": [0, 0],
            "taken": [600, 600], "counters_a": counters,
            "counters_b": counters,
            "line": {"samples": 1, "quantiles": [
                [p, 5000] for p in uart_line.PERMILLE]}, **changed}


# ---- the plan ----------------------------------------------------------

def test_the_plan_has_every_kind_of_row_once():
    rows = uart_plan.plan_full()
    assert len({uart_plan.key(r) for r in rows}) == len(rows)
    assert len({uart_plan.name(r) for r in rows}) == len(rows)
    for field, values in {
            "load": {"pingpong", "simplex", "duplex", "checksum", "mix"},
            "mode": {"polling", "interrupt", "async", "async-unbuffered",
                     "notify", "kernel"},
            "flow": {"none", "v1", "v2", "v3"},
            "delivery": {"native", "emulated", "notify", "-"},
            "baud": {6_250_000, 1_250_000}, "harts": {1, 2, 4},
            "place": {"alone", "busy"}}.items():
        assert {r[field] for r in rows} == values
    assert uart.MS >= 1000


def test_the_plan_misses_no_mode():
    """Each mode by each load, rate, batch, flow control, number of harts,
    and beside a busy process."""
    rows = uart_plan.plan_full()
    ways = {(r["mode"], r["delivery"]) for r in rows}
    assert len(ways) == 9
    for mode, delivery in ways:
        mine = [r for r in rows
                if (r["mode"], r["delivery"]) == (mode, delivery)]

        def seen(*fields):
            return {tuple(r[f] for f in fields) for r in mine}
        for baud in (6_250_000, 1_250_000):
            for load in ("simplex", "duplex", "checksum", "mix", "pingpong"):
                assert (load, baud) in seen("load", "baud")
            for flow in uart_plan.FLOWS:
                for load in ("simplex", "duplex"):
                    assert (load, baud, flow) in seen("load", "baud", "flow")
            if mode != "polling":   # it leaves its hart to nobody
                for harts in (1, 2, 4):
                    assert ("duplex", baud, harts) in seen(
                        "load", "baud", "harts")
                assert {("busy", baud, 1), ("busy", baud, 4)} <= seen(
                    "place", "baud", "harts")
        batches = {b for b, in seen("batch")}
        assert batches >= {None, 1, 8, 16}
        if delivery == "native" and mode == "interrupt" or \
                mode in ("polling", "notify", "kernel"):
            assert batches == {None, *range(1, 17)}


def test_rows_that_need_turns_have_them():
    rows = uart_plan.plan_full()
    assert all(r["turn"] for r in rows if r["harts"] > 1 and
               (r["mode"] == "polling" or r["place"] == "busy"))


# ---- latencies ---------------------------------------------------------

def line_folder(path, sender, times, before=b""):
    """A folder with what QEMU would have written of the other end."""
    data = before + uart_line.content(sender, len(times) + 8)
    end = "ab"[1 - sender]
    words = [(t << 8) | b for t, b in
             zip([1] * len(before) + list(times), data)]
    with open(path / f"arrivals.{uart_line.ENDS[end]}", "wb") as file:
        file.write(struct.pack(f"<{len(words)}Q", *words))
    return path


def test_each_byte_is_matched_with_its_read(tmp_path):
    times = [1000 * (i + 1) for i in range(20)]
    folder = line_folder(tmp_path, 0, times, before=b"hello")
    output = "junk\nreads b from 4 4100\nreads b 2:2000 3:5000\n" \
        "reads b 1:100\n{}"
    found, why = uart_line.measure(folder, output, [0, 20], False)
    assert why is None
    assert found["came"] == [None, (6, 6000)]
    line = found["line"]
    # bytes 4, 5 at 6100; 6, 7, 8 at 11100; 9 at 11200
    assert line["samples"] == 6
    at = dict(map(tuple, line["quantiles"]))
    assert at[0] == 100 and at[1000] == 4100
    assert uart_line.latencies(uart_line.arrivals(
        folder / "arrivals.uart2", 0)[0], uart_line.read_log(output)["b"]) == [
            1100, 100, 4100, 3100, 2100, 1200]
    # from the first byte on there is none before it
    output = "reads b from 0 0\nreads b 20:30000\n"
    assert uart_line.measure(folder, output, [0, 20], True) == (
        {"line": None, "came": [None, (20, 19000)]}, None)


def test_a_rate_is_of_when_the_bytes_came():
    """A client that takes 4 KiB at once is a batch early or late."""
    changed = {"received": [0, 625_000], "received_ns": [0, 990_000_000],
               "came": [None, (619_000, 1_000_000_000)]}
    assert uart.figures(SPEC, raw(**changed))["rate"] == [619_000, 0]
    changed["lost"] = [3, 0]  # what came is not what was right
    assert uart.figures(SPEC, raw(**changed))["rate"][0] > 619_000


def test_logs_that_do_not_fit_are_refused(tmp_path):
    times = [1000 * (i + 1) for i in range(20)]
    folder = line_folder(tmp_path, 0, times)
    early = "reads b from 4 4100\nreads b 2:10\n"
    for output, taken, why in (
            (early, 20, "a byte was read before it came"),
            (early, 21, "20 bytes came to UART b, its client has read 21")):
        assert uart_line.measure(folder, output, [0, taken],
                                 False) == (None, why)
    line_folder(tmp_path, 0, times, before=bytes(80))
    assert "not what was sent" in uart_line.measure(
        folder, early, [0, 20], False)[1]


@pytest.mark.parametrize("begun", [0, 1])
def test_sessions_explain_bytes_that_are_no_content(begun, monkeypatch):
    line = json.dumps(raw(delivery=SPEC["delivery"], counters_b={
        "sessions": begun}))
    monkeypatch.setattr(uart, "BOOTS", type("Boots", (), {"run": staticmethod(
        lambda command: (0, f"{line}\nrun: exited 0\n"))}))
    monkeypatch.setattr(uart, "command", lambda *rest: [])
    monkeypatch.setattr(uart_line, "measure",
                        lambda *rest: (None, "603 came, 600 were read"))
    row, why = uart.run_raw(SPEC, 200)
    assert why == ("" if begun else "603 came, 600 were read")
    assert bool(row) == bool(begun)


def test_the_content_made_here_is_the_guests():
    # tests/host/test_bench_content.c has the guest's; this is Python's.
    assert uart_line.content_crc(0, 8) != uart_line.content_crc(1, 8)
    assert uart.crc_wrong({"crc_a": [8, 1, 1]})
    crc = uart_line.content_crc(0, 64)
    assert not uart.crc_wrong({"crc_a": [64, crc, crc]})
    assert uart.crc_wrong({"crc_a": [64, crc, crc + 1]})


# ---- a row -------------------------------------------------------------

@pytest.mark.parametrize("changed,why", [
    ({}, None),
    ({"lost": [0, 3]}, "3 bytes lost"),
    ({"wrong": [1, 0]}, "1 bytes wrong"),
    ({"received": [0, 500], "received_ns": [0, 1_000_000]},
     "nothing came from b"),
    ({"taken": [600, 599]},
     "driver b has received 600 bytes, its client 599"),
    ({"crc_a": [8, 1, 2]}, "checksum differs: a: sent 00000001, received "
     "00000002")])
def test_what_is_wrong_with_a_row_is_said(changed, why):
    out = uart.figures(SPEC, raw(**changed))
    assert out.get("problem") == why
    assert ("FAILED" in uart_report.short(out)) == (why is not None)


def test_a_busy_process_is_told_from_the_others():
    """Of 62,500 instructions it had 25,000; 1,000 bytes came."""
    row = uart.figures({**SPEC, "place": "busy"},
                       raw(computed=25_000, idle=[0] * 4))
    assert row["left_to_busy"] == 0.4
    assert uart_table.busy_share(row) == pytest.approx(0.6)
    assert row["instructions_per_byte"] == 37.5


@pytest.mark.parametrize("flow", uart_plan.FLOWS)
def test_losses_are_a_figure_where_nothing_forbids_them(flow):
    row = uart.figures({**SPEC, "flow": flow}, raw(lost=[0, 3]))
    assert row["lost"] == 3 and ("problem" in row) == (flow != "none")


def test_a_quick_row_is_the_median_of_three_phases():
    rows = [uart.figures(SPEC, raw(received=[n, 500], lost=[lost, 0]))
            for n, lost in ((500, 0), (300, 1), (400, 0))]
    rows[1]["line_ns"]["p99"] = 9999
    row = uart.together(rows)
    assert row["rate"] == [500_000, 400_000]
    assert row["line_ns"] == {"median": 5000, "p99": 5000, "max": 5000}
    assert row["lost"] == 1 and row["problem"] == "1 bytes lost"
    assert row["worst"]["rate"] == [500_000, 300_000]
    assert row["worst"]["line_ns"]["p99"] == 9999
    assert uart.of_each(min, [None, 1]) is None


def test_boots_that_differ_are_repeated_and_then_refused(monkeypatch):
    for idle, result in (([1, 2, 3], None), ([1, 2, 1], 3), ([1, 1], 2)):
        left = [raw(sent=[n, n]) for n in idle]
        monkeypatch.setattr(uart, "run_raw", lambda *_: (left.pop(0), ""))
        got, boots = uart.repeated(SPEC, 1)
        if result:
            assert (got["sent"], boots) == ([1, 1], result)
        else:
            assert got is None and boots == "3 boots all differ: sent"


# ---- a run -------------------------------------------------------------

@pytest.fixture(name="out")
def fixture_out(tmp_path, monkeypatch):
    """Results go to a folder of the test's; no machine is looked for."""
    monkeypatch.setattr(uart, "OUT", str(tmp_path))
    monkeypatch.setattr(uart, "check_machine", lambda: None)
    return tmp_path


def rows_in(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.parametrize("script,why", [
    ("echo uart: driver a: killed; echo run: exited 1", "uart: driver a: "
     "killed; run: exited 1"),
    ("echo last words; exit 3", "QEMU ended with 3: last words"),
    ("exit 124", "not at its end after 120 s")])
def test_a_failing_row_is_told_and_the_status_is_1(out, monkeypatch, capsys,
                                                   script, why):
    monkeypatch.setattr(uart, "command", lambda *_: ["sh", "-c", script])
    with pytest.raises(SystemExit) as end:
        uart.main(quick=True, only="pingpong", jobs=1)
    assert end.value.code == "bench: 1 of 1 rows failed"
    said = capsys.readouterr()
    assert f"failed: pingpong 8 interrupt v3 native 6.25M 4 harts: {why}\n" \
        in said.out
    assert "[1/1 " in said.err
    row, = rows_in(out / "uart-quick.json")
    assert row["error"] == why


def test_an_interrupted_run_keeps_its_rows_and_goes_on(out, monkeypatch,
                                                       capsys):
    good = {**uart.figures(SPEC, raw()), "boots": 2}
    measured = []

    def one(spec, milliseconds, quick):
        del milliseconds, quick
        if len(measured) == 1:  # the second one takes for ever
            threading.Timer(0.3, os.kill, (os.getpid(), number)).start()
            status, _ = uart.BOOTS.run(["sleep", "60"])
            assert status == -signal.SIGTERM
        measured.append(spec)
        return {**good, **spec}

    monkeypatch.setattr(uart, "run", one)
    plan = uart_plan.plan_quick()
    for number in (signal.SIGINT, signal.SIGTERM):
        measured.clear()
        with pytest.raises(SystemExit) as end:
            uart.main(quick=True, jobs=1)
        assert end.value.code == 130
        assert f"interrupted: 1 of {len(plan)} rows are measured and kept; " \
            "tools/bench --quick --rest uart" in capsys.readouterr().err
        rows = rows_in(out / "uart-quick.json")
        assert [uart_plan.key(r) for r in rows] == [uart_plan.key(plan[0])]
    measured[:] = plan  # none of the others takes for ever
    uart.main(quick=True, rest=True, jobs=1)
    assert measured[len(plan):] == plan[1:]
    rows = rows_in(out / "uart-quick.json")
    assert [uart_plan.key(r) for r in rows] == list(map(uart_plan.key, plan))
    assert all(r["commit"] for r in rows)
    with pytest.raises(SystemExit, match="has all these rows"):
        uart.main(quick=True, rest=True, jobs=1)


def test_a_full_disk_ends_the_run_with_a_sentence(out, monkeypatch):
    measured = []

    def one(spec, *_):
        time.sleep(0.02)  # or all are measured before the first is written
        measured.append(spec)
        return {**uart.figures(SPEC, raw()), "boots": 2, **spec}

    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(uart, "run", one)
    uart.main(quick=True, only="simplex", jobs=1)
    before = (out / "uart-quick.json").read_bytes()
    measured.clear()
    monkeypatch.setattr(uart.os, "replace", full)
    with pytest.raises(SystemExit) as end:
        uart.main(quick=True, jobs=1)
    assert "cannot write " in end.value.code
    assert "uart-quick.json: No space left on device" in end.value.code
    assert len(measured) < len(uart_plan.plan_quick())
    assert (out / "uart-quick.json").read_bytes() == before


def test_a_table_that_is_none_is_refused(out):
    for text in ("", "[", "[1]", '{"a": 1}'):
        (out / "uart-quick.json").write_text(text)
        with pytest.raises(SystemExit, match="is not a table"):
            uart.main(quick=True, rest=True, jobs=1)


@pytest.mark.parametrize("arguments,why", [
    (["--only", "septuplex", "--quick", "uart"],
     "no row has 'septuplex' in its name; a name is such as 'simplex inter"),
    (["--jobs", "0", "uart"], "--jobs: invalid positive value: '0'"),
    (["--only", " ", "uart"], "--only: invalid words value: ' '"),
    (["--machine", "stock", "uart"],
     "--machine is not for uart: it runs on the native machine"),
    (["--delivery", "native", "uart"], "--delivery is not for uart"),
    (["--machine", "native", "--mem", "128M", "uart"], "--mem is not for uart"),
    (["--delivery", "native", "micro"], "--delivery native is not to be had "
     "with --machine stock, only: auto, emulated, notify"),
    (["--delivery", "emulated", "--machine", "native", "micro"],
     "with --machine native, only: auto, native, notify"),
    (["--markdown", "--quick", "uart"], "--quick is not for --markdown"),
    (["--markdown", "--machine", "native", "micro"],
     "--machine is not for --markdown: it takes what was measured"),
    (["--only", "", "micro"], "--only: invalid words value: ''"),
    (["--jobs", "2", "micro"], "--jobs is not for micro, only for uart"),
    (["--quick", "micro"], "--quick is not for micro, only for uart"),
    (["uarts"], "invalid choice: 'uarts' (choose from 'micro', 'uart')")])
def test_a_wrong_option_is_refused(arguments, why, tmp_path):
    if "--only" in arguments and shutil.which("true"):
        # whether there is a QEMU is another question
        done = bench(*arguments, QEMU=shutil.which("true"))
    else:
        done = bench(*arguments, UINTA_CACHE=str(tmp_path))
    assert done.returncode in (1, 2)
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_qemu_is_said_once(tmp_path):
    done = bench("--quick", "uart", UINTA_CACHE=str(tmp_path), QEMU="")
    assert done.returncode == 1
    assert "native machine, whose QEMU is missing: " in done.stderr
    assert "make qemu MACHINE=native" in done.stderr
    assert "[1/" not in done.stderr


def test_a_missing_gnuplot_is_said_before_a_full_run(out, monkeypatch):
    monkeypatch.setattr(gnuplot.shutil, "which", lambda _: None)
    monkeypatch.setattr(gnuplot.subprocess, "run", lambda *_, **__: None)
    monkeypatch.setattr(uart, "run", lambda *_: pytest.fail("measured"))
    with pytest.raises(SystemExit, match="no gnuplot.*install gnuplot-nox"):
        uart.main()


# ---- the report --------------------------------------------------------

@pytest.mark.skipif(not shutil.which("gnuplot"), reason="no gnuplot here")
def test_every_plot_is_drawn_twice(tmp_path):
    specs = [uart_plan.row(load, mode, "v3") for load in ("simplex", "duplex")
             for mode in ("interrupt", "polling")] + [
        uart_plan.row("pingpong", "interrupt", "v3", batch=8),
        uart_plan.row("simplex", "interrupt", "v3", gather=1)]
    uart_plots.draw([uart.figures(spec, raw()) for spec in specs] +
                    [{**SPEC, "error": "no"}], str(tmp_path))
    for name in uart_plots.NAMES:
        assert b"</svg>" in (tmp_path / f"uart-{name}.svg").read_bytes()
        assert (tmp_path / f"uart-{name}.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.skipif(not shutil.which("gnuplot"), reason="no gnuplot here")
def test_a_plot_that_was_not_written_is_told(tmp_path):
    for suffix, commands, why in (
            ("svg", ["set terminal svg", "set output '{}'", "plot 1"], None),
            ("svg", ["set terminal svg", "set output '/dev/full'", "plot 1"],
             "cut off: is the disk full"),
            ("png", ["set terminal pngcairo", "set output '/dev/full'",
                     "plot 1"], "cut off: is the disk full"),
            ("svg", ["plot nonsense"], "gnuplot: .*nonsense|undefined")):
        path = tmp_path / f"plot.{suffix}"
        path.write_bytes(b"")
        commands = [c.format(path) for c in commands]
        if why:
            with pytest.raises(gnuplot.PlotError, match=why):
                gnuplot.draw(commands, str(path))
        else:
            gnuplot.draw(commands, str(path))


def test_the_summary_takes_the_best_sound_row_and_says_what_is_missed():
    def row(kbytes, busy, mode="interrupt", **changed):
        ends = [0, kbytes * 1000] if changed.get("lost") is None else [1, 1]
        spec = uart_plan.row("simplex", mode, changed.pop("flow", "v3"),
                             gather=changed.pop("gather", None))
        return uart.figures(spec, raw(
            sent=[600, 0], received=ends, received_ns=[1, 1_000_000_000],
            idle=[round((1 - busy) * 1_000_000)] * 4, **changed))
    rows = [row(500, 0.5), row(620, 0.5, "async"), row(624, 0.5, gather=1),
            row(623, 0.5, flow="none", lost=[0, 1]), {**SPEC, "error": "no"}]
    lines = uart_table.summary(rows)
    assert lines[1] == ("6.25 Mbaud simplex, interrupt modes, native", "416",
                        "619, under 60 % busy", "620.0", "async v3, 4 harts",
                        "50.0", "yes")
    assert lines[2][3] == "not measured"
    turned = {**row(623, 0.5), "turn": 32}
    assert uart_table.summary(rows + [turned])[1][4] == \
        "interrupt v3, 4 harts, turn 32"
    assert uart_table.summary([row(618, 0.5)])[1][-1] == "no"
    assert uart_table.summary([row(620, 0.7)])[1][-1] == "no"


def test_the_document_says_of_which_commits_its_rows_are():
    rows = [{"commit": "1"}, {"commit": "2+"}, {"commit": "1"}]
    missing = len(uart_plan.plan_full()) - 3
    assert uart_report.origin(rows).strip() == (
        f"Measured at commit 1 (2 rows), 2+ (1 rows); {missing} rows of the "
        "plan are not measured.")
    results = [{**uart.figures(SPEC, raw()), "commit": c} for c in ("1", "2")]
    assert [line[-1] for line in uart_report.rows_table(results)] == \
        ["commit", "1", "2"]
    assert uart_report.rows_table(results[:1])[0] == uart_report.HEADING
