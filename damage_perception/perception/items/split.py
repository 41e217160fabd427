"""Split what stands on the support into items, and lay the borders along colour edges."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items.creases import basins, colour_edges, concavity
from damage_perception.perception.items.foreground import Scene, fill_nearest, flood
from damage_perception.perception.items.pieces import Pieces
from damage_perception.perception.items.whole import join_dented

_CELL_M = 0.0037  # of the crease image: creases are wide, half the resolution shows them as well
_REACH_M = 0.018  # from a crease to its sides
_CREASE_LENGTH_M = 0.045  # over which a crease is averaged
_SMOOTH_M = 0.0055
_LEVELS = (0.3, 0.45, 0.6, 0.75, 0.9, 1.1, 1.4)  # of the crease that is needed
_BLUR_M = 0.008  # by which a crease may miss its border
_HALO_M = 0.025  # by which it may do so where depth is missing


def split_creases(
    scene: Scene,
    standing: NDArray[np.bool_],
    min_height_m: float,
    min_size_m: float,
    crease_m: float,
) -> tuple[NDArray[np.int32], dict[int, float]]:
    """Split what stands on the support into items where its height or its hue says so.

    Returns:
        (H, W) int32 labels, 0 = support; and of each label how nearly it was split further, 1 =
        it should have been.
    """
    factor = min(1.0, scene.pixel_m / _CELL_M)
    cell = scene.pixel_m / factor
    known = standing & (scene.smooth_m > 0.5 * min_height_m)
    height = scene.smooth_m if known.any() else np.zeros_like(scene.smooth_m)
    height = fill_nearest(height, known if known.any() else ~known)
    height = cv2.GaussianBlur(height, (0, 0), _SMOOTH_M / scene.pixel_m)
    size = (max(1, round(standing.shape[1] * factor)), max(1, round(standing.shape[0] * factor)))
    small = cv2.resize(height, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(standing.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    relief = concavity(small, max(1, round(_REACH_M / cell)), round(_CREASE_LENGTH_M / cell))
    colour = cv2.resize(scene.lab, size, interpolation=cv2.INTER_AREA)
    hue = colour_edges(colour)
    scene.relief, scene.hue_change = relief, hue
    edges = relief + 0.4 * crease_m * hue
    labels = basins(edges, inside, tuple(crease_m * level for level in _LEVELS))
    pieces = Pieces(labels, relief, colour, crease_m, 2.0 * (min_size_m / cell) ** 2)
    labels, doubts, strength = pieces.join_weak()
    whole = cv2.resize(
        labels.astype(np.float32), standing.shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    whole = _along_colour(scene, whole.astype(np.int32), standing)
    return join_dented(scene, whole, strength, doubts)


def _along_colour(
    scene: Scene, labels: NDArray[np.int32], standing: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Move borders between items to the colour edge nearby; creases are blurred, edges are not."""
    if not labels.any():
        return labels
    near = fill_nearest(labels.astype(np.float32), labels > 0)
    close, wide = (_near_border(near, reach / scene.pixel_m) for reach in (_BLUR_M, _HALO_M))
    sure = standing & ~close & ~(wide & np.isnan(scene.smooth_m))
    kept = np.isin(near, np.unique(near[sure]))
    seeds = np.where(sure | (standing & ~kept), near + 1, 0).astype(np.int32)
    seeds[~standing] = 1
    grown = flood(scene.lab, seeds) - 1
    return np.where(standing, np.where(grown > 0, grown, near.astype(np.int32)), 0)


def _near_border(labels: NDArray[np.float32], reach_px: float) -> NDArray[np.bool_]:
    size = 2 * max(1, round(reach_px)) + 1
    square = np.ones((size, size), np.uint8)
    near: NDArray[np.bool_] = cv2.dilate(labels, square) != cv2.erode(labels, square)
    return near
