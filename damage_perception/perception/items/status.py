"""What is doubtful about an item: cut off, partly covered, or perhaps more than one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.report import Status

_MERGED_DOUBT = 0.95  # strength of a border that was joined inside the item, 1 = a true one
_MERGED_BARE = 0.16  # share of the hull that neither the item nor a neighbour fills
_MERGED_LOW = 0.03  # share of the item that lies as low as the support, in pieces
_LOW_WIDTH_M = 0.035  # at least so wide: the ends of bags taper
_OCCLUDED_SHARE = 0.05  # share of the hull that higher neighbours cover
_TOUCHING = 3  # pixels on the rim of the region of interest that may be chance


def item_status(
    labels: NDArray[np.int32],
    label: int,
    height_m: NDArray[np.float32],
    rim: NDArray[np.bool_],
    doubt: float,
    low_m: float,
    pixel_m: float,
) -> Status:
    """Judge one item inside its bounding box.

    Args:
        labels: (h, w) int32, 0 = support.
        label: the item.
        height_m: (h, w) float32, metres above the support, NaN = no depth.
        rim: (h, w) bool, where the region of interest ends.
        doubt: strength of the strongest border joined inside the item, 1 = a true one.
        low_m: metres below which nothing stands out; there another, flat thing may lie.
        pixel_m: metres that a pixel spans.
    """
    mask = labels == label
    area = np.count_nonzero(mask)
    status = Status(0)
    if np.count_nonzero(mask & rim) > _TOUCHING:
        status |= Status.TRUNCATED
    beside = _hull(mask) & ~mask
    whole = area + np.count_nonzero(beside)
    others = beside & (labels > 0)
    bare = np.count_nonzero(beside & ~others)
    low = _wide_area(mask & (height_m < low_m), _LOW_WIDTH_M / pixel_m)
    if bare > _MERGED_BARE * whole or low > _MERGED_LOW * area or doubt > _MERGED_DOUBT:
        status |= Status.MERGED
    if np.count_nonzero(others & (height_m > _median(height_m[mask]))) > _OCCLUDED_SHARE * whole:
        status |= Status.OCCLUDED
    return status


def _wide_area(mask: NDArray[np.bool_], width_px: float) -> int:
    """Count the pixels of a mask where it is at least that wide."""
    size = max(1, round(width_px))
    square = np.ones((size, size), np.uint8)
    return int(np.count_nonzero(cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, square)))


def _hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(filled, cv2.convexHull(np.concatenate(outlines)), 1)
    return filled.astype(bool)


def _median(values: NDArray[np.float32]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0
