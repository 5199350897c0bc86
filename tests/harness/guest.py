"""Guest test programs (tests/guest/NAME.c) as pytest cases.

One boot runs one program with all its cases; each case that the program's
source names gets a verdict of its own: what the program said, or, if it said
nothing, why it could not.
"""
import re
import subprocess

from .machine import TOP, Machine, Stopped, icount_shift

GUEST = TOP / "tests/guest"


def cases(program):
    """Names of the cases, from the source."""
    return re.findall(r"^TEST\((\w+)\)", source(program), re.MULTILINE)


def source(program):
    """The C source of a program, NAME.c or NAME/*.c."""
    files = sorted(GUEST.glob(f"{program}.c")) or \
        sorted(GUEST.glob(f"{program}/*.c"))
    return "\n".join(f.read_text(encoding="utf-8") for f in files)


def programs():
    """Programs that speak this protocol."""
    names = {p.stem for p in GUEST.glob("*.c")} | \
        {p.parent.name for p in GUEST.glob("*/*.c")}
    return sorted(n for n in names
                  if re.search(r"TEST_MAIN|\btest_main\(", source(n)))


class Run:
    """What one boot of one program said."""

    def __init__(self, program, smp, icount, limit=120, only=(), extra=(),
                 machine="stock", relay=None):
        self.verdicts = {}
        self.why = None  # why cases may be missing
        shift = icount_shift(smp) if icount else None
        append = " ".join([f"run=/test/{program}", *only])
        with Machine(smp=smp, icount=shift, append=append, limit=limit,
                     extra=extra, machine=machine, relay=relay) as m:
            try:
                m.expect(rf"run: /test/{program}: [^\r\n]*", limit)
                self.end = m.child.after
                self.status = m.status()
            except Stopped as stopped:
                self.end, self.status = str(stopped), None
            self.output = m.output
        self.read()

    def read(self):
        """Find the verdicts in the output."""
        for line in self.output.split("\n"):
            # hostile's liars print bytes of their own, also before our words
            match = re.match(r"[^ -~]*(ok|FAIL|skip) (\w+)(?:: (.*))?$", line)
            if match:
                self.verdicts[match[2]] = (match[1], match[3] or "")
        done = re.search(r"^done (\d+) ok, (\d+) failed$", self.output, re.M)
        if not done:
            self.why = f"the program did not finish: {self.end}"
            if "exited 97" in self.end:
                self.why = "hung, ended by the watchdog; the first of these"
        elif self.status != (0 if done[2] == "0" else 1):
            self.why = f"QEMU's exit status is {self.status}"

    def verdict(self, case):
        """(word, why) of this case."""
        if case in self.verdicts:
            return self.verdicts[case]
        missing = [c for c in cases_of(self) if c not in self.verdicts]
        first = f" (first without verdict: {missing[0]})" if missing else ""
        return "FAIL", f"no verdict: {self.why}{first}"


def cases_of(run):
    """Helper for messages: the cases a run was to report, if known."""
    return getattr(run, "expected", [])


def symbolise(text):
    """Panic addresses as functions, where tools/symbolise is there."""
    tool = TOP / "tools/symbolise"
    if "PANIC" not in text or not tool.exists():
        return ""
    done = subprocess.run([str(tool)], input=text, capture_output=True,
                          text=True, timeout=20, check=False, cwd=TOP)
    return done.stdout[-3000:]
