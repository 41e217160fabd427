"""What stands on the support: seeds from height, borders from colour.

Depth cameras lose 10 to 20 pixels around an item; there only colour can say where it ends.
"""

from __future__ import annotations

from copy import copy

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items.each import of_each

_LEVELS = (16, 32, 32)  # bins of L, a and b
_OPEN_M = 0.02  # ends of bags are narrower
_SAME_HUE = 8.0  # steps of a and b (8 bit)
_SMOOTH_M = 0.0055  # correlation length of depth noise, so that averaging pays


class Scene:
    """The picture inside the region of interest, with what is worked out from it once.

    Attributes:
        grey: (H, W) uint8.
        lab: (H, W, 3) uint8 CIELAB without single-pixel noise.
        smooth_m: (H, W) float32, metres above the support, averaged; NaN = no depth.
        rim: (H, W) bool, pixels where the region of interest ends.
        inside: (H, W) bool, the region of interest.
        pixel_m: metres that a pixel spans.
        probability: (H, W) float32, colour is that of items; set by `find_standing`.
        relief: (h, w) float32, metres that creases are deep, coarser; set by `split_creases`.
        hue_change: (h, w) float32, how strongly the hue changes, coarser; set by `split_creases`.
        dark: (H, W) bool, thin dark lines; set by `cut_pieces`.
    """

    def __init__(
        self,
        rgb: NDArray[np.uint8],
        height_m: NDArray[np.float32],
        inside: NDArray[np.bool_],
        pixel_m: float,
    ) -> None:
        self.inside = inside
        self.pixel_m = pixel_m
        rgb = np.ascontiguousarray(rgb)
        self.grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        self.lab = cv2.cvtColor(cv2.medianBlur(rgb, 3), cv2.COLOR_RGB2LAB)
        seen = np.where(inside, height_m, np.float32(np.nan))
        self.smooth_m = smooth_height(seen, _SMOOTH_M / pixel_m)
        within = cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
        self.rim = inside & (cv2.erode(within, np.ones((3, 3), np.uint8))[1:-1, 1:-1] == 0)
        self.probability = np.zeros(inside.shape, np.float32)
        self.relief = self.hue_change = np.zeros((1, 1), np.float32)
        self.dark = np.zeros(inside.shape, bool)

    def coarser(self, step: int) -> Scene:
        """Give every `step`-th row and column."""
        other = copy(self)
        for name in ('inside', 'grey', 'lab', 'smooth_m', 'rim', 'probability'):
            setattr(other, name, np.ascontiguousarray(getattr(self, name)[::step, ::step]))
        other.pixel_m = step * self.pixel_m
        return other


