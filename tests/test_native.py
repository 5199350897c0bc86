"""User interrupts by a hart that has them, and by one that lacks them."""
from harness.machine import boots


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
