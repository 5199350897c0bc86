"""User interrupts by a hart that has them, and by one that lacks them."""
import re
import subprocess
from pathlib import Path

import pytest

from harness.machine import MACHINES, Machine, boots
from harness.qtest import Monitor

TOP = Path(__file__).resolve().parents[1]
needs_native = pytest.mark.skipif("native" not in MACHINES,
                                  reason="the patched QEMU is not to be had")
N_CSRS = ["sedeleg", "sideleg", "ustatus", "uip", "uie", "utvec", "uscratch",
          "uepc", "ucause", "utval"]


def test_native_asked_for_on_a_hart_without_n():
    """It runs emulated, and says so where the person looks."""
    with boots(smp=2, delivery="native") as machine:
        greeting = "".join(machine.text)
        assert "delivery=native is not to be had here" in greeting
        assert "the firmware emulates it" in greeting
        assert "emulated by the firmware" in machine.run("irqs")
        assert machine.halt() == 0


def test_what_is_asked_for_and_there_needs_no_notice():
    """The notice is for what was asked in vain."""
    with boots(smp=1, delivery="emulated") as machine:
        assert "not to be had" not in "".join(machine.text)
        assert machine.halt() == 0


@needs_native
def test_native_delivery_says_so():
    """In `irqs` and in the log, and without being asked for."""
    with boots(smp=2, machine="native") as machine:
        assert "native: the hart has the N extension" in machine.run("irqs")
        assert "user interrupts: native" in machine.run("dmesg")
        assert machine.halt() == 0


def qemu(*options, machine="native", seconds=60):
    """Run QEMU without Uinta until it ends; status and output."""
    done = subprocess.run(
        [TOP / "tools/run-qemu", "--machine", machine, *options],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, timeout=seconds, check=False)
    return done.returncode, done.stdout.decode(errors="replace")


ISA = ["--smp", "1", "--kernel", TOP / "build/tests/isa.elf", "--initrd",
       "none", "--", "-icount", "shift=0,sleep=off", "-rtc",
       "base=2026-01-01,clock=vm"]


@needs_native
def test_without_the_property_it_is_stock_qemu(tmp_path):
    """
    Our QEMU with N off: the conformance program, emulated, says the same to
    the last instruction count, and takes as many traps, but for a few.
    """
    said, traps = [], []
    for machine, off in (("stock", []), ("native", ["-M", "virt,uintr=off"])):
        log = tmp_path / machine
        status, output = qemu(*ISA, *off, "-d", "int", "-D", str(log),
                              machine=machine, seconds=120)
        assert status == 0, output[-1000:]
        said.append(output)
        with open(log, encoding="latin-1") as lines:
            traps.append(sum(1 for _ in lines))
    assert "isa: N is emulated" in said[0]
    assert said[0] == said[1]
    # a wfi may end one look later, by the host's clock (tools/bench)
    assert abs(traps[0] - traps[1]) <= 10 and traps[0] > 400_000


@needs_native
@pytest.mark.parametrize("cpu,why", [
    ("rv64,x-n=true,s=false,h=false,u=false", "N extension requires U-mode"),
    ("rv64,x-n=true,Zicsr=false,f=false,d=false", "N extension requires Zicsr"),
])
def test_cpu_that_cannot_have_n(cpu, why):
    """Refused, by name."""
    status, output = qemu("--kernel", "none", "--initrd", "none", "--",
                          "-M", "virt,uintr=off", "-cpu", cpu)
    assert status == 1 and why in output


def n_state(monitor):
    """The N CSRs by name."""
    text = monitor.do("info registers")
    return {name: re.search(rf"\b{name} +([0-9a-f]+)", text).group(1)
            for name in N_CSRS}


@needs_native
def test_n_state_survives_migration(tmp_path):
    """The conformance program, moved in the middle, passes elsewhere."""
    state = tmp_path / "state"
    program = {"smp": 1, "machine": "native", "initrd": "",
               "kernel": TOP / "build/tests/isa.elf"}
    monitors = [["-monitor", f"unix:{tmp_path}/{n},server=on,wait=off"]
                for n in (1, 2)]
    with Machine(extra=monitors[0], **program) as machine:
        machine.expect("ok trap.usip-write")
        monitor = Monitor(tmp_path / "1")
        monitor.do("stop")
        before = n_state(monitor)
        monitor.save(state)
    assert int(before["utvec"], 16) and int(before["sideleg"], 16)
    incoming = ["-S", "-incoming", f"exec:cat {state}", *monitors[1]]
    with Machine(extra=incoming, **program) as machine:
        monitor = Monitor(tmp_path / "2")
        monitor.arrived()
        assert n_state(monitor) == before
        monitor.do("cont")
        machine.expect("[0-9]+ ok, 0 failed, 0 not shown")


@needs_native
def test_no_trap_to_kernel_or_firmware_on_the_way(tmp_path):
    """
    While the driver runs on the hart, the device's interrupt enters it at
    utvec, and no other trap comes between the device's store and that.
    """
    log = tmp_path / "int"
    status, output = qemu(
        "--smp", "1", "--append", "run=/bench/micro", "--", "-icount",
        "shift=0,sleep=off", "-rtc", "base=2026-01-01,clock=vm",
        "-d", "int", "-D", str(log), seconds=200)
    assert status == 0, output[-1000:]
    row = re.search(r'"interrupt-running", "delivery": "native".*', output)
    assert row, output[-1000:]
    run = most = 0
    with open(log, encoding="latin-1") as lines:
        for line in lines:
            run = run + 1 if "desc=u_external" in line else 0
            most = max(most, run)
    assert most >= 1000  # one measurement: interrupts and nothing else
