from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from damage_perception.quantiles import median, quantiles

shares = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5)


@st.composite
def made_values(draw):
    """Noise of any size, rounded at times so that values are often the same."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = rng.normal(0.0, 100.0, draw(st.integers(1, 300)))
    values = np.round(values, draw(st.sampled_from([-2, 0, 9])))
    return values.astype(draw(st.sampled_from([np.float32, np.float64])))


@given(made_values())
@settings(max_examples=100, deadline=None)
def test_the_median_is_numpys(values):
    assert median(values) == float(np.median(values))


@given(made_values(), shares)
@settings(max_examples=100, deadline=None)
def test_quantiles_are_numpys(values, wanted):
    assert quantiles(values, wanted) == np.quantile(values, wanted).tolist()


@given(made_values(), st.integers(0, 299))
@settings(max_examples=50, deadline=None)
def test_one_unknown_value_makes_all_unknown(values, place):
    values[place % values.size] = np.nan
    assert math.isnan(median(values))
    assert np.isnan(quantiles(values, (0.1, 0.9))).all()


def test_nothing_has_no_median():
    assert math.isnan(median(np.empty(0)))
    assert np.isnan(quantiles(np.empty(0), (0.5,))).all()


def test_the_values_stay_as_they_are():
    values = np.array([3.0, 1.0, 2.0])
    assert (median(values), quantiles(values, (0.25, 1.0))) == (2.0, [1.5, 3.0])
    assert values.tolist() == [3.0, 1.0, 2.0]
