"""The budget watch by simulation: silent on budget, quick when the rate jumps."""

from __future__ import annotations

import numpy as np
import pytest

from damage_perception.perception.decision.budget_watch import (
    BudgetWatch,
    OutcomeWatch,
    WatchSettings,
)
from damage_perception.report import Verdict


def _first_warning(watch: BudgetWatch, happened: np.ndarray) -> int:
    """Items until the warning; 0 = none."""
    for count, event in enumerate(happened, 1):
        if watch.take(bool(event)):
            return count
    return 0


@pytest.mark.parametrize('budget', [0.001, 0.01, 0.05])
def test_no_warning_in_ten_thousand_items_at_the_budget(budget: float) -> None:
    """The bound is 1 % a run; three of 60 runs have a chance below 3 in 100."""
    rng = np.random.default_rng(7)
    runs = [_first_warning(BudgetWatch(budget), rng.random(10_000) < budget) for _ in range(60)]
    assert sum(count > 0 for count in runs) <= 2


@pytest.mark.parametrize(('budget', 'rate'), [(0.001, 0.1), (0.01, 0.15), (0.05, 0.3)])
def test_a_clear_jump_is_told_within_two_hundred_items(budget: float, rate: float) -> None:
    rng = np.random.default_rng(11)
    delays = []
    for _ in range(100):
        watch = BudgetWatch(budget)
        before = rng.random(1000) < budget
        assert _first_warning(watch, before) == 0
        delays.append(_first_warning(watch, rng.random(2000) < rate))
    assert all(delays)
    assert np.percentile(delays, 95) <= 200


def test_one_event_is_no_warning_and_a_warning_ends_when_the_rate_is_back() -> None:
    watch = BudgetWatch(0.01)
    assert not watch.take(True)
    assert _first_warning(watch, np.ones(20)) > 0
    assert watch.warning
    for _ in range(5000):
        watch.take(True)
    assert _first_warning(watch, np.zeros(200)) == 0
    assert not watch.warning


def test_diverts_and_unknown_have_budgets_of_their_own_which_may_change() -> None:
    watch = OutcomeWatch(WatchSettings(divert_budget=0.01, unknown_budget=0.9))
    for _ in range(20):
        watch.take(Verdict.UNKNOWN)
    assert watch.warnings() == []
    watch.settings = WatchSettings(divert_budget=0.01, unknown_budget=0.01)
    for _ in range(20):
        watch.take(Verdict.UNKNOWN)
    (sentence,) = watch.warnings()
    assert 'UNKNOWN' in sentence
    assert '1.000%' in sentence
    for _ in range(20):
        watch.take(Verdict.INSPECT)
    assert any('diverted' in sentence for sentence in watch.warnings())


def test_items_unlike_their_references_are_told_as_those_whose_design_has_changed() -> None:
    watch = OutcomeWatch(WatchSettings())
    for _ in range(300):
        watch.take(Verdict.PASS)
    assert watch.warnings() == []
    for _ in range(20):
        watch.take(Verdict.PASS, suspect_reference=True)
    (sentence,) = watch.warnings()
    assert 'unlike their references' in sentence
