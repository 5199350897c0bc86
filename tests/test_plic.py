"""The PLIC's rules (tests/plic), case by case on the native machine; and that
the same program finds what stock QEMU's PLIC forgives."""
import functools

import pytest

from harness import bare
from harness.machine import MACHINES

# (harts, options of QEMU)
CONFIGURATIONS = {
    "2h": (2, ()),
    "8h": (8, ()),
}
FORGIVEN = {
    "device_tree_has_three_contexts_a_hart",
    "u_context_raises_ueip_of_its_hart_only",
    "enabling_and_disabling_act_at_once",
    "source_0_cannot_be_enabled",
    "claim_does_not_look_at_the_threshold",
    "claimed_source_is_not_pending_again",
    "completed_with_its_line_high_is_pending_again",
    "completion_counts_in_any_context_that_enables_it",
    "completion_is_ignored_where_it_is_not_enabled",
    "masked_for_ever_when_completed_on_another_hart",
    "masked_for_ever_when_moved_before_completing",
}

if "native" not in MACHINES:
    CONFIGURATIONS = {}


@functools.cache
def run(configuration):
    harts, extra = CONFIGURATIONS[configuration]
    return bare.Run("plic", "native", harts, extra)


@pytest.mark.parametrize("case", bare.cases("plic"))
@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_plic(configuration, case):
    why = run(configuration).why(case)
    if why:
        pytest.fail(why, pytrace=False)


@pytest.mark.parametrize("configuration", CONFIGURATIONS)
def test_plic_complete(configuration):
    assert run(configuration).complete() is None


@pytest.mark.skipif("stock" not in MACHINES, reason="not on this machine")
def test_stock_forgives():
    """What the rules are for: the program fails where it must, only there."""
    stock = bare.Run("plic", "stock")
    assert stock.complete() is None
    assert {case for case in stock.cases if stock.why(case)} == FORGIVEN
