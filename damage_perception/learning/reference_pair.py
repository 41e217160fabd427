"""A reference brought onto the grid of a view, for training with references."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.fusion import align
from damage_perception.perception.item_view import ItemView

_WORST_FIT = 0.65  # of outlines, mostly: which print fits is left to the network
_SQUARE = 0.8  # width over length from which a quarter turn fits the outline too


def bring_reference(view: ItemView, reference: ItemView) -> ItemView | None:
    """Align a reference with a view, whichever way round it lies; None if it fits no way."""
    rows, columns = view.item_mask.shape
    square = min(rows, columns) > _SQUARE * max(rows, columns)
    turned = [_turned(reference, quarters) for quarters in range(0, 4, 1 if square else 2)]
    fits = [(align(view, candidate), candidate) for candidate in turned]
    (warp, fit), best = max(fits, key=lambda entry: entry[0][1])
    return _resampled(best, warp, view) if fit >= _WORST_FIT else None


def _turned(view: ItemView, quarters: int) -> ItemView:
    """Turn a view by quarters; its pose no longer holds and is not used."""
    names = ('rgb', 'height_m', 'height_std_m', 'item_mask', 'seen')
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(np.rot90(getattr(view, name), quarters)) for name in names
    }
    return replace(view, **arrays)


def _resampled(view: ItemView, warp: NDArray[np.float32], grid: ItemView) -> ItemView:
    size = (grid.item_mask.shape[1], grid.item_mask.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP

    def warped(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(cv2.warpAffine(image, warp, size, flags=flags), np.float32)

    weight = warped(view.valid.astype(np.float32))
    total = warped(np.nan_to_num(view.height_m))
    known = weight > 0.5
    height = np.full(weight.shape, np.nan, np.float32)
    height[known] = total[known] / weight[known]
    std = np.where(known, np.float32(np.nanmedian(view.height_std_m)), np.float32(np.nan))
    return replace(
        grid,
        rgb=cv2.warpAffine(view.rgb, warp, size, flags=flags),
        height_m=height,
        height_std_m=std,
        item_mask=warped(view.item_mask.astype(np.float32)) > 0.5,
        seen=warped(view.seen.astype(np.float32)) > 0.5,
    )
