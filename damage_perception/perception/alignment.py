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

from damage_perception.perception.alignment_layers import Layers, layers, shared_cell
from damage_perception.perception.item_view import ItemView

Warp = NDArray[np.float64]  # (2, 3), pixels to pixels

_COARSE, _FINE = 20, 56  # cells along the longer side of the item
_QUARTERS = tuple(np.deg2rad((0.0, 90.0, 180.0, 270.0)))
_ROUND_TURNS = tuple(np.deg2rad(np.arange(0.0, 360.0, 22.5)))
_TURNS = tuple(q + l for q in _QUARTERS for l in np.deg2rad((0.0, -12.0, 12.0)))
_TRIED = 3  # turns that are refined
_REACH = 0.25  # of the item: how far its middle may seem to have moved
_LEANS = tuple(np.deg2rad((0.0, -12.0, 12.0)))  # what hangs out of an item turns its box
# red, green, blue, height, outline:
_SEARCH = np.array([1.0, 1.0, 1.0, 0.7, 0.7], np.float32)  # which way round: print decides
_REFINE = np.array([0.4, 0.4, 0.4, 0.4, 3.0], np.float32)  # where exactly: edges decide
_STEPS = (8, 6)  # of refinement: coarse, fine
_OUTLIER = 1.0  # residual from which a place loses its vote
_STIFFNESS = np.array([0.0, 0.0, 0.02, 10.0, 10.0, 10.0])  # against turn, stretches and shear
_WORST_FIT = 0.35
_LARGEST_STRETCH = 0.08


@dataclass(frozen=True, eq=False)
class Aligned:
    """A reference on the grid of an item.

    Attributes:
        view: the reference, in the pixels of the item; its heights lean with its own face.
        fit: how well the two agree, up to 1: correlation of print, relief and outline.
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
        self._cells = [shared_cell(view, count) for count in (_COARSE, _FINE)]

    @cached_property
    def _levels(self) -> list[_Level]:
        return [_Level(layers(self._view, cell)) for cell in self._cells]

    def bring(self, reference: ItemView) -> Aligned | None:
        """Align a reference; None if it fits no way round."""
        if not (self._view.item_mask.any() and reference.item_mask.any()):
            return None
        theirs = [layers(reference, cell) for cell in self._cells]
        best: tuple[float, Warp] = (-1.0, np.eye(2, 3))
        for warp in _guesses(self._levels[0].layers, theirs[0]):
            found = warp
            for level, other, steps in zip(self._levels, theirs, _STEPS, strict=True):
                found = level.refined(found, other, steps)
            fit = self._levels[1].fit(found, theirs[1])
            best = max(best, (fit, found), key=lambda entry: entry[0])
        fit, warp = best
        if fit < _WORST_FIT or not _stiff(warp):
            return None
        pixels = _in_pixels(warp, self._view, reference)
        return Aligned(resampled(reference, pixels, self._view), fit, pixels)


class _Level:
    """The item at one resolution: features and how they change when it moves."""

    def __init__(self, item: Layers) -> None:
        self.layers = item
        features = item.features * _REFINE
        across = cv2.Sobel(features, cv2.CV_32F, 1, 0, scale=0.125) * np.float32(1 / item.cell_m[0])
        down = cv2.Sobel(features, cv2.CV_32F, 0, 1, scale=0.125) * np.float32(1 / item.cell_m[1])
        rows, columns = item.weight.shape
        x, y = item.metres()
        size = item.size_m  # parameters are all metres at the border of the item
        x, y = x[None, :, None] / size, y[:, None, None] / size
        terms = (across, down, x * down - y * across, x * across, y * down, x * down + y * across)
        self._jacobian = np.stack(terms, axis=-1).astype(np.float32).reshape(-1, 6)
        self._size = size

    def refined(self, warp: Warp, other: Layers, steps: int) -> Warp:
        """Move a warp (metres to metres) to where the reference fits best."""
        item, jacobian = self.layers, self._jacobian
        channels = item.features.shape[2]
        for _ in range(steps):
            moved, weight = other.on(item, warp)
            residual = (moved - item.features) * _REFINE
            vote = item.weight * weight
            off = np.sqrt(np.mean(np.square(residual), axis=2))
            vote = vote / np.square(1.0 + np.square(off * np.float32(1 / _OUTLIER)))
            votes = np.repeat(vote.reshape(-1), channels)[:, None]
            weighted = jacobian * votes
            normal = (weighted.T @ jacobian).astype(np.float64)
            pull = (weighted.T @ residual.reshape(-1, 1)).astype(np.float64)[:, 0]
            stiff = _STIFFNESS * (normal[0, 0] + normal[1, 1]) / 2
            stiff = stiff + 1e-6 * (np.trace(normal) + 1e-9)
            step = np.linalg.solve(normal + np.diag(stiff), pull)
            warp = _composed(warp, step, self._size)
            if np.abs(step).max() < 1e-4:
                break
        return warp

    def fit(self, warp: Warp, other: Layers) -> float:
        """Tell how well features agree under a warp, (-1, 1]."""
        moved, weight = other.on(self.layers, warp)
        return _agreement(self.layers.features * _SEARCH, moved * _SEARCH, self.layers.weight * weight)


def _agreement(
    one: NDArray[np.float32], two: NDArray[np.float32], weight: NDArray[np.float32]
) -> float:
    vote = weight[..., None]
    both = float(np.sum(one * two * vote))
    energy = np.sqrt(float(np.sum(one * one * vote)) * float(np.sum(two * two * vote)))
    return both / energy if energy > 0.0 else 0.0


def _guesses(item: Layers, other: Layers) -> list[Warp]:
    """Give the likeliest turns with the shift that fits them best."""
    reach = int(np.ceil(_REACH * _COARSE))
    rows, columns = item.weight.shape
    weighted = item.features * item.weight[..., None] * _REFINE
    padded = cv2.copyMakeBorder(weighted, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    found = []
    turns = _ROUND_TURNS if item.is_round and other.is_round else _TURNS
    for turn in turns:
        warp = _turned(item, other, turn)
        moved, weight = other.on(item, warp)
        scores = cv2.matchTemplate(padded, moved * weight[..., None] * _REFINE, cv2.TM_CCORR)
        _, _, _, (column, row) = cv2.minMaxLoc(scores)
        shift = np.array([column - reach, row - reach]) * item.cell_m
        warp[:, 2] -= warp[:, :2] @ shift
        moved, weight = other.on(item, warp)
        fit = _agreement(item.features * _SEARCH, moved * _SEARCH, item.weight * weight)
        found.append((fit, warp))
    found.sort(key=lambda entry: -entry[0])
    return [warp for _, warp in found[:_TRIED]]


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
