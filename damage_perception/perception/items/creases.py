"""Creases of a height image: where one item ends on another.

There the surface is concave: a valley between two items, or the foot of the upper one. The
edges of one convex item never are.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items.foreground import fill_nearest

OVEREXPOSED = 235  # of L: such pixels have lost their hue
_DIRECTIONS = 8
_STRONG_HUE = 8  # steps of a or b over three pixels that are an edge for sure


def concavity(height_m: NDArray[np.float32], reach_px: int, length_px: int) -> NDArray[np.float32]:
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
        one = padded[reach_px + dy : reach_px + dy + h, reach_px + dx : reach_px + dx + w]
        other = padded[reach_px - dy : reach_px - dy + h, reach_px - dx : reach_px - dx + w]
        below = 0.5 * (one + other) - height_m
        below = cv2.filter2D(below, -1, _line(angle + np.pi / 2, length_px))
        np.maximum(deepest, below, out=deepest)
    return deepest


def colour_edges(lab: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Tell how strongly the hue changes at a pixel, (H, W) float32 in [0, 1]."""
    hue = cv2.GaussianBlur(lab[..., 1:], (0, 0), 1.0)
    change = cv2.morphologyEx(hue, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    edges = np.minimum(change.max(axis=2) / np.float32(_STRONG_HUE), np.float32(1.0))
    bright = cv2.dilate((lab[..., 0] >= OVEREXPOSED).astype(np.uint8), np.ones((5, 5), np.uint8))
    kept: NDArray[np.float32] = np.where(bright > 0, np.float32(0.0), edges)
    return kept


def _line(angle: float, length_px: int) -> NDArray[np.float32]:
    """Give a kernel that averages along a line."""
    half = length_px // 2
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
    dx, dy = round(half * np.cos(angle)), round(half * np.sin(angle))
    cv2.line(kernel, (half - dx, half - dy), (half + dx, half + dy), 1)
    line: NDArray[np.float32] = kernel.astype(np.float32) / np.float32(kernel.sum())
    return line


def basins(
    relief: NDArray[np.float32], inside: NDArray[np.bool_], levels: tuple[float, ...]
) -> NDArray[np.int32]:
    """Number the basins of a relief (H, W) inside a mask, from 1; 0 outside.

    The water rises level by level: what hangs together below a level and holds no basin yet is a
    new one, the rest below the level joins the nearest basin.
    """
    square = np.ones((3, 3), np.uint8)
    labels = np.zeros(relief.shape, np.int32)
    for level in levels:
        within = inside & (relief < level)
        count, pools = cv2.connectedComponents(cv2.erode(within.astype(np.uint8), square))
        taken = np.zeros(count, bool)
        taken[pools[labels > 0]] = True
        taken[0] = True
        number = np.where(taken, 0, np.cumsum(~taken) + labels.max())
        labels = np.where(labels > 0, labels, number[pools])
        labels = _spread(labels, within)
    labels = _spread(labels, inside)
    # What stands alone is no part of a basin across the gap, and a basin even if it has no floor.
    count, alone = cv2.connectedComponents(inside.astype(np.uint8), connectivity=4)
    _, numbers = np.unique(labels * count + alone, return_inverse=True)
    return np.where(inside, numbers.reshape(labels.shape) + 1, 0).astype(np.int32)


def _spread(labels: NDArray[np.int32], within: NDArray[np.bool_]) -> NDArray[np.int32]:
    if not labels.any():
        return labels
    near = fill_nearest(labels.astype(np.float32), labels > 0).astype(np.int32)
    return np.where(within, near, 0)
