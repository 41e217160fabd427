"""What of an item could not be judged, told from its view."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import Status

_LEAST_MEASURED = 0.4  # share of an item that must have depth
_LEAST_VISIBLE = 0.75  # share of its outline that must be seen
_LEAST_CONVEX = 0.92  # share of the hull of its outline that a board must fill,
_LEAST_OF_BAG = 0.86  # and a bag or a pack
_RAGGED_M = 0.002  # a border between touching boxes is found only so well
_BITE_M = 0.007  # radius of a bite into a hull; ragged borders of sound box tops have less
_FALL_M = 0.025  # what lies deeper is a wall or the support
_FLAT_M = 0.004  # so near to its plane, noise aside,
_FLAT_SHARE = 0.75  # lies so much of a board; bags and packs of units are no boards


def view_status(view: ItemView) -> Status:
    """Tell whether depth is too poor or a part of an item was not judged.

    An outline far from convex is no face that was judged: a deep dent at an edge looks like the
    gap between two items, and what was cut off must not make the rest sound.
    """
    item = int(np.count_nonzero(view.item_mask))
    if not item:
        return Status.DEPTH_POOR
    measured = np.count_nonzero(view.item_mask & view.valid) / item
    visible = np.count_nonzero(view.item_mask & view.seen) / item
    status = Status.DEPTH_POOR if measured < _LEAST_MEASURED else Status(0)
    hollow = convexity(view) < (_LEAST_CONVEX if is_board(view) else _LEAST_OF_BAG)
    partly = visible < _LEAST_VISIBLE or hollow
    return status | (Status.PARTLY_JUDGED if partly else Status(0))


def is_board(view: ItemView) -> bool:
    """Tell whether an item is a flat board, whose outline has to be convex.

    Bags taper and wrinkle, and units of a pack leave gaps at its rim.
    """
    measured = view.item_mask & view.valid
    if not measured.any():
        return False
    near = np.abs(view.height_m[measured]) < _FLAT_M + 2.0 * view.height_std_m[measured]
    return bool(near.mean() > _FLAT_SHARE)


def convexity(view: ItemView) -> float:
    """Give the share of the hull of an item's outline that it fills."""
    closed = _closed(view)
    hull = cv2.convexHull(_rim(closed))
    return np.count_nonzero(closed) / max(float(cv2.contourArea(hull)), 1.0)


def is_bitten(view: ItemView) -> bool:
    """Tell whether a bite is out of the hull of a board's outline: there a part is missing.

    Shadows and walls hang on an outline too, so only bites within the rectangle of what was
    measured of the face count.
    """
    if not is_board(view):
        return False
    closed = _closed(view)
    size = 2 * round(_RAGGED_M / view.resolution_m) + 1
    near = (view.item_mask & (view.height_m > -_FALL_M)).astype(np.uint8)  # False for NaN
    near = cv2.morphologyEx(near, cv2.MORPH_OPEN, np.ones((size, size), np.uint8))
    if not near.any():
        return False
    corners = np.rint(cv2.boxPoints(cv2.minAreaRect(_rim(near)))).astype(np.int32)
    hull = cv2.convexHull(_rim(closed))
    within = (cv2.fillConvexPoly(np.zeros_like(closed), shape, 1) for shape in (hull, corners))
    beside = np.logical_and.reduce([*within, closed == 0]).astype(np.uint8)
    far = cv2.distanceTransform(np.pad(beside, 1), cv2.DIST_L2, 3)
    return float(far.max()) * view.resolution_m > _BITE_M


def _rim(mask: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Give the outermost pixels of a mask (H, W): its hull is theirs."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return np.concatenate(outlines)


def _closed(view: ItemView) -> NDArray[np.uint8]:
    """Give the item, (H, W) 0 or 1, without the notches of a ragged border."""
    size = 2 * round(_RAGGED_M / view.resolution_m) + 1
    square = np.ones((size, size), np.uint8)
    closed = cv2.morphologyEx(view.item_mask.astype(np.uint8), cv2.MORPH_CLOSE, square)
    return np.asarray(closed, np.uint8)
