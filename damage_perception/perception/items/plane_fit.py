"""Planes through heights of a picture that a dent does not bend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def plane_through(
    u: NDArray[Any], v: NDArray[Any], height_m: NDArray[np.floating], rounds: int
) -> tuple[NDArray[np.floating], float]:
    """Fit a plane of least absolute deviations, by least squares with weights that follow.

    Args:
        u: (N,) columns, pixels.
        v: (N,) rows, pixels.
        height_m: (N,) metres.
        rounds: of weighing.

    Returns:
        (3,) rise a column, rise a row, height at (0, 0), metres; and the median deviation, metres.
    """
    design = np.stack([u, v, np.ones(len(u))], axis=1)
    values = height_m.astype(np.float64)
    trust = np.ones(len(values))
    for _ in range(rounds):
        terms = np.linalg.lstsq(design * trust[:, None], values * trust, rcond=None)[0]
        off = np.abs(values - design @ terms)
        trust = 1.0 / np.sqrt(np.maximum(off, 1e-3))
    return terms, float(np.median(off))
