"""Bring a pristine reference onto the grid of an item: turned, shifted, a little stretched.

Which way round a product lies is decided coarsely, by everything that survives other light: the
layout of the print (colour against its surroundings), what stands out, and the outline. The best
guesses are then refined by robust Gauss-Newton steps (inverse compositional, Baker and Matthews
2004), so that a label, a wrinkle or a damage that only one of the two has does not pull.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.alignment_layers import Layers, cell_of, layers
from damage_perception.perception.item_view import ItemView

Warp = NDArray[np.float64]  # (2, 3)
Votes = NDArray[np.float32]

_COARSE, _FINE = 20, 56  # cells along the longer side of the item
_QUARTERS = tuple(np.deg2rad((0.0, 90.0, 180.0, 270.0)))
_ROUND_TURNS = tuple(np.deg2rad(np.arange(0.0, 360.0, 22.5)))
_LEANING = tuple(turn + lean for turn in _QUARTERS for lean in np.deg2rad((-12.0, 0.0, 12.0)))
_TRIED = 2  # turns that are refined
_CLOSE = 0.05  # of the fit, within which a turn is refined further
_REACH = 0.25  # of the item: how far its middle may seem to have moved
_STEPS = (6, 4)  # of refinement: coarse, fine
_OUTLIER = 1.0  # residual from which a place loses its vote
_STIFFNESS = np.array([0.0, 0.0, 0.02, 10.0, 10.0, 10.0])  # against turn, stretches and shear
_LARGEST_STRETCH = 0.08
_BROKEN_OUTLINE = 0.9  # below this overlap something hangs out of an item, or covers it
_RAGGED = 0.04  # of the overlap, that print may cost
_WORST_FIT = 0.45
# What votes: red, green, blue, height, outline.
_BY_OUTLINE = np.array([0.4, 0.4, 0.4, 0.4, 3.0], np.float32)  # each copy has labels of its own
_BY_PRINT = np.array([1.0, 1.0, 1.0, 0.3, 0.5], np.float32)  # measured outlines are ragged


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
        self._cells = [cell_of(view, count) for count in (_COARSE, _FINE)]

    @cached_property
    def _layers(self) -> list[Layers]:
        return [layers(self._view, cell) for cell in self._cells]

    @cached_property
    def _by_outline(self) -> list[_Level]:
        return [_Level(item, _BY_OUTLINE) for item in self._layers]

    @cached_property
    def _by_print(self) -> list[_Level]:
        return [_Level(item, _BY_PRINT) for item in self._layers]

    def bring(self, reference: ItemView) -> Aligned | None:
        """Align a reference; None if it fits no way round."""
        if not (self._view.item_mask.any() and reference.item_mask.any()):
            return None
        theirs = [layers(reference, cell) for cell in self._cells]
        item, other = self._layers[0], theirs[0]
        turns = _ROUND_TURNS if item.is_round and other.is_round else _QUARTERS
        placed = _best(self._by_outline, theirs, _guesses(item, other, turns, _BY_OUTLINE))
        if placed.overlap < _BROKEN_OUTLINE and turns is _QUARTERS:
            others = _guesses(item, other, _LEANING, _BY_PRINT)
            placed = max(placed, _best(self._by_print, theirs, others), key=_Fit.value)
        closer = _best(self._by_print[1:], theirs[1:], [placed.warp])
        if closer.value() > placed.value() and closer.overlap > placed.overlap - _RAGGED:
            placed = closer
        if placed.value() < _WORST_FIT or not _stiff(placed.warp):
            return None
        pixels = _in_pixels(placed.warp, self._view, reference)
        return Aligned(resampled(reference, pixels, self._view), placed.value(), pixels)


class _Level:
    """The item at one resolution: features and how they change when it moves."""

    def __init__(self, item: Layers, votes: Votes) -> None:
        self.layers = item
        self._squares = np.square(votes)
        across = cv2.Sobel(item.features, cv2.CV_32F, 1, 0, scale=0.125 / item.cell_m[0])
        down = cv2.Sobel(item.features, cv2.CV_32F, 0, 1, scale=0.125 / item.cell_m[1])
        x, y = item.metres()
        size = item.size_m  # parameters are all metres at the border of the item
        x, y = x[None, :, None] / size, y[:, None, None] / size
        terms = (across, down, x * down - y * across, x * across, y * down, x * down + y * across)
        jacobian = np.stack(terms, axis=-1).astype(np.float32).reshape(-1, len(votes), 6)
        voted = jacobian * self._squares[:, None]
        self._jacobian = voted.reshape(-1, 6)
        self._normals = (voted.transpose(0, 2, 1) @ jacobian).reshape(-1, 36)  # of each cell
        self._size = size

    def refined(self, warp: Warp, other: Layers, steps: int) -> Warp:
        """Move a warp (metres to metres) to where the reference fits best."""
        item = self.layers
        share = self._squares / np.float32(len(self._squares) * _OUTLIER**2)
        for _ in range(steps):
            moved, weight = other.on(item, warp)
            residual = moved - item.features
            off = np.square(residual) @ share
            vote = item.weight * weight / np.square(1.0 + off)
            normal = (vote.reshape(-1) @ self._normals).reshape(6, 6).astype(np.float64)
            pull = (residual * vote[..., None]).reshape(-1) @ self._jacobian
            stiff = _STIFFNESS * (normal[0, 0] + normal[1, 1]) / 2
            stiff = stiff + 1e-6 * (np.trace(normal) + 1e-9)
            step = np.linalg.solve(normal + np.diag(stiff), pull.astype(np.float64))
            warp = _composed(warp, step, self._size)
            if np.abs(step).max() < 1e-4:
                break
        return warp


def _best(levels: list[_Level], theirs: list[Layers], guesses: list[Warp]) -> _Fit:
    """Refine guesses level by level and drop what falls behind."""
    found: list[_Fit] = []
    for level, other, steps in zip(levels, theirs, _STEPS[-len(levels) :], strict=True):
        warps = [level.refined(warp, other, steps) for warp in guesses]
        found = [_fit(level.layers, other, warp) for warp in warps]
        enough = max(fit.value() for fit in found) - _CLOSE
        guesses = [fit.warp for fit in found if fit.value() >= enough]
    return max(found, key=_Fit.value)


@dataclass(frozen=True, eq=False)
class _Fit:
    """A warp (metres to metres), how prints correlate under it and how outlines overlap."""

    warp: Warp
    print: float
    overlap: float

    def value(self) -> float:
        """Give one number, up to 1; a half is a plain item with the right outline."""
        return 0.5 * (max(self.print, 0.0) + self.overlap)


def _fit(item: Layers, other: Layers, warp: Warp) -> _Fit:
    moved, weight = other.on(item, warp)
    weight = item.weight * weight
    mine, theirs = (features[..., 4] > 0.0 for features in (item.features, moved))
    both = weight * (mine & theirs)
    either = float(np.sum(weight * (mine | theirs)))
    prints = item.features[..., :3], moved[..., :3]
    one, two, shared = (
        float(np.einsum('ijk,ijk,ij', prints[a], prints[b], both))
        for a, b in ((0, 0), (1, 1), (0, 1))
    )
    energy = np.sqrt(one * two)
    return _Fit(
        warp,
        shared / energy if energy > 0.0 else 0.0,
        float(np.sum(both)) / either if either > 0.0 else 0.0,
    )


def _guesses(item: Layers, other: Layers, turns: tuple[float, ...], votes: Votes) -> list[Warp]:
    """Give the likeliest turns with the shift that fits them best."""
    reach = int(np.ceil(_REACH * _COARSE))
    weighted = item.features * item.weight[..., None] * votes
    padded = cv2.copyMakeBorder(weighted, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    found = []
    for turn in turns:
        warp = _turned(item, other, turn)
        moved, weight = other.on(item, warp)
        scores = cv2.matchTemplate(padded, moved * weight[..., None] * votes, cv2.TM_CCORR)
        _, _, _, (column, row) = cv2.minMaxLoc(scores)
        warp[:, 2] -= warp[:, :2] @ ((np.array([column, row]) - reach) * item.cell_m)
        found.append(_fit(item, other, warp))
    found.sort(key=_Fit.value, reverse=True)
    return [fit.warp for fit in found[:_TRIED]]


def _turned(item: Layers, other: Layers, turn: float) -> Warp:
    """Turn about the middles of the two outlines, metres of the item to the reference's."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shift = other.middle_m - rotation @ item.middle_m
    return np.column_stack([rotation, shift])


def _composed(warp: Warp, step: NDArray[np.float64], size: float) -> Warp:
    """Give the warp after the inverse of a small step."""
    shift_x, shift_y, turn, stretch_x, stretch_y, shear = step
    change = np.array([
        [1.0 + stretch_x / size, (shear - turn) / size, shift_x],
        [(shear + turn) / size, 1.0 + stretch_y / size, shift_y],
        [0.0, 0.0, 1.0],
    ])  # fmt: skip
    return np.asarray((np.vstack([warp, [0.0, 0.0, 1.0]]) @ np.linalg.inv(change))[:2])


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
