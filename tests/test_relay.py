"""MACHINE=k210: three ways to bring external interrupts to an S-mode that gets
none, and what the first two may not do. docs/design/relay.md quotes this."""
import re
import subprocess

import pytest

from harness import guest
from harness.machine import MACHINES, TOP, Machine, boots

RELAYS = ["claim", "call", "mask"]
pytestmark = pytest.mark.skipif("k210" not in MACHINES, reason="not on k210")

# ---- the firmware's side, case by case (tests/relay) ------------------------


def cases():
    """(relay, case) for each, as the source lists them."""
    source = (TOP / "tests/relay/main.c").read_text(encoding="utf-8")
    found = re.findall(r"^    \{RELAY_(\w+), \"(\w+)\",", source, re.M)
    return [(relay, "bad_calls") for relay in RELAYS] + \
        [(relay.lower(), case) for relay, case in found]


_boots = {}


def bare(relay):
    """What tests/relay says under this relay; booted once."""
    if relay not in _boots:
        done = subprocess.run(
            [TOP / "tools/run-qemu", "--machine", "k210", "--relay", relay,
             "--smp", "2", "--timeout", "30", "--cap", "100000", "--kernel",
             TOP / "build/tests/relay.elf", "--initrd", "none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=40, check=False)
        _boots[relay] = done.stdout.decode(errors="replace").replace("\r", "")
    return _boots[relay]


@pytest.mark.parametrize("relay,case", cases())
def test_relay(relay, case):
    """One thing that it does, or may not do."""
    said = bare(relay)
    assert re.search(rf"^ok {case}$", said, re.M), said[-1500:]


@pytest.mark.parametrize("relay", RELAYS)
def test_relay_runs_to_its_end(relay):
    """No case is left out."""
    wanted = [case for name, case in cases() if name == relay]
    assert f"{len(wanted)} ok, 0 failed" in bare(relay)


# ---- the whole system -------------------------------------------------------


def storm(relay, smp=1, icount=True):
    """(verdict, interrupts lost) of tests/guest/storm."""
    run = guest.Run("storm", smp, icount, machine="k210", relay=relay,
                    extra=["-device", "virtio-keyboard-device"])
    lost = re.search(r"# storm: (\d+) rounds, lost: rtc (\d+), keyboard (\d+)",
                     run.output)
    assert lost, run.output[-1500:]
    assert int(lost[1]) == 400
    return run.verdict("storm_of_two_sources")[0], int(lost[2]) + int(lost[3])


def test_claim_loses_interrupts_in_a_storm():
    """Each time, and with -icount each time the same ones."""
    verdict, lost = storm("claim")
    assert verdict == "FAIL" and lost > 0
    assert storm("claim") == (verdict, lost)
    print(f"lost {lost} of 800")


@pytest.mark.parametrize("relay", ["mask", "call"])
@pytest.mark.parametrize("smp,icount", [(1, True), (4, False)])
def test_no_interrupt_of_a_storm_is_lost(relay, smp, icount):
    """The same storm. The kernel's handler under call keeps to the rules."""
    assert storm(relay, smp, icount) == ("ok", 0)


@pytest.mark.parametrize("smp", [1, 4])
@pytest.mark.parametrize("relay", RELAYS)
def test_boots(relay, smp):
    """To the prompt; what is in force is said."""
    with boots(machine="k210", relay=relay, smp=smp, seconds=60,
               limit=100) as m:
        assert f"external interrupts by relay: {relay}" in m.run("dmesg")
        assert "the kernel takes every interrupt" in m.run("irqs")
        assert "hello" in m.run("echo hello")
        assert m.halt() == 0


@pytest.mark.parametrize("delivery", ["native", "emulated"])
def test_no_user_interrupts(delivery):
    """Asked for on the boot line: said plainly, and the machine works."""
    with boots(machine="k210", smp=1, delivery=delivery) as m:
        assert f"delivery={delivery} is not to be had here" in "".join(m.text)
        assert m.halt() == 0


# ---- bad input --------------------------------------------------------------


@pytest.mark.parametrize("arguments,message", [
    (["--machine", "k210", "--relay", "best"], "known: claim call mask"),
    (["--machine", "stock", "--relay", "mask"], "is for --machine k210"),
    (["--relay", "mask"], "is for --machine k210"),
])
def test_run_qemu_refuses(arguments, message):
    done = subprocess.run([TOP / "tools/run-qemu", *arguments], text=True,
                          capture_output=True, timeout=20, check=False)
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments,message", [
    ([], "usage"),
    (["mask", "out.dtb", "no-such-qemu"], "no no-such-qemu here"),
    (["mask", "out.dtb", "false"], "false gives no device tree"),
    (["mask", "out.dtb", "true"], "no PLIC in true's tree"),
])
def test_k210_dtb_refuses(tmp_path, arguments, message):
    done = subprocess.run([TOP / "tools/k210-dtb", *arguments], text=True,
                          capture_output=True, timeout=20, check=False,
                          cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(message, done.stderr)
    assert not list(tmp_path.iterdir())


def firmware_says(tmp_path, message, edit):
    """With a tree changed by `edit` the firmware stops, and says why."""
    tree = tmp_path / "k210.dtb"
    subprocess.run([TOP / "tools/k210-dtb", "mask", tree,
                    "qemu-system-riscv64", "-M", "virt", "-smp", "1", "-m",
                    "128M"], check=True, timeout=20)
    plic = "/soc/plic@c000000"
    cells = subprocess.run(["fdtget", "-t", "x", tree, plic,
                            "interrupts-extended"], check=True, text=True,
                           capture_output=True).stdout.split()
    for command in edit(str(tree), plic, cells):
        subprocess.run(command, check=True, timeout=20)
    with Machine(smp=1, limit=30, extra=["-dtb", str(tree)]) as m:
        m.expect(message)


def test_firmware_refuses_an_unknown_relay(tmp_path):
    firmware_says(tmp_path, 'unknown relay "best"; known: claim call mask',
                  lambda tree, plic, cells: [["fdtput", "-t", "s", tree, "/chosen", "uinta,relay", "best"]])


def test_firmware_refuses_a_relay_where_it_is_not_needed(tmp_path):
    def edit(tree, plic, cells):
        cells[3] = "9"
        return [["fdtput", "-t", "x", tree, plic, "interrupts-extended",
                 *cells]]
    firmware_says(tmp_path, "but S-mode has PLIC contexts", edit)


def test_firmware_refuses_a_plic_without_m_contexts(tmp_path):
    def edit(tree, plic, cells):
        cells[1] = "ffffffff"
        return [["fdtput", "-t", "x", tree, plic, "interrupts-extended",
                 *cells]]
    firmware_says(tmp_path, "no M contexts to relay", edit)
