"""What is doubtful about an item: cut off, partly covered, or perhaps more than one."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items_foreground import Scene
from damage_perception.report import Status

_MERGED_DOUBT = 0.95  # share of a true border that was joined inside the item
_MERGED_BARE = 0.16  # share of the hull that neither the item nor a neighbour fills
_OCCLUDED_SHARE = 0.05  # share of the hull that higher neighbours cover


def item_status(labels: NDArray[np.int32], label: int, scene: Scene, doubt: float) -> Status:
    """Judge one item.

    Args:
        labels: (H, W) int32, 0 = support.
        label: the item.
        scene: the picture.
        doubt: strength of the strongest border joined inside the item, 1 = a true one.
    """
    mask = labels == label
    status = Status(0)
    if np.count_nonzero(mask & scene.rim) > 3:
        status |= Status.TRUNCATED
    hull = _hull(mask)
    beside = hull & ~mask
    whole = max(1, np.count_nonzero(hull))
    others = beside & (labels > 0)
    if np.count_nonzero(beside & ~others) > _MERGED_BARE * whole or doubt > _MERGED_DOUBT:
        status |= Status.MERGED
    own = _median(scene.smooth_m[mask])
    higher = np.count_nonzero(others & (scene.smooth_m > own))
    if higher > _OCCLUDED_SHARE * whole:
        status |= Status.OCCLUDED
    return status


def _hull(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    v, u = np.nonzero(mask)
    hull = cv2.convexHull(np.stack([u, v], axis=1).astype(np.int32))
    filled = np.zeros(mask.shape, np.uint8)
    cv2.fillConvexPoly(filled, hull, 1)
    return filled.astype(bool)


def _median(values: NDArray[np.float32]) -> float:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else 0.0
