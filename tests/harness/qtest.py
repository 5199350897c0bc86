"""QEMU's devices without a hart: -accel qtest, where the test itself reads and
writes registers and moves the time, so that a device is stopped, looked at and
migrated at an exact point."""
import os
import signal
import socket
import subprocess
import time

from .machine import TOP

SECONDS = 30


def connect(path):
    """A socket that QEMU makes when it starts."""
    end = time.monotonic() + SECONDS
    while True:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(SECONDS)
        try:
            connection.connect(str(path))
            return connection
        except OSError as error:
            connection.close()
            assert time.monotonic() < end, f"no {path}: {error}"
            time.sleep(0.05)


class Monitor:
    """QEMU's human monitor on a socket."""

    def __init__(self, path):
        self.socket = connect(path)
        self.read()

    def read(self):
        """Up to its prompt."""
        text = b""
        while not text.endswith(b"(qemu) "):
            part = self.socket.recv(65536)
            assert part, f"the monitor is gone after {text[-500:]}"
            text += part
        return text.decode()

    def do(self, command):
        """One command; what it says."""
        self.socket.sendall(command.encode() + b"\n")
        return self.read()

    def quit(self):
        """End QEMU, so that its files are written."""
        self.socket.sendall(b"quit\n")

    def save(self, path):
        """Stop, and migrate to a file."""
        self.do("stop")
        self.do(f'migrate "exec:cat > {path}"')
        assert "completed" in self.do("info migrate")

    def arrived(self):
        """Wait until what was migrated here is complete."""
        while "inmigrate" in self.do("info status"):
            time.sleep(0.05)


class Board:
    """The native machine's devices, a context manager. folder: for sockets,
    extra: QEMU's options, state: a file to come from."""

    def __init__(self, folder, name, extra=(), state=None):
        self.folder, self.name = folder, name
        self.extra = [*extra]
        if state:
            self.extra += ["-incoming", f"exec:cat {state}"]

    def __enter__(self):
        path = f"{self.folder}/{self.name}"
        with open(f"{path}.log", "wb") as log:
            self.process = subprocess.Popen(
                [TOP / "tools/run-qemu", "--machine", "native", "--smp", "1",
                 "--bios", "none", "--kernel", "none", "--initrd", "none",
                 "--timeout", str(2 * SECONDS), "--", "-accel", "qtest",
                 "-serial", "null", "-qtest-log", "none",
                 "-qtest", f"unix:{path}.qtest,server=on,wait=off",
                 "-monitor", f"unix:{path}.monitor,server=on,wait=off",
                 *self.extra],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        try:
            self.monitor = Monitor(f"{path}.monitor")
            self.monitor.arrived()
            self.lines = connect(f"{path}.qtest").makefile("rw")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        try:  # timeout and QEMU
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def do(self, command):
        """One command of qtest's; the value it answers, if it has one."""
        self.lines.write(command + "\n")
        self.lines.flush()
        words = self.lines.readline().split()
        assert words[:1] == ["OK"], (command, words)
        return int(words[1], 0) if len(words) > 1 else None

    def read8(self, address):
        """A byte."""
        return self.do(f"readb {address:#x}")

    def write8(self, address, value):
        """A byte."""
        self.do(f"writeb {address:#x} {value:#x}")

    def read32(self, address):
        """A word."""
        return self.do(f"readl {address:#x}")

    def write32(self, address, value):
        """A word."""
        self.do(f"writel {address:#x} {value:#x}")

    def step(self, ns):
        """So much time passes; the time it is then."""
        return self.do(f"clock_step {ns}")

    def time(self, ns):
        """It is that time, which does not migrate."""
        self.do(f"clock_set {ns}")
