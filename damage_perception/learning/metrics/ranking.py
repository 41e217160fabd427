"""How well scores put damaged items above sound ones: AUROC, AP, recalls, their spread."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Measure = Callable[[Bools, Floats], float]


def auroc(damaged: Bools, scores: Floats) -> float:
    """Give the area under the ROC curve; NaN unless both classes are there."""
    if not _both(damaged):
        return float('nan')
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(damaged, scores))


def average_precision(damaged: Bools, scores: Floats) -> float:
    """Give AP, the step-wise area under the precision-recall curve; NaN unless both are there."""
    if not _both(damaged):
        return float('nan')
    from sklearn.metrics import average_precision_score

    return float(average_precision_score(damaged, scores))


def recall_at_precision(damaged: Bools, scores: Floats, precision: float = 0.5) -> float:
    """Give the largest recall among all thresholds whose precision is at least `precision`."""
    if not _both(damaged):
        return float('nan')
    from sklearn.metrics import precision_recall_curve

    precisions, recalls, _ = precision_recall_curve(damaged, scores)
    good = precisions[:-1] >= precision
    return float(recalls[:-1][good].max(initial=0.0))


def recall_at_false_alarms(damaged: Bools, scores: Floats, rate: float) -> float:
    """Give the largest recall on this very set's ROC curve with at most `rate` false alarms.

    It looks at the labels to find its threshold, as the field's tables do: quote it as a point of
    a curve, never as what a station would see.
    """
    if not _both(damaged):
        return float('nan')
    from sklearn.metrics import roc_curve

    false_alarms, recalls, _ = roc_curve(damaged, scores, drop_intermediate=False)
    return float(recalls[false_alarms <= rate].max(initial=0.0))


def expected_calibration_error(damaged: Bools, scores: Floats, bins: int = 15) -> float:
    """Give the mean distance of said probability and found share over equally wide bins.

    Source: C. Guo et al., On Calibration of Modern Neural Networks, 2017.
    """
    said, found, count = reliability(damaged, scores, bins)
    return float(np.sum(np.abs(said - found) * count) / max(count.sum(), 1))


def reliability(damaged: Bools, scores: Floats, bins: int = 15) -> tuple[Floats, Floats, Floats]:
    """Give mean score, share of damaged items and count of each bin that is not empty."""
    index = np.clip((scores * bins).astype(np.int64), 0, bins - 1)
    count = np.bincount(index, minlength=bins).astype(np.float64)
    said = np.bincount(index, weights=scores, minlength=bins)
    found = np.bincount(index, weights=damaged.astype(np.float64), minlength=bins)
    used = count > 0
    return said[used] / count[used], found[used] / count[used], count[used]


def bootstrap_interval(
    measure: Measure,
    damaged: Bools,
    scores: Floats,
    groups: NDArray[np.int64] | None = None,
    confidence: float = 0.95,
    repeats: int = 300,
    seed: int = 0,
) -> tuple[float, float]:
    """Give the percentile bootstrap interval of a measure.

    Args:
        measure: from labels and scores to a number.
        damaged: (N,) labels.
        scores: (N,) scores.
        groups: (N,) number of the physical item that each image shows: images of one item are
            drawn together, since they are not independent. None = every image is its own.
        confidence: share of repeats inside the interval.
        repeats: how often to draw.
        seed: the same seed draws the same.
    """
    if groups is None:
        groups = np.arange(len(scores))
    _, member = np.unique(groups, return_inverse=True)
    order = np.argsort(member, kind='stable')
    starts = np.searchsorted(member[order], np.arange(member.max(initial=-1) + 2))
    sizes = np.diff(starts)
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(repeats):
        drawn = rng.integers(0, len(sizes), len(sizes)) if len(sizes) else sizes
        chosen = order[_ranges(starts[drawn], sizes[drawn])]
        values.append(measure(damaged[chosen], scores[chosen]))
    finite = np.asarray(values)[np.isfinite(values)]
    if finite.size == 0:
        return float('nan'), float('nan')
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(finite, [tail, 1.0 - tail])
    return float(low), float(high)


def _ranges(starts: NDArray[np.int64], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Join the index ranges [start, start + size)."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if ends.size else 0
    offsets = np.repeat(starts - (ends - sizes), sizes)
    return offsets + np.arange(total)


def _both(damaged: Bools) -> bool:
    return bool(damaged.any()) and not bool(damaged.all())
