"""Log-odds moved: as logarithm and exponential say it, without either."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.perception.decision.odds import log_odds, logistic, shifted


@given(st.floats(0.0, 1.0), st.floats(-200.0, 200.0))
def test_moving_odds_needs_no_logarithm(probability: float, shift: float) -> None:
    expected = float(logistic(log_odds(probability) + shift))
    assert float(shifted(probability, shift)) == pytest.approx(expected, rel=1e-5, abs=1e-18)


def test_a_map_keeps_its_type_its_order_and_what_was_not_judged() -> None:
    values = np.array([0.0, 1e-3, 0.5, 1.0, np.nan], np.float32)
    for shift in (-300.0, -3.0, 0.0, 3.0, 300.0):
        moved = shifted(values, shift)
        assert moved.dtype == np.float32
        assert np.isnan(moved[-1])
        assert (np.diff(moved[:-1]) >= 0).all()
        assert ((moved[:-1] >= 0) & (moved[:-1] <= 1)).all()
