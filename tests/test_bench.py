"""make bench: what it refuses, what it measures, and that it repeats."""
import json
import os
import re
import subprocess

import pytest

from harness.machine import MACHINES

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FIELDS = {"name", "machine", "delivery", "unit", "n", "min", "median", "p99",
          "max"}
# Rows of the project's table, and how many instructions they may take.
REACH = {
    ("null", "-"): 100,
    ("call-reply", "-"): 600,
    ("notification-pingpong", "-"): 1200,
    ("interrupt-running", "emulated"): 180,
    ("interrupt-running-whole", "emulated"): 420,
    ("interrupt-idle", "emulated"): 450,
    ("interrupt-idle", "notify"): 450,
    ("interrupt-running-whole", "notify"): 1050,
    ("ring-byte-64", "-"): 4,
    ("spawn-exit-wait", "-"): 60000,
}
REACH_NATIVE = {
    ("interrupt-running", "native"): 40,
    ("interrupt-running-whole", "native"): 130,
    ("interrupt-idle", "native"): 150,
    ("interrupt-busy", "native"): 900,
    ("switch-added-none", "native"): 0,
    ("switch-added-state", "native"): 60,
}


def bench(*arguments):
    return subprocess.run([f"{TOP}/tools/bench", *arguments], cwd=TOP,
                          text=True, capture_output=True, timeout=300,
                          stdin=subprocess.DEVNULL, check=False)


def test_unknown_name_is_refused_with_the_list():
    done = bench("nano")
    assert done.returncode == 2
    assert "micro" in done.stderr


@pytest.mark.parametrize("machine", [
    "stock", pytest.param("native", marks=pytest.mark.skipif(
        "native" not in MACHINES, reason="the patched QEMU is not to be had"))])
def test_micro(machine):
    done = bench("--machine", machine, "micro")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two boots gave exactly the same numbers" in done.stdout
    suffix = "" if machine == "stock" else "-native"
    with open(f"{TOP}/build/bench/micro{suffix}.json", encoding="utf-8") as file:
        rows = json.load(file)
    for row in rows:
        assert set(row) == FIELDS
        assert row["n"] == 1000
        assert 0 <= row["min"] <= row["median"] <= row["p99"] <= row["max"]
        assert row["min"] > 0 or row["name"] == "switch-added-none"
    median = {(row["name"], row["delivery"]): row["median"] for row in rows}
    assert len(median) == len(rows)
    reach = REACH_NATIVE if machine == "native" else REACH
    missed = {key: median[key] for key, most in reach.items()
              if median[key] > most}
    assert not missed
    # in the table that compares deliveries
    key = "interrupt-running-whole", ("native" if machine == "native"
                                      else "emulated")
    assert re.search(rf"^same, whole: claim.* {median[key]} \({reach[key]}\)",
                     done.stdout, re.M), done.stdout
