"""make bench BENCH=uart: the quick rows, their repetition, and no figure worse
than the committed one."""
import copy
import json
import os
import subprocess
import sys

import pytest

from harness.machine import MACHINES

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COMMITTED = f"{TOP}/docs/benchmarks/uart-quick.json"
sys.path.insert(0, f"{TOP}/tools")
sys.dont_write_bytecode = True
from benches import uart, uart_report  # noqa: E402


def read(path):
    with open(path, encoding="utf-8") as file:
        return {uart.key(row): row for row in json.load(file)}


def test_every_planned_row_is_committed():
    assert set(read(COMMITTED)) == {uart.key(r) for r in uart.plan_quick()}


@pytest.mark.skipif("native" not in MACHINES,
                    reason="the wired UARTs are the native machine's")
def test_quick_rows_are_no_worse_than_committed():
    done = subprocess.run([f"{TOP}/tools/bench", "--quick", "uart"], cwd=TOP,
                          text=True, capture_output=True, timeout=600,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two boots of each row gave exactly the same numbers" in done.stdout
    committed = read(COMMITTED)
    worse = {uart.name(row): uart_report.worse(row, committed[key])
             for key, row in read(f"{TOP}/build/bench/uart-quick.json").items()}
    assert not {name: what for name, what in worse.items() if what}


def test_a_worse_figure_is_found():
    for row in read(COMMITTED).values():
        assert not uart_report.worse(row, row)
        for field, factor in (("rate", 0.94), ("busy", 1.06),
                              ("instructions_per_byte", 1.06)):
            now = copy.deepcopy(row)
            now[field] = [v * factor for v in now[field]] \
                if field == "rate" else now[field] * factor
            if now[field] != row[field]:
                assert uart_report.worse(now, row), field
        for field in ("lost", "wrong"):
            assert uart_report.worse({**row, field: row[field] + 1}, row)
    slower = copy.deepcopy(next(r for r in read(COMMITTED).values()
                                if "latency_ns" in r))
    slower["latency_ns"]["p99"] *= 1.06
    assert uart_report.worse(slower, read(COMMITTED)[uart.key(slower)])


def test_the_content_made_here_is_the_guests():
    # tests/host/test_bench_content.c has the guest's; this is Python's.
    assert uart.content_crc(0, 8) != uart.content_crc(1, 8)
    assert uart.crc_wrong({"crc_a": [8, 1, 1]})
    crc = uart.content_crc(0, 64)
    assert not uart.crc_wrong({"crc_a": [64, crc, crc]})
    assert uart.crc_wrong({"crc_a": [64, crc, crc + 1]})
