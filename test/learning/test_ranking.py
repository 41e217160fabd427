"""Ranking measures against hand-counted values and properties."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.learning.metrics import ranking

DAMAGED = np.array([1, 0, 1, 0, 0, 1], bool)
SCORES = np.array([0.9, 0.8, 0.7, 0.4, 0.3, 0.2])


def test_values_counted_by_hand():
    assert ranking.auroc(DAMAGED, SCORES) == pytest.approx(5 / 9)
    # hits stand at places 1, 3 and 6: AP = (1/1 + 2/3 + 3/6) / 3
    assert ranking.average_precision(DAMAGED, SCORES) == pytest.approx((1 + 2 / 3 + 1 / 2) / 3)
    assert ranking.recall_at_precision(DAMAGED, SCORES, 0.6) == pytest.approx(2 / 3)
    assert ranking.recall_at_precision(DAMAGED, SCORES, 0.5) == pytest.approx(1.0)
    assert ranking.recall_at_false_alarms(DAMAGED, SCORES, 0.0) == pytest.approx(1 / 3)
    assert ranking.recall_at_false_alarms(DAMAGED, SCORES, 0.34) == pytest.approx(2 / 3)


@pytest.mark.parametrize('damaged', [np.zeros(6, bool), np.ones(6, bool), np.zeros(0, bool)])
def test_one_class_alone_has_no_ranking(damaged):
    scores = SCORES[: len(damaged)]
    assert math.isnan(ranking.auroc(damaged, scores))
    assert math.isnan(ranking.average_precision(damaged, scores))


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=40))
def test_auroc_is_the_chance_that_damaged_stands_above_sound(rows):
    damaged = np.array([row[0] for row in rows])
    scores = np.array([row[1] / 8 for row in rows])
    pairs = [
        (high > low) + 0.5 * (high == low) for high in scores[damaged] for low in scores[~damaged]
    ]
    if pairs:
        assert ranking.auroc(damaged, scores) == pytest.approx(np.mean(pairs))
    else:
        assert math.isnan(ranking.auroc(damaged, scores))


def test_calibration_error_counted_by_hand():
    damaged = np.array([0, 0, 1, 1], bool)
    scores = np.array([0.1, 0.1, 0.9, 0.5])
    expected = (2 * 0.1 + 1 * 0.1 + 1 * 0.5) / 4
    assert ranking.expected_calibration_error(damaged, scores, 10) == pytest.approx(expected)


def test_honest_probabilities_are_calibrated():
    rng = np.random.default_rng(0)
    scores = rng.random(20_000)
    assert ranking.expected_calibration_error(rng.random(20_000) < scores, scores) < 0.02


def test_interval_is_wider_when_images_show_the_same_items():
    rng = np.random.default_rng(1)
    damaged = np.repeat(rng.random(60) < 0.5, 10)
    scores = np.repeat(rng.normal(size=60), 10) + damaged
    groups = np.repeat(np.arange(60), 10)
    alone = ranking.bootstrap_interval(ranking.auroc, damaged, scores, repeats=100)
    together = ranking.bootstrap_interval(ranking.auroc, damaged, scores, groups, repeats=100)
    assert together[1] - together[0] > 2 * (alone[1] - alone[0])
    assert together[0] < ranking.auroc(damaged, scores) < together[1]


def test_interval_repeats():
    first = ranking.bootstrap_interval(ranking.auroc, DAMAGED, SCORES, repeats=20)
    assert first == ranking.bootstrap_interval(ranking.auroc, DAMAGED, SCORES, repeats=20)
