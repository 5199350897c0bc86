"""One QEMU with Uinta in it: started, typed at, ended, and never left behind.

A Machine is a context manager. It has a hard limit in wall-clock seconds and
one in bytes of output; what was written is kept and shown when a test fails.
Everything else waits for text on the console, never for time to pass.
"""
import os
import signal
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parents[2]
PROMPT = "uinta$ "
LAST_LINES = 100      # of the output, shown with a failure
CAP = 20_000_000      # bytes of output that one run may write
ICOUNT = {1: 4}       # shift by number of harts ...
ICOUNT_SMP = 7        # ... and with more than one, see docs/testing.md
TURN = 10000          # instructions of one hart before the next: our QEMU's
EMULATED = "emulated"  # a machine of ours: see Machine
# What tests run on; tools/test takes those out that cannot be had.
MACHINES = os.environ.get("UINTA_MACHINES", "stock native k210").split()


def icount_shift(smp):
    """The -icount shift that tests use with so many harts."""
    return ICOUNT.get(smp, ICOUNT_SMP)


class Stopped(Exception):
    """The machine said something fatal, ended, or said nothing in time."""


class Machine:
    """machine and relay as tools/run-qemu knows them, or machine EMULATED: the
    native one without N in its harts; smp harts, mem as QEMU has it, icount None or shift, append: the boot arguments, extra: QEMU's own
    options, limit: seconds. bios, kernel and initrd replace build/'s; initrd
    "" boots without one."""

    def __init__(self, smp=1, mem="128M", icount=None, append="",
                 delivery="auto", extra=(), limit=60, bios=None, kernel=None,
                 initrd=None, machine="stock", relay=None):
        if machine == EMULATED:
            machine, extra = "native", ["-cpu", "rv64,x-n=off", *extra]
        append = " ".join(f"delivery={delivery} {append}".split())
        self.command = [str(TOP / "tools/run-qemu"), "--machine", machine,
                        "--smp", str(smp), "--mem", mem, "--append", append]
        for name, value in (("relay", relay), ("bios", bios), ("kernel", kernel),
                            ("initrd", initrd)):
            if value is not None:
                self.command += [f"--{name}", str(value) or "none"]
        self.command.append("--")
        if icount is not None:
            # of several harts: nothing of the host's clock, docs/testing.md
            turns = machine == "native" and smp > 1
            self.command += ["-icount",
                             f"shift={icount}{',sleep=off' * turns}", "-rtc",
                             f"clock=vm{',base=2026-01-01' * turns}"]
            if turns:
                self.command += ["-accel", f"tcg,icount-turn={TURN}"]
        self.command += list(extra)
        self.limit = limit
        self.started = None
        self.child = None
        self.text = []

    # -- life ----------------------------------------------------------------

    def __enter__(self):
        self.started = time.monotonic()
        self.child = pexpect.spawn(
            self.command[0], self.command[1:], timeout=None, maxread=65536,
            encoding="latin-1", codec_errors="replace", echo=False,
            dimensions=(50, 200))
        self.child.delaybeforesend = None
        self.child.logfile_read = self
        return self

    def __exit__(self, *unused):
        self.kill()

    def kill(self):
        """End QEMU whatever it does."""
        if self.child is not None and self.child.isalive():
            self.child.kill(signal.SIGKILL)
            self.child.wait()
        if self.child is not None:
            self.child.close(force=True)

    # pexpect writes what it reads here
    def write(self, text):
        """Keep what the machine wrote."""
        self.text.append(text)
        if sum(map(len, self.text[-1000:])) > CAP:
            self.kill()

    def flush(self):
        """For pexpect."""

    @property
    def output(self):
        """All that the machine wrote, with plain line ends."""
        return "".join(self.text).replace("\r", "")

    def left(self, seconds):
        """Seconds until `seconds` from now or the limit, what is nearer."""
        return max(0.05, min(seconds,
                             self.started + self.limit - time.monotonic()))

    # -- talking -------------------------------------------------------------

    def expect(self, pattern, seconds=20):
        """Wait for a regular expression; the match. A panic ends it."""
        patterns = pattern if isinstance(pattern, list) else [pattern]
        try:
            found = self.child.expect(
                patterns + [r"PANIC hart[^\n]*\n", pexpect.EOF,
                            pexpect.TIMEOUT], timeout=self.left(seconds))
        except (OSError, pexpect.ExceptionPexpect) as error:
            self.fail(str(error))
        if found == len(patterns):
            why = self.child.after.strip()
            try:  # the rest of the report
                self.child.expect(pexpect.EOF, timeout=3)
            except pexpect.ExceptionPexpect:
                pass
            self.fail(why)
        if found == len(patterns) + 1:
            self.fail(f"the machine ended while waiting for {pattern!r}")
        if found == len(patterns) + 2:
            self.fail(f"no {pattern!r} in {seconds} s")
        self.found = found
        return self.child.match

    def fail(self, why):
        """Raise, with the last lines that were written."""
        lines = self.output.split("\n")[-LAST_LINES:]
        raise Stopped(f"{why}\n{' '.join(self.command)}\n"
                      "---- last lines ----\n" + "\n".join(lines))

    def prompt(self, seconds=20):
        """Wait for the shell; what was written before the prompt."""
        self.expect(r"uinta\$ ", seconds)
        return self.child.before.replace("\r", "")

    def send(self, text):
        """Type this."""
        self.child.send(text)

    def run(self, command, seconds=20):
        """Type a command at the prompt, wait for the next one; its output."""
        self.send(command + "\r")
        self.expect(r"\r\n", seconds)  # the echo
        return self.prompt(seconds)

    def dmesg(self):
        """The kernel's log, if the shell still answers."""
        try:
            return self.run("dmesg", 5)
        except Stopped:
            return "(no answer to dmesg)"

    def halt(self, seconds=10):
        """Type halt; QEMU's exit status."""
        self.send("halt\r")
        return self.status(seconds)

    def status(self, seconds=10):
        """Wait for QEMU's end; its exit status."""
        until = time.monotonic() + self.left(seconds)
        while True:
            try:
                self.child.expect(pexpect.EOF,
                                  timeout=max(0.05,
                                              until - time.monotonic()))
                break
            except pexpect.TIMEOUT:
                self.fail(f"QEMU did not end in {seconds} s")
        self.child.wait()
        if self.child.signalstatus is not None:
            return -self.child.signalstatus
        return self.child.exitstatus


def boots(seconds=30, **options):
    """A booted machine at its prompt: `with boots(smp=2) as m: ...`."""
    machine = Machine(**options)

    class Booted:
        """Waits for the first prompt on the way in."""

        def __enter__(self):
            machine.__enter__()
            try:
                machine.prompt(seconds)
            except BaseException:
                machine.kill()
                raise
            return machine

        def __exit__(self, *unused):
            machine.kill()

    return Booted()


def environment():
    """What the tests need; a sentence if something is missing, else None."""
    for name in ("sbi/fw.bin", "kernel/kernel.elf", "boot.cpio"):
        if not os.path.exists(TOP / "build" / name):
            return f"build/{name} is missing: run make"
    return None
