"""The RTC driver: time of day, alarms, and its death while somebody waits."""
import datetime
import os
import re

import pexpect
import pytest

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROMPT = "uinta\\$ $"


class Shell:
    """The prompt of one boot; `ask` types a line and returns what came."""

    def __init__(self, smp, append, machine="stock"):
        self.qemu = pexpect.spawn(
            f"{TOP}/tools/run-qemu",
            ["--smp", str(smp), "--timeout", "60", "--append", append,
             "--machine", machine],
            encoding="utf-8", codec_errors="replace", timeout=20)
        self.qemu.expect(PROMPT)

    def ask(self, line):
        self.qemu.send(line + "\r")
        self.qemu.expect_exact(line)
        came = self.qemu.before  # of background jobs
        self.qemu.expect(PROMPT)
        return came + self.qemu.before

    def end(self):
        self.qemu.send("halt\r")
        self.qemu.expect(pexpect.EOF)
        self.qemu.close()


@pytest.fixture(name="shell", scope="module", params=[(1, "delivery=auto"),
                                      (4, "delivery=auto"),
                                      (2, "delivery=notify"),
                                      (2, "delivery=auto", "k210")],
                ids=["1 hart", "4 harts", "notify", "k210"])
def fixture_shell(request):
    shell = Shell(*request.param)
    yield shell
    shell.end()


def test_time_of_day(shell):
    before = datetime.datetime.now(datetime.timezone.utc)
    text = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", shell.ask("date"))
    assert text
    told = datetime.datetime.strptime(text[0] + "+0000",
                                      "%Y-%m-%d %H:%M:%S UTC%z")
    assert abs((told - before).total_seconds()) < 60
    assert "usage" in shell.ask("date -w soon")


def test_alarm(shell):
    waited = float(re.search(r"real (\d+\.\d+) s",
                             shell.ask("time date -w 1.2"))[1])
    assert 1.2 <= waited < 10
    # an alarm in the past is due at once
    waited = float(re.search(r"real (\d+\.\d+) s",
                             shell.ask("time date -w 0"))[1])
    assert waited < 10
    row = re.search(r"^ *11 rtc +\S+ +\d+ +(\d+) +(\d+)", shell.ask("irqs"),
                    re.M)
    assert row and int(row[1]) + int(row[2]) >= 1


def test_driver_dies_while_a_client_waits(shell):
    pid = re.search(r"^ *(\d+) .*\brtc\b", shell.ask("ps"), re.M)[1]
    shell.ask("date -w 1000 &")
    shell.ask("sleep 0.3")
    said = shell.ask(f"kill {pid}") + shell.ask("sleep 1")
    assert "the other side is gone" in said
    assert re.search(r"\d{4}-\d\d-\d\d .* UTC", shell.ask("date"))