def find_standing(scene: Scene, min_height_m: float, min_size_m: float) -> NDArray[np.bool_]:
    """Give the pixels of everything that stands on the support, (H, W) bool."""
    height = scene.smooth_m
    support = np.abs(height) < 0.65 * min_height_m
    high = height > 1.5 * min_height_m
    if np.count_nonzero(high) * scene.pixel_m**2 < 0.25 * min_size_m**2:
        return np.zeros(height.shape, bool)
    scene.probability = item_probability(scene.lab, high, support)
    likely = scene.probability > 0.5
    item = (height > min_height_m) & (likely | (height > 2.5 * min_height_m))
    seeds = np.zeros(height.shape, np.int32)
    seeds[support & ~likely] = 1
    seeds[cv2.erode(item.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 2
    picture = scene.lab.copy()
    picture[..., 2] = 255.0 * scene.probability
    standing = (flood(picture, seeds) == 2) & scene.inside
    standing &= ~_shadows(scene, standing, 0.3 * min_height_m)
    return _without_slivers(standing, min_size_m / scene.pixel_m)


def _shadows(scene: Scene, standing: NDArray[np.bool_], low_m: float) -> NDArray[np.bool_]:
    """Mark what lies on the support in the open, as dark as a shadow and of the support's hue.

    Ends of bags are low, too, but narrow; and what an item surrounds belongs to it.
    """
    bare = (scene.inside & ~standing).view(np.uint8)
    if not bare.any():
        return np.zeros_like(standing)
    usual = np.array([_middle(scene.lab, channel, bare) for channel in range(3)])
    least = np.floor([-1.0, *(usual[1:] - _SAME_HUE)]) + 1.0
    most = np.ceil([usual[0], *(usual[1:] + _SAME_HUE)]) - 1.0
    like = cv2.inRange(scene.lab, np.maximum(least, 0.0), np.minimum(most, 255.0)) > 0
    size = max(3, round(_OPEN_M / scene.pixel_m))
    low = (like & (np.abs(scene.smooth_m) < low_m)).astype(np.uint8)
    ground = cv2.morphologyEx(low, cv2.MORPH_OPEN, np.ones((size, size), np.uint8)) > 0
    _, pieces = cv2.connectedComponents((ground | ~standing).astype(np.uint8), connectivity=4)
    outside = np.bincount(pieces[~standing], minlength=int(pieces.max()) + 1) > 0
    outside[0] = False
    return ground & outside[pieces]


def _middle(picture: NDArray[np.uint8], channel: int, mask: NDArray[np.uint8]) -> float:
    """Give the median of a channel where a mask (H, W) says, by counting bytes."""
    below = cv2.calcHist([picture], [channel], mask, [256], [0, 256]).ravel().cumsum()
    half = (below[-1] - 1) // 2, below[-1] // 2
    return float(np.mean(np.searchsorted(below, half, side='right')))


def _without_slivers(mask: NDArray[np.bool_], size_px: float) -> NDArray[np.bool_]:
    """Drop what is nowhere as wide as an item, such as rails and specks."""
    width = 2 * int(0.12 * size_px) + 1
    opened = cv2.morphologyEx(
        mask.astype(np.uint8), cv2.MORPH_OPEN, np.ones((width, width), np.uint8)
    )
    _, pieces = cv2.connectedComponents(opened, connectivity=4)
    ringed = cv2.copyMakeBorder(opened, 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    inner = cv2.distanceTransform(ringed, cv2.DIST_L2, 3)[1:-1, 1:-1]
    wide = 2.0 * of_each(np.max, inner, pieces) >= 0.85 * size_px
    kept: NDArray[np.bool_] = wide[pieces]
    return kept


def fill_nearest(values: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Give each unknown pixel the value of the nearest known one. (H, W) float32; one is known."""
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    table = np.zeros(int(labels.max()) + 1, np.float32)
    table[labels[known]] = values[known]
    filled: NDArray[np.float32] = table[labels]
    return filled


def smooth_height(height_m: NDArray[np.float32], sigma_px: float) -> NDArray[np.float32]:
    """Average height over its valid neighbours; NaN stays NaN. (H, W) float32 metres."""
    known = ~np.isnan(height_m)
    weight = cv2.GaussianBlur(known.astype(np.float32), (0, 0), sigma_px)
    total = cv2.GaussianBlur(np.where(known, height_m, np.float32(0)), (0, 0), sigma_px)
    out = np.full(height_m.shape, np.nan, np.float32)
    np.divide(total, weight, out=out, where=known)
    return out


def item_probability(
    lab: NDArray[np.uint8], on: NDArray[np.bool_], off: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Tell how much a pixel's colour is that of items rather than of the support.

    Args:
        lab: (H, W, 3) uint8 CIELAB.
        on: (H, W) pixels that are certainly items.
        off: (H, W) pixels that are certainly support.

    Returns:
        (H, W) float32 in [0, 1]; 0.5 where neither has such a colour.
    """
    bins = (lab[..., 0] >> 4).astype(np.int32) << 10
    bins |= (lab[..., 1] >> 3).astype(np.int32) << 5
    bins |= lab[..., 2] >> 3
    of_items = _histogram(bins[on])
    of_support = _histogram(bins[off])
    ratio = (of_items + 1e-4) / (of_items + of_support + 2e-4)
    probability: NDArray[np.float32] = ratio.ravel()[bins]
    return probability


def _histogram(bins: NDArray[np.int32]) -> NDArray[np.float32]:
    size = int(np.prod(_LEVELS))
    counts = np.bincount(bins, minlength=size).astype(np.float32).reshape(_LEVELS)
    # Neighbouring colours are the same colour in slightly other light.
    for axis in range(3):
        counts = _smooth_along(counts, axis)
    return counts / max(float(counts.sum()), 1.0)


def _smooth_along(cube: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    moved = np.moveaxis(cube, axis, 0)
    out = 0.6 * moved
    out[1:] += 0.2 * moved[:-1]
    out[:-1] += 0.2 * moved[1:]
    return np.moveaxis(out, 0, axis)


def flood(picture: NDArray[np.uint8], seeds: NDArray[np.int32]) -> NDArray[np.int32]:
    """Grow seeds (H, W), 0 = unknown, over a picture (H, W, 3) uint8 until they meet at edges."""
    grown = cv2.watershed(picture, seeds.copy())
    filled = fill_nearest(grown.astype(np.float32), grown > 0)
    return filled.astype(np.int32)
