from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from damage_perception.quantiles import median, quantiles

floats = st.sampled_from([np.float32, np.float64]).flatmap(
    lambda kind: arrays(
        kind, st.integers(1, 300),
        elements=st.floats(-1e6, 1e6, width=32, allow_nan=False),
    )
)  # fmt: skip
shares = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=5)


@given(floats)
def test_the_median_is_numpys(values):
    assert median(values) == float(np.median(values))


@given(floats, shares)
def test_quantiles_are_numpys(values, wanted):
    assert quantiles(values, wanted) == np.quantile(values, wanted).tolist()


@given(floats, st.data())
def test_one_unknown_value_makes_all_unknown(values, data):
    values[data.draw(st.integers(0, values.size - 1))] = np.nan
    assert math.isnan(median(values))
    assert np.isnan(quantiles(values, (0.1, 0.9))).all()


def test_nothing_has_no_median():
    assert math.isnan(median(np.empty(0)))
    assert np.isnan(quantiles(np.empty(0), (0.5,))).all()


def test_the_values_stay_as_they_are():
    values = np.array([3.0, 1.0, 2.0])
    median(values), quantiles(values, (0.2, 0.4))
    assert values.tolist() == [3.0, 1.0, 2.0]
