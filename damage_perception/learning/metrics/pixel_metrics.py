"""How well a damage is outlined: IoU by type, and AUPRO."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.report import NOT_JUDGED, DamageType

HISTOGRAM = 4096  # levels of confidence that AUPRO tells apart


@dataclass
class IouCounter:
    """Counts pixels of each type over all images; damage that was not judged counts as missed."""

    intersection: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    predicted: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))
    labelled: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, np.int64))

    def add(self, predicted: NDArray[np.uint8], labelled: NDArray[np.uint8]) -> None:
        """Count one image of DamageType labels, both (H, W) uint8."""
        if predicted.shape != labelled.shape:
            raise ValueError(f'mask must be {labelled.shape} like the image, got {predicted.shape}')
        predicted = np.where(predicted == NOT_JUDGED, 0, predicted).ravel()
        labelled = labelled.ravel()
        self.predicted += np.bincount(predicted, minlength=256)
        self.labelled += np.bincount(labelled, minlength=256)
        self.intersection += np.bincount(predicted[predicted == labelled], minlength=256)
        self.predicted[NOT_JUDGED] += np.count_nonzero(predicted)
        self.labelled[NOT_JUDGED] += np.count_nonzero(labelled)
        self.intersection[NOT_JUDGED] += np.count_nonzero((predicted > 0) & (labelled > 0))

    def result(self) -> dict[str, float]:
        """Give IoU pooled over all images, by type, and of damage of any type as `any`."""
        names = {int(kind): kind.name.lower() for kind in DamageType if kind}
        names[NOT_JUDGED] = 'any'
        union = self.predicted + self.labelled - self.intersection
        return {
            name: float(self.intersection[value] / union[value])
            for value, name in names.items()
            if self.labelled[value] > 0
        }


def aupro(
    pairs: Iterable[tuple[NDArray[np.float32], NDArray[np.bool_]]],
    limits: Sequence[float] = (0.3, 0.01),
) -> dict[float, float]:
    """Give the normalised area under the per-region-overlap curve up to each false-alarm limit.

    Args:
        pairs: of each image the confidence (H, W) in [0, 1], NaN = not judged (counts as 0), and
            the damaged pixels (H, W).
        limits: false-alarm rates of sound pixels to integrate up to.

    Returns:
        From limit to area in [0, 1]; NaN without a damaged region.

    Source: P. Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 2021, section 5.1. One
    histogram a region, so that memory does not grow with the number of pixels.
    """
    sound = np.zeros(HISTOGRAM, np.int64)
    overlap = np.zeros(HISTOGRAM)
    regions = 0
    for confidence, damaged in pairs:
        level = np.nan_to_num(np.clip(confidence, 0.0, 1.0)) * (HISTOGRAM - 1)
        level = np.rint(level).astype(np.int64)
        count, region = cv2.connectedComponents(damaged.astype(np.uint8))
        sound += np.bincount(level[region == 0], minlength=HISTOGRAM)
        if count > 1:
            inside = region > 0
            flat = (region[inside] - 1) * HISTOGRAM + level[inside]
            table = np.bincount(flat, minlength=(count - 1) * HISTOGRAM)
            table = table.reshape(count - 1, HISTOGRAM)
            overlap += (table / table.sum(axis=1, keepdims=True)).sum(axis=0)
            regions += count - 1
    if regions == 0 or sound.sum() == 0:
        return {limit: float('nan') for limit in limits}
    false_alarms = np.concatenate([[0.0], np.cumsum(sound[::-1]) / sound.sum()])
    overlaps = np.concatenate([[0.0], np.cumsum(overlap[::-1]) / regions])
    return {limit: _area(false_alarms, overlaps, limit) for limit in limits}


def _area(x: NDArray[np.float64], y: NDArray[np.float64], limit: float) -> float:
    """Integrate y over x up to `limit` by the trapezoid rule, and divide by it."""
    at_limit = float(np.interp(limit, x, y))
    keep = x < limit
    xs = np.append(x[keep], limit)
    ys = np.append(y[keep], at_limit)
    return float(np.sum((ys[1:] + ys[:-1]) * np.diff(xs)) / 2.0 / limit)
