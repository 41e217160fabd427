"""The promise of the calibration: false alarms of fresh items stay inside the bound."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from damage_perception.errors import UserError
from damage_perception.learning.calibration.calibration import (
    TooFewItemsError,
    fit_threshold,
    item_scores,
)
from damage_perception.proportions import upper_bound

DRAWS = 100
SCORES = {
    'beta': lambda rng, n: rng.beta(1, 8, n),
    'logit-normal': lambda rng, n: 1 / (1 + np.exp(-rng.normal(-3, 1.5, n))),
    'heavy tail': lambda rng, n: 1 / (1 + np.exp(4 - rng.standard_t(5, n))),
    'piled up at one': lambda rng, n: rng.random(n) ** 3,
}


@pytest.mark.parametrize('count', [2995, 5000, 12_000])
@pytest.mark.parametrize('kind', SCORES)
def test_fresh_items_stay_inside_the_bound_in_95_of_100_draws(kind, count):
    draw, counted, true = SCORES[kind], 0, 0
    for seed in range(DRAWS):
        rng = np.random.default_rng(seed)
        point = fit_threshold(draw(rng, count), 0.001)
        counted += np.mean(draw(rng, count) >= point.threshold) <= point.bound
        true += np.mean(draw(rng, 60_000) >= point.threshold) <= point.bound
    assert counted >= 95  # in one fresh lot of the same size
    assert true >= 95  # in the long run


def test_the_promise_does_not_cost_all_recall():
    rng = np.random.default_rng(0)
    sound = 1 / (1 + np.exp(-rng.normal(-3, 1.0, 20_000)))
    point = fit_threshold(sound, 0.001)
    assert np.mean(sound >= point.threshold) > 0.0002


@pytest.mark.parametrize('count', [0, 1, 2994])
def test_a_sample_that_is_too_small_is_refused_with_the_number_needed(count):
    with pytest.raises(TooFewItemsError, match=r'at least 2,995 are needed; judge [\d,]+ more'):
        fit_threshold(np.linspace(0, 0.5, count), 0.001)


def test_sound_items_at_the_highest_score_are_refused():
    with pytest.raises(UserError, match='no threshold keeps a budget'):
        fit_threshold(np.ones(5000), 0.001)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 2**31),
    st.sampled_from([0.05, 0.01]),
    st.sampled_from([0.9, 0.95]),
    st.integers(1, 30),
)
def test_what_it_says_of_its_own_sample_is_true(seed, budget, confidence, levels):
    rng = np.random.default_rng(seed)
    sound = rng.integers(0, levels, 800) / (levels + 1)  # many ties
    point = fit_threshold(sound, budget, confidence)
    assert point.alarms == np.sum(sound >= point.threshold)
    assert upper_bound(point.alarms, 800, confidence) <= point.bound <= budget
    assert point.threshold <= 1.0


def test_images_of_one_item_count_once():
    scores = np.array([0.2, 0.9, np.nan, np.nan, 0.4])
    highest, numbers = item_scores(scores, np.array([7, 7, 7, 3, 5]))
    assert list(numbers) == [3, 5, 7]
    np.testing.assert_array_equal(highest, [np.nan, 0.4, 0.9])
