"""The window of the picture around an item, with the item and its neighbours in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from damage_perception.report import Roi

if TYPE_CHECKING:  # views are also made where no items are sought, as in training
    from damage_perception.perception.items.items import FoundItem


@dataclass(frozen=True, eq=False)
class ItemWindow:
    """A window of the picture. Arrays are (roi.height, roi.width) bool."""

    roi: Roi
    item: NDArray[np.bool_]
    others: NDArray[np.bool_]


def window_around(
    item: FoundItem, found: list[FoundItem], shape: tuple[int, ...], margin_px: int
) -> ItemWindow:
    """Give the window of an item with `margin_px` around it, cut by the picture (H, W)."""
    x0, y0 = max(0, item.roi.x - margin_px), max(0, item.roi.y - margin_px)
    x1 = min(shape[1], item.roi.x + item.roi.width + margin_px)
    y1 = min(shape[0], item.roi.y + item.roi.height + margin_px)
    roi = Roi(x0, y0, x1 - x0, y1 - y0)
    mask = np.zeros((roi.height, roi.width), bool)
    others = np.zeros_like(mask)
    _paint(mask, item, roi)
    for other in found:
        if other is not item:
            _paint(others, other, roi)
    return ItemWindow(roi, mask, others & ~mask)


def _paint(canvas: NDArray[np.bool_], item: FoundItem, roi: Roi) -> None:
    """Set the item's pixels on a canvas that shows the window `roi`."""
    x0, y0 = max(item.roi.x, roi.x), max(item.roi.y, roi.y)
    x1 = min(item.roi.x + item.roi.width, roi.x + roi.width)
    y1 = min(item.roi.y + item.roi.height, roi.y + roi.height)
    if x0 < x1 and y0 < y1:
        part = item.mask[y0 - item.roi.y : y1 - item.roi.y, x0 - item.roi.x : x1 - item.roi.x]
        canvas[y0 - roi.y : y1 - roi.y, x0 - roi.x : x1 - roi.x] |= part
