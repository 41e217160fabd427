"""Probabilities as log-odds and back, never so sure that nothing could move them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_EDGE = 1e-6  # probabilities nearer to 0 or 1 are told as if they lay here
_FAR = 60.0  # a shift beyond which nothing changes; its exponential is a float32
_LIMIT = 700.0  # log-odds beyond which the exponential overflows


def log_odds(probability: Any) -> NDArray[Any]:
    """Give the log-odds of probabilities in [0, 1], of their float type; NaN stays NaN."""
    clipped = np.clip(probability, _EDGE, 1.0 - _EDGE)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def logistic(odds: Any) -> NDArray[Any]:
    """Give the probabilities of log-odds, of their float type; NaN stays NaN."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(odds, -_LIMIT, _LIMIT))))


def shifted(probability: Any, shift: float) -> NDArray[Any]:
    """Give probabilities in [0, 1] whose log-odds are moved by `shift`; NaN stays NaN.

    As `logistic(log_odds(probability) + shift)`, but without a logarithm or exponential of each,
    and of their float type.
    """
    here = np.asarray(probability)
    edge = here.dtype.type(_EDGE)
    against = np.maximum(1 - here, edge) / np.maximum(here, edge)
    return np.asarray(1 / (1 + against * here.dtype.type(np.exp(-np.clip(shift, -_FAR, _FAR)))))
