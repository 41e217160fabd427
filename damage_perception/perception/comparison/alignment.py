"""Bring a pristine reference onto the grid of an item: turned, shifted, a little stretched.

The outline says where a product lies and the print which way round, since each copy carries labels
of its own. Both are compared as what survives other light: colour and height against their
surroundings. See `alignment_search.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.comparison.layers import Layers, cell_of, layers
from damage_perception.perception.comparison.search import (
    BY_OUTLINE,
    BY_PRINT,
    COARSE,
    FINE,
    LEANING,
    QUARTERS,
    ROUND_TURNS,
    Fit,
    Level,
    Warp,
    best,
    guesses,
)
from damage_perception.perception.view.item_view import ItemView

_LARGEST_STRETCH = 0.08
_BROKEN_OUTLINE = 0.9  # below this overlap something hangs out of an item, or covers it
_RAGGED = 0.04  # of the overlap, that print may cost
_WORST_FIT = 0.45


@dataclass(frozen=True, eq=False)
class Aligned:
    """A reference on the grid of an item.

    Attributes:
        view: the reference, in the pixels of the item; its heights lean with its own face.
        fit: how well the two agree, up to 1: half for the outline, half for the print. So 0.5 is a
            plain item, or one whose labels differ, with the right outline.
        warp: (2, 3) float64, from pixels of the item to pixels of the reference.
    """

    view: ItemView
    fit: float
    warp: Warp


def bring_reference(view: ItemView, reference: ItemView) -> Aligned | None:
    """Align one reference with an item; None if it fits no way round. See `Aligner`."""
    return Aligner(view).bring(reference)


class Aligner:
    """Brings references onto one item; what is needed of the item is computed once."""

    def __init__(self, view: ItemView) -> None:
        self._view = view
        self._cells = [cell_of(view, count) for count in (COARSE, FINE)]

    @cached_property
    def _layers(self) -> list[Layers]:
        return [layers(self._view, cell) for cell in self._cells]

    @cached_property
    def _by_outline(self) -> list[Level]:
        return [Level(item, BY_OUTLINE) for item in self._layers]

    @cached_property
    def _by_print(self) -> list[Level]:
        return [Level(item, BY_PRINT) for item in self._layers]

    def bring(self, reference: ItemView) -> Aligned | None:
        """Align a reference; None if it fits no way round."""
        if not (self._view.item_mask.any() and reference.item_mask.any()):
            return None
        theirs = [layers(reference, cell) for cell in self._cells]
        item, other = self._layers[0], theirs[0]
        turns = ROUND_TURNS if item.is_round and other.is_round else QUARTERS
        placed = best(self._by_outline, theirs, guesses(item, other, turns, BY_OUTLINE))
        if placed.overlap < _BROKEN_OUTLINE and turns is QUARTERS:
            others = guesses(item, other, LEANING, BY_PRINT)
            placed = max(placed, best(self._by_print, theirs, others), key=Fit.value)
        closer = best(self._by_print[1:], theirs[1:], [placed.warp])
        if closer.value() > placed.value() and closer.overlap > placed.overlap - _RAGGED:
            placed = closer
        if placed.value() < _WORST_FIT or not _stiff(placed.warp):
            return None
        pixels = _in_pixels(placed.warp, self._view, reference)
        return Aligned(resampled(reference, pixels, self._view), placed.value(), pixels)


def _stiff(warp: Warp) -> bool:
    stretch = np.linalg.svd(warp[:, :2], compute_uv=False)
    return bool(np.isfinite(warp).all() and np.abs(stretch - 1.0).max() < _LARGEST_STRETCH)


def _in_pixels(warp: Warp, item: ItemView, reference: ItemView) -> Warp:
    """Turn a warp of metres from the middles of the pictures into one of pixels."""
    middle, theirs = ((np.array(v.item_mask.shape[::-1]) - 1) / 2 for v in (item, reference))
    linear = warp[:, :2] * (item.resolution_m / reference.resolution_m)
    shift = warp[:, 2] / reference.resolution_m + theirs - linear @ middle
    return np.column_stack([linear, shift])


def resampled(view: ItemView, warp: Warp, grid: ItemView) -> ItemView:
    """Put a view onto the grid of another.

    Args:
        view: what is resampled.
        warp: (2, 3), from pixels of `grid` to pixels of `view`.
        grid: whose grid, pose and noise correlation the result takes.
    """
    size = (grid.item_mask.shape[1], grid.item_mask.shape[0])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    valid = view.valid
    planes = np.dstack([valid, np.where(valid, view.height_m, 0.0), view.item_mask, view.seen])
    planes = cv2.warpAffine(planes.astype(np.float32), warp, size, flags=flags)
    weight = planes[..., 0]
    known = weight > 0.5
    height = np.full(weight.shape, np.nan, np.float32)
    height[known] = planes[..., 1][known] / weight[known]
    std = np.where(known, np.float32(_typical(view.height_std_m)), np.float32(np.nan))
    return replace(
        grid,
        rgb=cv2.warpAffine(view.rgb, warp, size, flags=flags),
        height_m=height,
        height_std_m=std,
        item_mask=planes[..., 2] > 0.5,
        seen=planes[..., 3] > 0.5,
    )


def _typical(std_m: NDArray[np.float32]) -> float:
    known = std_m[~np.isnan(std_m)]
    return float(np.median(known)) if known.size else float('nan')
