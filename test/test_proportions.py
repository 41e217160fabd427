"""Bounds of shares against tables, against each other and against simulation."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.proportions import (
    events_allowed,
    interval,
    precision_at,
    trials_needed,
    upper_bound,
)


def test_no_event_in_2995_bounds_a_share_by_one_in_a_thousand():
    assert trials_needed(0.001, 0.95) == 2995
    assert upper_bound(0, 2995) <= 0.001 < upper_bound(0, 2994)


def test_known_values():
    # exact binomial interval of 8 in 100, as statistics tables give it
    assert interval(8, 100) == pytest.approx((0.035171, 0.151558), abs=1e-6)
    assert upper_bound(0, 1) == pytest.approx(0.95)
    assert upper_bound(3, 3) == 1.0


@given(st.integers(1, 20_000), st.floats(0.001, 0.2), st.sampled_from([0.9, 0.95, 0.99]))
def test_allowed_events_are_the_most_that_keep_the_budget(trials, budget, confidence):
    allowed = events_allowed(trials, budget, confidence)
    if allowed >= 0:
        assert upper_bound(allowed, trials, confidence) <= budget
    assert upper_bound(allowed + 1, trials, confidence) > budget
    assert (allowed >= 0) == (trials >= trials_needed(budget, confidence))


@given(st.integers(0, 50), st.integers(1, 50))
def test_interval_holds_the_share(events, trials):
    events = min(events, trials)
    low, high = interval(events, trials)
    assert 0.0 <= low <= events / trials <= high <= 1.0


def test_precision_of_the_design_table():
    assert precision_at(0.9, 0.01, 0.001) == pytest.approx(0.08, abs=0.005)
    assert precision_at(0.9, 0.001, 0.001) == pytest.approx(0.47, abs=0.005)
    assert precision_at(0.9, 0.0001, 0.001) == pytest.approx(0.90, abs=0.005)
    assert math.isnan(precision_at(0.0, 0.0, 0.001))


@pytest.mark.parametrize('budget', [0.0, 1.0, -0.1, math.nan])
def test_a_budget_outside_zero_to_one_is_refused(budget):
    with pytest.raises(ValueError, match='budget must lie between 0 and 1'):
        trials_needed(budget)
