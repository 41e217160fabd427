"""The window of the picture around an item, with the item and its neighbours in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.report import Roi, Status

if TYPE_CHECKING:  # views are also made where no items are sought, as in training
    from damage_perception.perception.items.items import FoundItem

_SMALL = 0.25  # of an item's area: what is smaller and touches it is likelier its own
_TOUCH_PX = 5


@dataclass(frozen=True, eq=False)
class ItemWindow:
    """A window of the picture. Arrays are (roi.height, roi.width) bool."""

    roi: Roi
    item: NDArray[np.bool_]
    others: NDArray[np.bool_]


def window_around(
    item: FoundItem, found: list[FoundItem], shape: tuple[int, ...], margin_px: int
) -> ItemWindow:
    """Give the window of an item with `margin_px` around it, cut by the picture (H, W).

    What is small and touches the item is none of the others: a flap, what fell out or a puddle
    is found beside an item and tells of its damage.
    """
    x0, y0 = max(0, item.roi.x - margin_px), max(0, item.roi.y - margin_px)
    x1 = min(shape[1], item.roi.x + item.roi.width + margin_px)
    y1 = min(shape[0], item.roi.y + item.roi.height + margin_px)
    roi = Roi(x0, y0, x1 - x0, y1 - y0)
    mask = np.zeros((roi.height, roi.width), bool)
    others = np.zeros_like(mask)
    _paint(mask, item, roi)
    for other in found:
        if other is not item and not _lies_against(other, item):
            _paint(others, other, roi)
    return ItemWindow(roi, mask, others & ~mask)


def _lies_against(other: FoundItem, item: FoundItem) -> bool:
    """Tell whether something whole that is small beside an item touches it."""
    if other.status & Status.TRUNCATED:
        return False
    near = Roi(
        other.roi.x - _TOUCH_PX, other.roi.y - _TOUCH_PX,
        other.roi.width + 2 * _TOUCH_PX, other.roi.height + 2 * _TOUCH_PX,
    )  # fmt: skip
    own = np.zeros((near.height, near.width), bool)
    _paint(own, item, near)
    if not own.any():
        return False
    if np.count_nonzero(other.mask) >= _SMALL * np.count_nonzero(item.mask):
        return False
    size = 2 * _TOUCH_PX + 1
    grown = cv2.dilate(
        np.pad(other.mask, _TOUCH_PX).astype(np.uint8), np.ones((size, size), np.uint8)
    )
    return bool((own & (grown > 0)).any())


def _paint(canvas: NDArray[np.bool_], item: FoundItem, roi: Roi) -> None:
    """Set the item's pixels on a canvas that shows the window `roi`."""
    x0, y0 = max(item.roi.x, roi.x), max(item.roi.y, roi.y)
    x1 = min(item.roi.x + item.roi.width, roi.x + roi.width)
    y1 = min(item.roi.y + item.roi.height, roi.y + roi.height)
    if x0 < x1 and y0 < y1:
        part = item.mask[y0 - item.roi.y : y1 - item.roi.y, x0 - item.roi.x : x1 - item.roi.x]
        canvas[y0 - roi.y : y1 - roi.y, x0 - roi.x : x1 - roi.x] |= part
