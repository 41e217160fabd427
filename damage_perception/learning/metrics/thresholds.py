"""Thresholds for a test set that its own labels did not choose."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.perception.decision.calibration import Calibration, OperatingPoint

BUDGETS = (0.01, 0.001)


@dataclass(frozen=True, eq=False)
class Threshold:
    """What every row is compared with, for one budget.

    Attributes:
        budget: share of sound items that may be called damaged.
        value: (N,) threshold of each row.
        source: where it came from, in words.
        sound_items: sound items behind it.
        bound: upper bound of false alarms promised with it; None = nothing was promised.
    """

    budget: float
    value: NDArray[np.float64]
    source: str
    sound_items: int
    bound: float | None


def thresholds(outcomes: Outcomes, calibration: Calibration | None) -> list[Threshold]:
    """Take thresholds from a calibration, or else from the other half of the test set."""
    if calibration is None:
        return [_cross_fit(outcomes, budget) for budget in BUDGETS]
    points = {point.budget: point for point in (*calibration.points, calibration.point)}
    return [
        Threshold(
            point.budget,
            _by_group(outcomes, calibration, point),
            'calibration',
            point.sound_items,
            point.bound,
        )
        for _, point in sorted(points.items(), reverse=True)
    ]


def _by_group(
    outcomes: Outcomes, calibration: Calibration, point: OperatingPoint
) -> NDArray[np.float64]:
    """Give each row its group's threshold, where the calibrated budget has one."""
    value = np.full(len(outcomes.score), point.threshold)
    if point.budget == calibration.point.budget:
        for tag in calibration.groups:
            value[outcomes.tagged(tag)] = calibration.threshold_for(tag)
    return value


def _cross_fit(outcomes: Outcomes, budget: float) -> Threshold:
    """Judge each half of the products by the sound items of the other half.

    A product is in one half only; where there is one product alone, an item is.
    """
    names = [s.sku or f'item {s.item_id or s.image_id}' for s in outcomes.samples]
    if len(set(names)) == 1:
        names = [str(number) for number in outcomes.item]
    shuffled = sorted(set(names), key=lambda name: (zlib.crc32(name.encode()), name))
    second = set(shuffled[::2])
    half = np.array([name in second for name in names])
    judged = ~outcomes.damaged & ~outcomes.unknown
    value = np.ones(len(half))
    for side in (False, True):
        value[half == side] = _empirical(outcomes.score[judged & (half != side)], budget)
    return Threshold(budget, value, 'cross-fit: the other half of the products', judged.sum(), None)


def _empirical(sound: NDArray[np.float64], budget: float) -> float:
    """Give the lowest threshold that at most a share `budget` of these scores reaches."""
    if not sound.size:
        return 1.0
    falling = np.sort(sound)[::-1]
    edge = falling[min(int(budget * sound.size), sound.size - 1)]
    return float(np.nextafter(edge, 2.0))
