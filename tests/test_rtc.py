"""The RTC driver: time of day, alarms, and its death while somebody waits."""
import datetime
import re

import pytest

from harness.machine import boots


@pytest.fixture(name="m", scope="module", params=[
    {"smp": 1}, {"smp": 4}, {"smp": 2, "delivery": "notify"},
    {"smp": 2, "machine": "k210"}],
    ids=["1 hart", "4 harts", "notify", "k210"])
def fixture_machine(request):
    with boots(**request.param) as machine:
        yield machine
        assert machine.halt() == 0


def test_time_of_day(m):
    before = datetime.datetime.now(datetime.timezone.utc)
    text = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", m.run("date"))
    assert text
    told = datetime.datetime.strptime(text[0] + "+0000",
                                      "%Y-%m-%d %H:%M:%S UTC%z")
    assert abs((told - before).total_seconds()) < 60
    assert "usage" in m.run("date -w soon")


def test_alarm(m):
    waited = float(re.search(r"real (\d+\.\d+) s",
                             m.run("time date -w 1.2"))[1])
    assert 1.2 <= waited < 10
    # an alarm in the past is due at once
    waited = float(re.search(r"real (\d+\.\d+) s",
                             m.run("time date -w 0"))[1])
    assert waited < 10
    row = re.search(r"^ *11 rtc +\S+ +\d+ +(\d+) +(\d+)", m.run("irqs"), re.M)
    assert row and int(row[1]) + int(row[2]) >= 1


def test_driver_dies_while_a_client_waits(m):
    pid = re.search(r"^ *(\d+) .*\brtc\b", m.run("ps"), re.M)[1]
    m.run("date -w 1000 &")
    m.run("sleep 0.3")
    m.send(f"kill {pid}\r")
    # Only when both have come, in whatever order, is the next line typed: what
    # a job writes may fall into the echo of a line.
    gone = r"the other side is gone\r+\n"
    m.expect(rf"{gone}.*uinta\$ |uinta\$ .*{gone}")
    m.run("sleep 1")
    assert re.search(r"\d{4}-\d\d-\d\d .* UTC", m.run("date"))
