"""Creases of a height image: where one item ends on another.

There the surface is concave: a valley between two items, or the foot of the upper one. The
edges of one convex item never are.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items_foreground import fill_nearest

_DIRECTIONS = 8


def concavity(height_m: NDArray[np.float32], reach_px: int, length_px: int
              ) -> NDArray[np.float32]:
    """How far a pixel lies below the chord between its two sides, the worst of eight directions.

    The signed depth below the chord is averaged along the crease, across the chord: depth noise
    is correlated over some pixels only, a crease is long.

    Args:
        height_m: (H, W) float32, smooth and without NaN.
        reach_px: half the length of the chord.
        length_px: length along the crease over which is averaged.

    Returns:
        (H, W) float32 metres, never negative.
    """
    h, w = height_m.shape
    padded = cv2.copyMakeBorder(height_m, *(reach_px,) * 4, cv2.BORDER_REPLICATE)
    deepest = np.zeros_like(height_m)
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        dx, dy = round(reach_px * np.cos(angle)), round(reach_px * np.sin(angle))
        one = padded[reach_px + dy:reach_px + dy + h, reach_px + dx:reach_px + dx + w]
        other = padded[reach_px - dy:reach_px - dy + h, reach_px - dx:reach_px - dx + w]
        below = 0.5 * (one + other) - height_m
        below = cv2.filter2D(below, -1, _line(angle + np.pi / 2, length_px))
        np.maximum(deepest, below, out=deepest)
    return deepest


def _line(angle: float, length_px: int) -> NDArray[np.float32]:
    """Give a kernel that averages along a line."""
    half = length_px // 2
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    dx, dy = round(half * np.cos(angle)), round(half * np.sin(angle))
    cv2.line(kernel, (half - dx, half - dy), (half + dx, half + dy), 1)
    return kernel.astype(np.float32) / np.float32(kernel.sum())


def basins(relief: NDArray[np.float32], inside: NDArray[np.bool_], levels: tuple[float, ...]
           ) -> NDArray[np.int32]:
    """Number the basins of a relief inside a mask, from 1; 0 outside.

    A basin is a piece that hangs together below the first level; the rest joins, level by level,
    the nearest piece.
    """
    lowest = inside & (relief < levels[0])
    core = cv2.erode(lowest.astype(np.uint8), np.ones((3, 3), np.uint8))
    _, labels = cv2.connectedComponents(core, connectivity=4)
    for level in (*levels, np.inf):
        within = inside & (relief < level)
        if labels.any():
            near = fill_nearest(labels.astype(np.float32), labels > 0).astype(np.int32)
            labels = np.where(within, near, 0)
    return labels
