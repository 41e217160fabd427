"""From scores of sound items and a budget of false alarms to a threshold with its bound."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.stats import nbinom

from damage_perception.errors import UserError
from damage_perception.perception.decision.calibration import OperatingPoint
from damage_perception.proportions import (
    events_allowed,
    trials_needed,
    upper_bound,
)

TAIL = 0.02  # share of the highest sound scores that tells how fast the tail falls
TAIL_MIN = 20
EDGE = 1e-9  # scores nearer to 0 or 1 are not told apart by the tail


class TooFewItemsError(UserError):
    """The sample cannot support the budget."""


def check_count(sound_items: int, budget: float, confidence: float) -> None:
    """Refuse a number of sound items that cannot support a budget, however low they score.

    Raises:
        TooFewItemsError: saying how many would.
    """
    needed = trials_needed(budget, confidence)
    if sound_items < needed:
        raise TooFewItemsError(
            f'{sound_items:,} sound items cannot support a budget of {budget:.4%} at '
            f'{confidence:.0%} confidence: at least {needed:,} are needed; judge '
            f'{needed - sound_items:,} more sound items or allow a larger budget'
        )


def fit_threshold(
    sound: NDArray[np.float64], budget: float, confidence: float = 0.95
) -> OperatingPoint:
    """Find the lowest threshold that keeps false alarms within the budget.

    With `k` the most alarms whose Clopper-Pearson bound keeps the budget, every threshold above
    the (k+1)-th highest score keeps the bound with the stated confidence, whatever the scores'
    distribution: the share beyond an order statistic is Beta(k + 1, n - k), of which the bound is
    the quantile. That says nothing of luck in the next lot of items, so the threshold goes further
    up the fitted exponential tail of the log-odds, until the share counted on a fresh lot of the
    same size stays inside the bound too, with half the stated risk.

    Args:
        sound: (N,) scores of independent sound items, none NaN.
        budget: share of sound items that may be diverted.
        confidence: chance that the bound holds.

    Raises:
        TooFewItemsError: saying how many sound items the budget needs.
        UserError: if sound items reach the highest score, so that no threshold can help.
    """
    count = len(sound)
    check_count(count, budget, confidence)
    allowed = events_allowed(count, budget, confidence)
    falling = np.sort(sound)[::-1]
    allowed = min(allowed, count - 1)
    edge = float(falling[allowed])
    if edge >= 1.0:
        raise UserError(
            f'{allowed + 1:,} or more sound items have the highest score there is, so no threshold '
            f'keeps a budget of {budget:.4%}; look at these items first, they may be mislabelled'
        )
    threshold = max(np.nextafter(edge, 1.0), _further(falling, allowed, confidence))
    return OperatingPoint(
        budget=budget,
        threshold=float(threshold),
        bound=upper_bound(allowed, count, confidence),
        sound_items=count,
        alarms=int(np.count_nonzero(sound >= threshold)),
    )


def item_scores(
    scores: NDArray[np.float64], items: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Give the highest score of each physical item: its images are not independent.

    Args:
        scores: (N,) scores of images, NaN = UNKNOWN.
        items: (N,) number of the item that each image shows.

    Returns:
        Highest score by item, NaN where all its images are UNKNOWN, and the items' numbers.
    """
    numbers, member = np.unique(items, return_inverse=True)
    highest = np.full(len(numbers), -np.inf)
    np.fmax.at(highest, member, scores)
    highest[np.isneginf(highest)] = np.nan
    return highest, numbers


def _further(falling: NDArray[np.float64], allowed: int, confidence: float) -> float:
    """Move up the tail from the (allowed + 1)-th highest score until a fresh lot stays inside."""
    clipped = np.clip(falling, EDGE, 1.0 - EDGE)
    odds = np.log(clipped) - np.log1p(-clipped)
    reach = min(max(TAIL_MIN, math.ceil(TAIL * len(falling)), 2 * allowed), len(falling) - 1)
    scale = float(np.mean(odds[:reach] - odds[reach])) if reach > 0 else 0.0
    moved = odds[allowed] - scale * math.log(_thinning(len(falling), allowed, confidence))
    return float(1.0 / (1.0 + math.exp(-moved)))


def _thinning(count: int, allowed: int, confidence: float) -> float:
    """Give the factor, at most 1, by which the share beyond the threshold has to fall.

    Alarms of a fresh lot are Poisson about a Gamma(allowed + 1) mean: negative binomial.
    """
    inside = math.floor(upper_bound(allowed, count, confidence) * count)
    risk = (1.0 - confidence) / 2.0

    def excess(factor: float) -> float:
        return float(nbinom.sf(inside, allowed + 1, 1.0 / (1.0 + factor))) - risk

    return 1.0 if excess(1.0) <= 0.0 else float(brentq(excess, 1e-6, 1.0))
