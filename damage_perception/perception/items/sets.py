"""Join like units that stand close together, such as cans under film: they are one item."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import median

_UNIT_M = 0.17  # units of a set are smaller
_FEWEST = 4  # units of a set
_SHARE = 0.35  # of a set that one unit fills at most
_ALIKE = 0.6  # share of the units that are within
_FACTOR = 1.7  # so many times of their middle area, up and down,
_LEVEL_M = 0.025  # and so near to their middle height
_GAP_M = 0.008  # between units of a set
_RECTANGLE = 0.5  # share of its smallest rectangle that a set fills


def join_sets(
    labels: NDArray[np.int32], height_m: NDArray[np.float32], pixel_m: float
) -> NDArray[np.int32]:
    """Give the units of a set one label.

    Parcels on a belt are seldom that small, that many and that neatly packed.

    Args:
        labels: (H, W) int32, what stands out, 0 = support.
        height_m: (H, W) float32, metres above the support, NaN = no depth.
        pixel_m: metres that a pixel spans.
    """
    small = _small(labels, _UNIT_M / pixel_m)
    if len(small) < _FEWEST:
        return labels
    units = np.isin(labels, small)
    size = 2 * max(1, round(0.5 * _GAP_M / pixel_m)) + 1
    closed = cv2.morphologyEx(
        np.pad(units.astype(np.uint8), size), cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)
    )[size:-size, size:-size]
    count, clusters = cv2.connectedComponents(closed, connectivity=4)
    joined = labels.copy()
    for cluster in range(1, count):
        within = clusters == cluster
        members, areas = np.unique(labels[within & units], return_counts=True)
        if len(members) < _FEWEST or areas.max() > _SHARE * areas.sum():
            continue
        heights = median(np.nan_to_num(height_m), np.where(np.isnan(height_m), 0, labels), members)
        if _are_alike(areas, np.asarray(heights)) and _is_rectangle(within):
            joined[within & ((labels == 0) | units)] = members[0]
    return joined


def _small(labels: NDArray[np.int32], most_px: float) -> NDArray[np.int64]:
    """Give the labels of what is no longer than a unit may be."""
    v, u = np.nonzero(labels)
    if not len(v):
        return np.zeros(0, np.int64)
    flat, count = labels[v, u], int(labels.max()) + 1
    spans = []
    for place in (v, u):
        low, high = np.full(count, 2**31), np.full(count, -1)
        np.minimum.at(low, flat, place)
        np.maximum.at(high, flat, place)
        spans.append(high - low)
    longest = np.maximum(*spans)
    return np.flatnonzero((longest >= 0) & (longest < most_px))


def _are_alike(areas: NDArray[np.int64], heights: NDArray[np.float64]) -> bool:
    times = areas / np.median(areas)
    alike = (times < _FACTOR) & (times > 1.0 / _FACTOR)
    alike &= np.abs(heights - np.nanmedian(heights)) < _LEVEL_M
    return bool(alike.mean() >= _ALIKE)


def _is_rectangle(mask: NDArray[np.bool_]) -> bool:
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    _, (length, width), _ = cv2.minAreaRect(np.concatenate(outlines))
    return np.count_nonzero(mask) > _RECTANGLE * max(1.0, length * width)
