"""Whether pictures and scores are still like those of the first items.

A lamp that fails, a lens that smears or a sensor that ages changes what is seen long before
anybody looks. Nothing is judged otherwise for it: it is said, so that somebody looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

BASELINE = 200  # items that tell what is usual
_SHIFT = 0.75  # deviations; the shift that is found fastest
# ln(10,000 items / 1 % chance) = 13.8, and room for a baseline that is itself a sample: its mean is
# off by 1 / sqrt(200) = 0.07 deviations, and several figures are watched in both directions.
_LIMIT = 25.0


class FigureWatch:
    """A CUSUM in both directions of one figure, after its ranks among the first items.

    Ranks make any figure a standard normal one, so that its scale and its tails do not matter. A
    warning ends when the sum is back at zero.

    Source: E. S. Page, Continuous inspection schemes, Biometrika 41 (1954).
    """

    def __init__(self) -> None:
        self._first: list[float] = []
        self._sorted: NDArray[np.float64] | None = None
        self._sums = {1: 0.0, -1: 0.0}
        self._warns = {1: False, -1: False}

    @property
    def direction(self) -> int:
        """Where the figure has gone: 1 up, -1 down, 0 it has not."""
        return next((way for way, warns in self._warns.items() if warns), 0)

    def take(self, value: float) -> None:
        """Take the figure of the next item; one that is not finite tells nothing."""
        if not math.isfinite(value):
            return
        if self._sorted is None:
            self._first.append(value)
            if len(self._first) == BASELINE:
                self._sorted = np.sort(self._first)
            return
        below = float(np.searchsorted(self._sorted, value, 'left'))
        upto = float(np.searchsorted(self._sorted, value, 'right'))
        normal = float(ndtri((0.5 * (below + upto) + 0.5) / (BASELINE + 1)))
        for way in self._sums:
            step = way * _SHIFT * normal - 0.5 * _SHIFT**2
            # Held at the limit, so that a long warning ends as soon as a short one.
            self._sums[way] = min(max(self._sums[way] + step, 0.0), _LIMIT)
            self._warns[way] = self._sums[way] >= _LIMIT or (
                self._warns[way] and self._sums[way] > 0.0
            )


SENTENCES = {
    'brightness': (
        'the pictures are brighter than at first',
        'the pictures are darker than at first',
    ),
    'sharpness': ('edges are sharper than at first', 'edges are more blurred than at first'),
    'depth': (
        'more of the items has depth than at first',
        'less of the items has depth than at first',
    ),
    'score': ('items score higher than at first', 'items score lower than at first'),
}
_MEND = 'check the light, the lens and whether designs have changed'


class DriftWatch:
    """Watch the figures of items, each item once."""

    def __init__(self) -> None:
        self._figures = {name: FigureWatch() for name in SENTENCES}

    def take(self, figures: Mapping[str, float]) -> None:
        """Take the figures of the next item."""
        for name, watch in self._figures.items():
            watch.take(figures.get(name, math.nan))

    def sentence(self) -> str:
        """Say what has drifted; empty = nothing has."""
        said = [
            SENTENCES[name][0 if watch.direction > 0 else 1]
            for name, watch in self._figures.items()
            if watch.direction
        ]
        return f'{" and ".join(said)}: {_MEND}' if said else ''
