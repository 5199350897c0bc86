"""Drawing with gnuplot, and knowing whether it did."""
import os
import shutil
import subprocess

PACKAGES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "packages")
LAST = {"svg": b"</svg>", "png": b"IEND"}
LAST_BYTES = 16  # of a whole file: LAST is within these


class PlotError(Exception):
    """There is no plot; the text says why and what to do."""


def check():
    """There is a gnuplot, or it is installed now, or PlotError."""
    if shutil.which("gnuplot"):
        return
    subprocess.run([PACKAGES], check=False)
    if not shutil.which("gnuplot"):
        raise PlotError("no gnuplot, which draws: install gnuplot-nox")


def draw(commands, path):
    """
    Runs the commands, which write `path`, or PlotError. gnuplot itself says
    nothing when a disk is full, so the end of the file is looked at.
    """
    done = subprocess.run(["gnuplot"], input="\n".join(commands) + "\n",
                          text=True, capture_output=True, check=False)
    if done.returncode:
        raise PlotError(f"gnuplot: {done.stderr.strip()}")
    with open(path, "rb") as file:
        end = file.read()[-LAST_BYTES:]
    if LAST[path.rsplit(".", 1)[1]] not in end:
        raise PlotError(f"{os.path.relpath(path)} is cut off: is the disk full?")
