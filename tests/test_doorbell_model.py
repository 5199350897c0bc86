"""Model of sleeping and doorbells (tests/model/doorbell.pml) under Spin.

The model itself must have no error; each of its broken variants must have
one, so that the check is known to be able to fail.
"""
import re
import shutil
import subprocess
from pathlib import Path

import pytest

MODEL = Path(__file__).parent / "model" / "doorbell.pml"

pytestmark = pytest.mark.skipif(not shutil.which("spin"),
                                reason="spin is not installed")


def explore(folder, *defines):
    """All states of a variant; returns (errors, states)."""
    def run(*command):
        return subprocess.run(command, cwd=folder, check=True, timeout=120,
                              capture_output=True, text=True).stdout
    run("spin", *(f"-D{d}" for d in defines), "-a", str(MODEL))
    run("gcc", "-w", "-O2", "-DSAFETY", "-o", "pan", "pan.c")
    output = run("./pan", "-m100000")
    assert "max search depth too small" not in output, output
    return (int(re.search(r"errors: (\d+)", output)[1]),
            int(re.search(r"(\d+) states, stored", output)[1]))


def test_nobody_sleeps_for_ever(tmp_path):
    errors, states = explore(tmp_path)
    assert errors == 0
    assert states > 100000  # it did explore something


@pytest.mark.parametrize("variant", ["NO_SLEEPER_FENCE", "NO_RINGER_FENCE",
                                     "LOOK_FIRST", "CLEAR_AFTER"])
def test_broken_variant_is_found(tmp_path, variant):
    errors, _ = explore(tmp_path, variant)
    assert errors > 0
