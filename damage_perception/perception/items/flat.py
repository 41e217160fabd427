"""Find what is too flat to stand out: thin mailers, cards with pockets on them.

Depth says only on average that something lies there; where it ends, colour says, if it is not
that of the support.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items.each import of_each
from damage_perception.perception.items.foreground import Scene
from damage_perception.perception.items.unlike import unlike_support
from damage_perception.perception.view.outline import filled

_CELL_M = 0.0036  # finer pixels show flat things no better
_SOLID = 0.86  # share of its hull that a mailer or a card fills at least
_CUT = 0.3  # of its length by which it may be cut off: what is not seen around is a guess
_STANDING = 0.65  # share of it that stands out anyhow: then it is found already
_TALL_M = 0.04  # what is taller is no pocket of a card
_RISE_M = 0.002  # by which a mailer lies higher than the support around it, on average,
_POCKET_M = 0.004  # or the highest tenth of a card
_RING_M = 0.025  # reach of what is around
_HALO_M = 0.008  # of which the nearest is mixed
_MEASURED = 0.25  # share of it that must have depth
_NOISE_M = 0.015  # places farther apart have noise of their own
_SURE = 4.0  # deviations by which it must lie higher
_FEWEST = 60  # pixels around it that tell how high the support is

Mask = NDArray[np.bool_]
Box = tuple[slice, slice]
Labels = NDArray[np.int32]


def add_flat(
    scene: Scene, labels: Labels, min_height_m: float, min_size_m: float, unproved: bool = False
) -> Labels:
    """Give flat things a label of their own, with what stands on them.

    Args:
        scene: the picture.
        labels: (H, W) int32, what stands out by height, 0 = support.
        min_height_m: height from which it does.
        min_size_m: metres across below which something is no item.
        unproved: take what only looks unlike the support, too, whether it lies higher or not.
    """
    step = max(1, round(_CELL_M / scene.pixel_m))
    coarse = np.ascontiguousarray(labels[::step, ::step])
    flat = _flat_things(scene.coarser(step), coarse, min_height_m, min_size_m, unproved)
    if not flat.any():
        return labels
    rows, columns = labels.shape
    fine = np.repeat(np.repeat(flat, step, axis=0), step, axis=1)[:rows, :columns]
    taken = np.arange(int(labels.max()) + 1, dtype=np.int32)  # what stands on a card goes with it
    for old, new in np.unique(np.stack([coarse[flat > 0], flat[flat > 0]]), axis=1).T:
        if old and 2 * np.count_nonzero(flat[coarse == old] == new) > (coarse == old).sum():
            taken[old] = new
    return np.where(fine > 0, fine, taken[labels])


def _flat_things(
    scene: Scene, labels: Labels, min_height_m: float, min_size_m: float, unproved: bool
) -> Labels:
    """Number flat things on from the labels of what stands out, (H, W) int32, 0 = none."""
    things = np.zeros_like(labels)
    newest = int(labels.max())
    tall = _tall(scene, labels)
    for unlike in unlike_support(scene, labels > 0, min_height_m):
        marked = (unlike & ~tall & (things == 0)).astype(np.uint8)
        _, regions = cv2.connectedComponents(marked, connectivity=4)
        for region, spot in enumerate(find_objects(regions), start=1):
            box = _wider(spot, scene)
            flat = filled(regions[box] == region) & (things[box] == 0)
            if _may_be_flat_thing(scene, box, flat, min_height_m, min_size_m) and (
                unproved or _lies_higher(scene, box, flat, labels[box])
            ):
                newest += 1
                things[box][flat] = newest
    return things


def _tall(scene: Scene, labels: Labels) -> Mask:
    """Mark what stands too high for a pocket on a card."""
    heights = np.nan_to_num(scene.smooth_m, nan=np.inf)
    tall: Mask = (of_each(np.median, heights, labels) > _TALL_M)[labels]
    return tall


def _wider(spot: Box, scene: Scene) -> Box:
    margin = round(_RING_M / scene.pixel_m) + 1
    rows, columns = (slice(max(0, part.start - margin), part.stop + margin) for part in spot)
    return rows, columns


def _may_be_flat_thing(
    scene: Scene, box: Box, flat: Mask, min_height_m: float, min_size_m: float
) -> bool:
    """Tell whether a region has size and shape of a mailer or a card, and does not stand out."""
    least_px = min_size_m / scene.pixel_m
    area = np.count_nonzero(flat)
    if area < least_px**2 or np.count_nonzero(flat & scene.rim[box]) > _CUT * np.sqrt(area):
        return False
    outlines, _ = cv2.findContours(flat.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    if area < _SOLID * cv2.contourArea(hull) or min(cv2.minAreaRect(hull)[1]) < least_px:
        return False
    standing = np.count_nonzero(flat & (scene.smooth_m[box] > min_height_m))
    return bool(standing <= _STANDING * area)


def _lies_higher(scene: Scene, box: Box, flat: Mask, labels: Labels) -> bool:
    """Tell whether a region lies higher than the support around it."""
    away = cv2.distanceTransform((~flat).view(np.uint8), cv2.DIST_L2, 3) * scene.pixel_m
    around = (away > _HALO_M) & (away < _RING_M) & (labels == 0) & scene.inside[box]
    on, beside = (scene.smooth_m[box][mask] for mask in (flat, around))
    known, support = on[~np.isnan(on)], beside[~np.isnan(beside)]
    if len(support) < _FEWEST or len(known) < _MEASURED * len(on):
        return False
    rise = float(known.mean() - support.mean())
    peak = float(np.quantile(known, 0.9) - np.quantile(support, 0.9))
    independent = max(1.0, len(known) * (scene.pixel_m / _NOISE_M) ** 2)
    chance = _SURE * float(np.std(support)) / np.sqrt(independent)
    return rise > max(_RISE_M, chance) or peak > max(_POCKET_M, chance)
