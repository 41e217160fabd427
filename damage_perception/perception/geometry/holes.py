"""Holes in a face: dark, compact, and deep or without any depth."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.geometry.surface import Relief
from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.outline import filled
from damage_perception.quantiles import median

_DARK = 0.45  # of the face's median luminance
_RADIUS_M = (0.004, 0.03)
_COMPACT = 0.6  # share of its smallest enclosing circle that a hole fills, print rarely
_DEEP_M = 0.012
_RIM_M = 0.003  # nearer to the outline a dark blob may be a shadow
_FEWEST_PIXELS = 5  # of depth seen through a hole that tell its floor
_WALL_M = (0.003, 0.008)  # beside a hole the surface is met again
_RING_M = (0.008, 0.018)  # around a hole depth is lost over the first, but not over the second
_MOST = 32


@dataclass(frozen=True, eq=False)
class Hole:
    """A hole: mask (H, W) bool, significance in deviations, depth in metres (NaN unknown)."""

    mask: NDArray[np.bool_]
    significance: float
    depth_m: float


def find_holes(view: ItemView, relief: Relief) -> list[Hole]:
    """Find dark compact blobs inside the face that have no floor near the surface.

    Print is dark but lies at the surface; a drop-out of the sensor on gloss is not dark; black
    print that swallows the projector's light is told by drop-outs that stray from it.
    """
    inside = filled(view.item_mask)
    luminance = cv2.GaussianBlur(cv2.cvtColor(view.rgb, cv2.COLOR_RGB2GRAY), (5, 5), 0)
    usual = float(np.median(luminance[view.item_mask]))
    # What is black is a neighbour that lies on the item.
    dark = inside & (luminance < _DARK * usual) & view.coloured
    if np.count_nonzero(dark) * view.resolution_m**2 < np.pi * _RADIUS_M[0] ** 2:
        return []
    _, labels, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
    areas = stats[:, cv2.CC_STAT_AREA] * view.resolution_m**2
    sizes = np.pi * np.square(_RADIUS_M)
    fitting = np.flatnonzero((areas >= sizes[0]) & (areas <= sizes[1]))
    fitting = fitting[fitting > 0][:_MOST]
    if not fitting.size:
        return []
    height, width = inside.shape
    surface = cv2.resize(relief.surface_m, (width, height), interpolation=cv2.INTER_LINEAR)
    size = 2 * round(_RIM_M / view.resolution_m) + 1
    core = cv2.erode(inside.astype(np.uint8), np.ones((size, size), np.uint8), borderValue=0) > 0
    holes = [_judge(view, labels == label, surface, core) for label in fitting]
    return [hole for hole in holes if hole is not None]


def _judge(
    view: ItemView,
    mask: NDArray[np.bool_],
    surface: NDArray[np.float32],
    core: NDArray[np.bool_],
) -> Hole | None:
    area = int(np.count_nonzero(mask))
    rows, cols = np.nonzero(mask)
    _, radius = cv2.minEnclosingCircle(np.stack([cols, rows], axis=1).astype(np.float32))
    if area < _COMPACT * np.pi * radius**2 or not core[mask].all():
        return None
    below = (surface - view.height_m)[mask]
    below = below[np.isfinite(below)]
    lost = 1.0 - below.size / area
    centre = np.array([cols.mean(), rows.mean()])
    depth = median(below) if below.size >= _FEWEST_PIXELS else float('nan')
    # A shaded dent is dark and deep too, but so is what lies just beside.
    rim = (surface - view.height_m)[_ring(view, centre, float(radius), _WALL_M)]
    rim = rim[np.isfinite(rim)]
    fall = depth - (median(rim) if rim.size else 0.0)
    if fall > _DEEP_M:
        return Hole(mask, 4.0 * fall / _DEEP_M, depth)
    around = view.height_m[_ring(view, centre, float(radius), _RING_M)]
    measured = float(np.mean(np.isfinite(around))) if around.size else 0.0
    if lost < 0.6 or measured < 0.4:
        return None
    return Hole(mask, 8.0 * lost * min(1.0, measured / 0.6), depth)


def _ring(
    view: ItemView, centre: NDArray[np.float64], radius: float, reach_m: tuple[float, float]
) -> NDArray[np.bool_]:
    """Give the item's surface around a blob, from one distance to another."""
    height, width = view.item_mask.shape
    distance = np.hypot(
        np.arange(width)[None, :] - centre[0], np.arange(height)[:, None] - centre[1]
    )
    inner, outer = (radius + length / view.resolution_m for length in reach_m)
    ring: NDArray[np.bool_] = (distance > inner) & (distance < outer) & view.item_mask & view.seen
    return ring
