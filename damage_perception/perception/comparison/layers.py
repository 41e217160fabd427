"""An item at low resolution as alignment sees it: what survives other light and other noise."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.item_view import ItemView

_AROUND = 0.12  # of the item: colour and height are compared with this much around them
_COLOUR_FLOOR = 6.0  # grey levels: below this contrast it is noise of the camera
_HEIGHT_FLOOR_M = 0.004
_MOST = 2.0  # deviations: one bright label must not outvote the rest
_ROUND = (0.72, 0.84)  # area over that of the box around it: a disc has 0.785
_EVEN = 0.9  # width over length of a disc, at least


@dataclass(frozen=True, eq=False)
class Layers:
    """One view at low resolution.

    Attributes:
        features: (h, w, 5) float32: colour and height against their surroundings, outline.
        weight: (h, w) float32, how much of each cell is seen, [0, 1].
        cell_m: (2,) float64, metres per cell along x and y.
        middle_m: (2,) float64, middle of the outline from the middle of the picture, x and y.
        size_m: half the longer side of the outline, metres.
        is_round: the outline is a disc, so it says nothing of the turn.
    """

    features: NDArray[np.float32]
    weight: NDArray[np.float32]
    cell_m: NDArray[np.float64]
    middle_m: NDArray[np.float64]
    size_m: float
    is_round: bool

    def metres(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Give the columns' x and the rows' y from the middle of the picture."""
        rows, columns = self.weight.shape
        x, y = (np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in (columns, rows))
        return x * np.float32(self.cell_m[0]), y * np.float32(self.cell_m[1])

    def on(
        self, grid: Layers, warp: NDArray[np.float64]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Resample features and weight onto another grid by a warp of metres (grid to here)."""
        rows, columns = grid.weight.shape
        middle = np.array([columns - 1, rows - 1]) / 2
        here = (np.array(self.weight.shape[::-1]) - 1) / 2
        linear = warp[:, :2] * grid.cell_m / self.cell_m[:, None]
        shift = warp[:, 2] / self.cell_m + here - linear @ middle
        cells = np.column_stack([linear, shift])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpAffine(self.features, cells, (columns, rows), flags=flags)
        weight = cv2.warpAffine(self.weight, cells, (columns, rows), flags=flags)
        return moved, weight


def cell_of(view: ItemView, count: int) -> float:
    """Give the size of cells, metres, of which `count` lie along an item; at least a pixel."""
    box = _box(view.item_mask)
    return max(1.0, float((box[2:] - box[:2] + 1.0).max()) / count) * view.resolution_m


def layers(view: ItemView, cell_m: float) -> Layers:
    """Look at a view in cells of about `cell_m` metres."""
    rows, columns = view.item_mask.shape
    scale = view.resolution_m / cell_m
    size = max(4, round(columns * scale)), max(4, round(rows * scale))
    valid = view.item_mask & view.valid
    flat = np.where(view.item_mask[..., None], view.rgb, np.uint8(0))
    masks = np.dstack([view.item_mask, valid, view.seen]).astype(np.float32)
    masks = cv2.resize(masks, size, interpolation=cv2.INTER_AREA)
    item, known, seen = (np.ascontiguousarray(masks[..., k]) for k in range(3))
    sigma = _AROUND * max(size)
    total = cv2.resize(flat, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    colour = _standing_out(total, item, sigma, _COLOUR_FLOOR)
    total = cv2.resize(np.where(valid, view.height_m, np.float32(0.0)), size,
                       interpolation=cv2.INTER_AREA)  # fmt: skip
    height = _standing_out(total, known, sigma, _HEIGHT_FLOOR_M)
    outline = (item - np.float32(0.5)) * np.float32(2.0)
    features = np.dstack([colour, height, cv2.GaussianBlur(outline, (0, 0), 1.0)])
    cell = np.array([columns / size[0], rows / size[1]]) * view.resolution_m
    box = _box(view.item_mask)
    middle = (box[:2] + box[2:]) / 2 - np.array([columns - 1, rows - 1]) / 2
    extent = box[2:] - box[:2] + 1
    fill = np.count_nonzero(view.item_mask) / max(float(extent.prod()), 1.0)
    is_round = _ROUND[0] < fill < _ROUND[1] and extent.min() > _EVEN * extent.max()
    return Layers(
        features, seen, cell, middle * view.resolution_m,
        float(extent.max()) * view.resolution_m / 2, bool(is_round),
    )  # fmt: skip


def _standing_out(
    total: NDArray[np.float32], weight: NDArray[np.float32], sigma: float, floor: float
) -> NDArray[np.float32]:
    """Give values against their surroundings, in local deviations that all channels share."""
    total = total.reshape(*weight.shape, -1)
    share = np.maximum(weight, np.float32(1e-3))[..., None]
    around = cv2.GaussianBlur(weight, (0, 0), sigma)
    around = np.maximum(around, np.float32(1e-3))[..., None]
    mean = cv2.GaussianBlur(total, (0, 0), sigma).reshape(total.shape) / around
    off = (total / share - mean) * (weight > 0.3)[..., None]
    power = (
        cv2.GaussianBlur(np.square(off).mean(axis=2) * weight, (0, 0), 1.5 * sigma)[..., None]
        / around
    )
    out = off / np.sqrt(power + np.float32(floor * floor))
    most = np.float32(_MOST)
    return np.clip(out, -most, most) * weight[..., None]


def _box(mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give first column and row, last column and row of a mask that is not empty."""
    columns, rows = np.flatnonzero(mask.any(axis=0)), np.flatnonzero(mask.any(axis=1))
    if not len(columns):
        return np.zeros(4)
    return np.array([columns[0], rows[0], columns[-1], rows[-1]], float)
