"""Bare-metal programs (tests/NAME/*.c with tests/bare) as pytest cases.

One boot runs all cases; each that the sources name gets a verdict: what the
program said, or, if it said nothing, how the run ended.
"""
import re
import subprocess

from .machine import TOP

CAP = 1_000_000


def cases(program):
    """Names of the cases, from the sources."""
    names = []
    for source in sorted((TOP / "tests" / program).glob("*.c")):
        names += re.findall(r"^CASE\((\w+)\)",
                            source.read_text(encoding="utf-8"), re.M)
    return names


class Run:
    """What one boot said: extra are options of QEMU."""

    def __init__(self, program, machine="native", smp=2, extra=(), limit=60):
        self.cases = cases(program)
        done = subprocess.run(
            [TOP / "tools/run-qemu", "--machine", machine, "--smp", str(smp),
             "--timeout", str(limit), "--bios", "none", "--initrd", "none",
             "--kernel", TOP / f"build/tests/{program}.elf", "--", *extra],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=limit + 10, check=False)
        self.output = done.stdout[-CAP:].decode(errors="replace")
        self.status = done.returncode
        self.said = dict(
            (m[2], m[3] or None) for m in
            re.finditer(r"^(ok|FAIL) (\w+)(?:: (.*))?$",
                        self.output.replace("\r", ""), re.M))
        self.summary = re.search(r"^(\d+) ok, (\d+) failed", self.output, re.M)

    def why(self, case):
        """None if the case passed, or why it did not."""
        if case in self.said:
            return self.said[case]
        return f"said nothing; status {self.status}:\n{self.output[-1500:]}"

    def complete(self):
        """None if the program ran to its end, or what is wrong."""
        if not self.summary:
            return f"no summary; status {self.status}:\n{self.output[-1500:]}"
        failed = int(self.summary[2])
        if int(self.summary[1]) + failed != len(self.cases):
            return f"{self.summary[0]}, of {len(self.cases)} cases"
        if (self.status == 0) != (failed == 0):
            return f"{self.summary[0]}, but status {self.status}"
        return None
