"""What of an item could not be judged, told from its view."""

from __future__ import annotations

import cv2
import numpy as np

from damage_perception.perception.item_view import ItemView
from damage_perception.report import Status

_LEAST_MEASURED = 0.4  # share of an item that must have depth
_LEAST_VISIBLE = 0.75  # share of its outline that must be seen
_LEAST_CONVEX = 0.92  # share of the hull of its outline that it must fill
_RAGGED_M = 0.002  # a border between touching boxes is found only so well


def view_status(view: ItemView) -> Status:
    """Tell whether depth is too poor or a part of an item was not judged.

    A bite out of its outline is no face that was judged: a deep dent at an edge looks like the
    gap between two items, and what was cut off must not make the rest sound.
    """
    item = int(np.count_nonzero(view.item_mask))
    if not item:
        return Status.DEPTH_POOR
    measured = np.count_nonzero(view.item_mask & view.valid) / item
    visible = np.count_nonzero(view.item_mask & view.seen) / item
    status = Status.DEPTH_POOR if measured < _LEAST_MEASURED else Status(0)
    partly = visible < _LEAST_VISIBLE or convexity(view) < _LEAST_CONVEX
    return status | (Status.PARTLY_JUDGED if partly else Status(0))


def convexity(view: ItemView) -> float:
    """Give the share of the hull of an item's outline that it fills."""
    size = 2 * round(_RAGGED_M / view.resolution_m) + 1
    closed = cv2.morphologyEx(
        view.item_mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)
    )
    rows, columns = np.nonzero(closed)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    return len(rows) / max(float(cv2.contourArea(hull)), 1.0)
