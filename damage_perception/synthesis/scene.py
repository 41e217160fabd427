"""The scene as one layered map over the support plane; items are stamped into it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.noise import Field
from damage_perception.synthesis.patch import Patch, blend

Window = tuple[slice, slice]  # rows and columns of the map

MAIN = 1  # id of the first item; 0 is the support, further items follow


@dataclass(frozen=True)
class Placement:
    """Where an item lies: centre (metres), turn about z (radians), height of its base, tilt."""

    x: float = 0.0
    y: float = 0.0
    yaw: float = 0.0
    base: float = 0.0
    slope: tuple[float, float] = (0.0, 0.0)  # rise per metre along x and y, when it leans


@dataclass(eq=False)
class SceneMap:
    """Layers over the support plane, all (H, W); x right along columns, y up against rows.

    Attributes:
        mpp: metres per pixel.
        left, top: x and y of the centre of pixel (0, 0), metres.
        height: float32 metres over the support plane.
        albedo: (H, W, 3) uint8 sRGB.
        gloss: uint8.
        ids: uint8, 0 support, then items in the order of stamping.
        mark: uint8, number of a damage within the scene, 0 none.
        trace: uint8, see `Patch.trace`.
    """

    mpp: float
    left: float
    top: float
    height: Field
    albedo: NDArray[np.uint8]
    gloss: NDArray[np.uint8]
    ids: NDArray[np.uint8]
    mark: NDArray[np.uint8]
    trace: NDArray[np.uint8]
    marks: int = 0

    @classmethod
    def empty(cls, bounds: tuple[float, float, float, float], mpp: float) -> SceneMap:
        """Make a bare map of (x low, y low, x high, y high) metres, on a grid through (0, 0)."""
        left, top = math.floor(bounds[0] / mpp) * mpp, math.ceil(bounds[3] / mpp) * mpp
        cols = math.ceil((bounds[2] - left) / mpp) + 1
        rows = math.ceil((top - bounds[1]) / mpp) + 1
        return cls(
            mpp, left, top,
            np.zeros((rows, cols), np.float32),
            np.full((rows, cols, 3), 90, np.uint8),
            np.zeros((rows, cols), np.uint8),
            np.zeros((rows, cols), np.uint8),
            np.zeros((rows, cols), np.uint8),
            np.zeros((rows, cols), np.uint8),
        )  # fmt: skip

    def grid(self) -> tuple[Field, Field]:
        """Give x and y of the pixels, metres: (1, W) and (H, 1)."""
        rows, cols = self.height.shape
        x = self.left + np.arange(cols, dtype=np.float32) * np.float32(self.mpp)
        y = self.top - np.arange(rows, dtype=np.float32) * np.float32(self.mpp)
        return x[None, :].astype(np.float32), y[:, None].astype(np.float32)

    def stamp(self, patch: Patch, at: Placement, item: int) -> int:
        """Lay an item down; return the offset that was added to its damage marks."""
        window, layers = self._layers(patch, at)
        height, albedo, gloss, mask, mark, cover, trace = layers
        offset = self.marks
        self.marks += len(patch.damages)
        if mask.size == 0:  # wholly off the map
            return offset
        if patch.damages:  # nothing lies beside a sound item
            ground = (cover > 0.01) & ~mask
            blend(self.albedo[window], albedo, np.where(ground, cover, 0).astype(np.float32))
            self.height[window][ground] += height[ground]
            wet = ground & (gloss > 100)
            self.gloss[window][wet] = gloss[wet]
        base: Field | float = at.base
        if patch.soft:
            below = self.height[window]
            base = _draped(below, self.mpp)
        rise = height + base
        if at.slope != (0.0, 0.0) and mask.any():
            x, y = (axis[0, window[1]] if i == 0 else axis[window[0], 0]
                    for i, axis in enumerate(self.grid()))  # fmt: skip
            tilt = at.slope[0] * (x - at.x)[None, :] + at.slope[1] * (y - at.y)[:, None]
            upright = math.hypot(1.0, *at.slope)  # a shear makes an item thinner, this undoes it
            rise = height * np.float32(upright) + base + tilt - tilt[mask].min()
        np.copyto(self.height[window], rise, where=mask)
        np.copyto(self.albedo[window], albedo, where=mask[..., None])
        np.copyto(self.gloss[window], gloss, where=mask)
        self.ids[window][mask] = item
        self.mark[window][mask] = 0
        if patch.damages:
            damaged = mark > 0
            self.mark[window][damaged] = mark[damaged] + offset
            self.trace[window][damaged] = trace[damaged]
        return offset

    def _layers(self, patch: Patch, at: Placement) -> tuple[Window, tuple[NDArray[Any], ...]]:
        """Bring a patch's layers onto the map's grid: the rows and columns it fills, and them."""
        rows, cols = patch.shape
        centre = ((at.x - self.left) / self.mpp, (self.top - at.y) / self.mpp)
        if at.yaw == 0.0 and abs(patch.mpp - self.mpp) < 1e-9:
            left, top = round(centre[0] - (cols - 1) / 2), round(centre[1] - (rows - 1) / 2)
            inner, window = _overlap((left, top), (cols, rows), self.height.shape)
            layers = (patch.height, patch.albedo, patch.gloss, patch.mask, patch.mark, patch.cover,
                      patch.trace)  # fmt: skip
            return window, tuple(layer[inner] for layer in layers)
        scale = patch.mpp / self.mpp
        cos, sin = math.cos(at.yaw) * scale, math.sin(at.yaw) * scale
        reach = math.hypot(rows, cols) * scale / 2 + 2
        left, top = math.floor(centre[0] - reach), math.floor(centre[1] - reach)
        side = math.ceil(2 * reach)
        inner, window = _overlap((left, top), (side, side), self.height.shape)
        left, top = window[1].start, window[0].start
        size = (window[1].stop - left, window[0].stop - top)
        # Rows run against y, so a turn to the left is a turn to the left in the picture too.
        px, py = (cols - 1) / 2, (rows - 1) / 2
        matrix = np.array([[cos, sin, centre[0] - left - cos * px - sin * py],
                           [-sin, cos, centre[1] - top + sin * px - cos * py]])  # fmt: skip

        def warp(layer: NDArray[Any], flag: int) -> NDArray[Any]:
            if 0 in size:  # wholly off the map, which OpenCV would take for 'as it is'
                return np.zeros((size[1], size[0], *layer.shape[2:]), layer.dtype)
            return cv2.warpAffine(layer, matrix, size, flags=flag)

        layers = (
            warp(patch.height, cv2.INTER_LINEAR),
            warp(patch.albedo, cv2.INTER_LINEAR),
            warp(patch.gloss, cv2.INTER_NEAREST),
            warp(patch.mask.astype(np.uint8), cv2.INTER_NEAREST).astype(bool),
            warp(patch.mark, cv2.INTER_NEAREST),
            warp(patch.cover, cv2.INTER_LINEAR),
            warp(patch.trace, cv2.INTER_NEAREST),
        )
        return window, layers

    def base_under(self, patch: Patch, at: Placement) -> float:
        """Height of the highest thing below an item's outline: rigid items rest on it."""
        window, layers = self._layers(patch, at)
        mask = layers[3]
        return float(self.height[window][mask].max()) if mask.any() else 0.0


def _draped(below: Field, mpp: float) -> Field:
    """How a soft pack lies on what is below: it bridges gaps and bends over edges."""
    size = max(1, round(0.08 / mpp))
    bridged = cv2.morphologyEx(below, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    soft = cv2.GaussianBlur(bridged, (0, 0), max(1.0, 0.015 / mpp))
    return np.asarray(np.maximum(soft, below), np.float32)


def _overlap(
    corner: tuple[int, int], size: tuple[int, int], shape: tuple[int, ...]
) -> tuple[Window, Window]:
    """Cut a rectangle to the map: slices within the rectangle and within the map."""
    (left, top), (cols, rows) = corner, size
    x0, y0 = max(left, 0), max(top, 0)
    x1, y1 = max(min(left + cols, shape[1]), x0), max(min(top + rows, shape[0]), y0)
    inner = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    return inner, (slice(y0, y1), slice(x0, x1))
