"""Find what is too flat to stand out: thin mailers, cards with pockets on them.

Depth says only on average that something lies there; where it ends, colour says, if it is not
that of the support.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items_foreground import (
    Scene,
    item_probability,
    smooth_height,
)

_CELL_M = 0.0036  # finer pixels show flat things no better
_RIM = 0.1  # share of the picture's shorter side along the rim that shows the bare support
_UNLIKE = 0.75  # probability from which a colour is not the support's
_CLOSE_M = 0.006  # gaps in colour that are closed
_SOLID = 0.86  # share of its hull that a mailer or a card fills at least
_STANDING = 0.65  # share of it that stands out anyhow: then it is found already
_EMBEDDED = 0.7  # share of the outline of what stands on a card that the card surrounds
_RISE_M = 0.002  # by which a mailer lies higher than the support around it, on average,
_POCKET_M = 0.004  # or the highest tenth of a card
_RING_M = 0.025  # reach of what is around
_HALO_M = 0.008  # of which the nearest is mixed
_MEASURED = 0.25  # share of it that must have depth
_LEAST_CHANGE = (14.0, 7.0, 7.0)  # of L, a, b (8 bit) that is another colour
_AVERAGE_M = 0.01  # over which height is averaged to tell a mailer from noise
_HIGH_M = 0.004  # so high it is none
_MOST = 4000  # pixels that a trend is fitted to
_CUT = 0.3  # of its length by which a flat thing may be cut off: what is not seen around is a guess
_FEWEST = 60  # pixels around it that tell how high the support is

Mask = NDArray[np.bool_]


def add_flat(
    scene: Scene, labels: NDArray[np.int32], min_height_m: float, min_size_m: float
) -> NDArray[np.int32]:
    """Give flat things a label of their own, with what stands on them.

    Args:
        scene: the picture.
        labels: (H, W) int32, what stands out by height, 0 = support.
        min_height_m: height from which it does.
        min_size_m: metres across below which something is no item.
    """
    step = max(1, round(_CELL_M / scene.pixel_m))
    coarse = np.ascontiguousarray(labels[::step, ::step])
    flat = _flat_things(scene.coarser(step), coarse, min_height_m, min_size_m)
    if not flat.any():
        return labels
    rows, columns = labels.shape
    fine = np.repeat(np.repeat(flat, step, axis=0), step, axis=1)[:rows, :columns]
    taken = np.arange(int(labels.max()) + 1, dtype=np.int32)  # what stands on a card goes with it
    for old, new in np.unique(np.stack([coarse[flat > 0], flat[flat > 0]]), axis=1).T:
        if old and 2 * np.count_nonzero((coarse == old) & (flat == new)) > np.count_nonzero(
            coarse == old
        ):
            taken[old] = new
    return np.where(fine > 0, fine, taken[labels])


def _flat_things(
    scene: Scene, labels: NDArray[np.int32], min_height_m: float, min_size_m: float
) -> NDArray[np.int32]:
    """Number flat things on from the labels of what stands out, (H, W) int32, 0 = none."""
    unlike = _unlike_support(scene, labels > 0, min_height_m)
    count, regions, stats, _ = cv2.connectedComponentsWithStats(unlike, connectivity=4)
    things = np.zeros_like(labels)
    newest = int(labels.max())
    least_px = min_size_m / scene.pixel_m
    margin = round(_RING_M / scene.pixel_m) + 1
    for region in range(1, count):
        x, y, width, height, area = (int(value) for value in stats[region])
        if min(width, height) < least_px or area < least_px**2:
            continue
        box = np.s_[
            max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin
        ]
        flat = _filled(regions[box] == region)
        if np.count_nonzero(flat & scene.rim[box]) > _CUT * max(width, height):
            continue
        on = _belonging(flat, labels[box], min_size_m / scene.pixel_m)
        if on is None or not (on.any() or _lies_higher(scene, box, flat, labels[box])):
            continue
        newest += 1
        things[box][flat | on] = newest
    return things


def _unlike_support(scene: Scene, standing: Mask, min_height_m: float) -> NDArray[np.uint8]:
    """Mark what looks or lies otherwise than the support along the rim does, (H, W) 0 or 1."""
    low = scene.inside & ~standing & ~(np.abs(scene.smooth_m) > min_height_m)  # NaN counts as low
    reach = max(2, round(_RIM * min(low.shape)))
    inner = cv2.erode(
        np.pad(scene.inside.astype(np.uint8), 1), np.ones((3, 3), np.uint8), iterations=reach
    )[1:-1, 1:-1]
    rim = low & (inner == 0)
    if np.count_nonzero(rim) < _FEWEST:
        return np.zeros(low.shape, np.uint8)
    other = item_probability(scene.lab, low & ~rim, rim) > _UNLIKE
    other |= _off_trend(scene.lab, rim) > 1.0
    other |= _high(scene, rim)
    size = 2 * max(1, round(0.5 * _CLOSE_M / scene.pixel_m)) + 1
    square = np.ones((size, size), np.uint8)
    marked = ((other & scene.inside) | standing).astype(np.uint8)
    closed = cv2.morphologyEx(marked, cv2.MORPH_CLOSE, square)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, square), np.uint8)


def _off_trend(lab: NDArray[np.uint8], rim: Mask) -> NDArray[np.float32]:
    """Tell how far a colour lies off the support's, which changes slowly; 1 = surely."""
    v, u = np.nonzero(rim)
    some = np.s_[:: 1 + len(v) // _MOST]
    v, u = v[some], u[some]
    values = lab[v, u].astype(np.float32)
    kept: Mask = np.ones(len(v), bool)
    for _ in range(3):  # what lies on the rim besides is not the support's
        terms = np.linalg.lstsq(_terms(v, u, lab.shape)[kept], values[kept], rcond=None)[0]
        off = np.abs(values - _terms(v, u, lab.shape) @ terms)
        spread = 1.5 * np.median(off, axis=0) + 1.0
        kept = np.asarray((off < 3.0 * spread).all(axis=1))
        if np.count_nonzero(kept) < _FEWEST:
            return np.zeros(rim.shape, np.float32)
    rows, columns = (np.arange(length) for length in rim.shape)
    grid = _terms(rows[:, None], columns[None, :], lab.shape)
    limits = np.maximum(_LEAST_CHANGE, 4.0 * spread)
    change: NDArray[np.float32] = (np.abs(lab - grid @ terms) / limits).max(axis=2)
    return change


def _terms(
    v: NDArray[np.int64], u: NDArray[np.int64], shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Give the terms of a surface of second order at pixels, (..., 6)."""
    y, x = np.broadcast_arrays(v / shape[0] - 0.5, u / shape[1] - 0.5)
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1).astype(np.float32)


def _high(scene: Scene, rim: Mask) -> Mask:
    """Mark what lies higher than the support once noise is averaged out."""
    height = smooth_height(scene.smooth_m, _AVERAGE_M / scene.pixel_m)
    known = height[rim & ~np.isnan(height)]
    if len(known) < _FEWEST:
        return np.zeros(rim.shape, bool)
    ground = float(np.median(known))
    noise = 1.5 * float(np.median(np.abs(known - ground)))
    return np.asarray(height - ground > max(_HIGH_M, 4.0 * noise))


def _filled(mask: Mask) -> Mask:
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    filled = np.zeros(mask.shape, np.uint8)
    cv2.drawContours(filled, outlines, -1, 1, cv2.FILLED)
    return filled.astype(bool)


def _belonging(flat: Mask, labels: NDArray[np.int32], least_px: float) -> Mask | None:
    """Give what stands on a flat region; None where the region is no flat thing."""
    outlines, _ = cv2.findContours(flat.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    hull = cv2.convexHull(np.concatenate(outlines))
    area = np.count_nonzero(flat)
    _, sides, _ = cv2.minAreaRect(hull)
    if area < _SOLID * cv2.contourArea(hull) or min(sides) < least_px:
        return None
    standing = flat & (labels > 0)
    if np.count_nonzero(standing) > _STANDING * area:
        return None
    on = np.zeros_like(flat)
    for label, box in enumerate(find_objects(np.where(flat, labels, 0)), start=1):
        if box is None:
            continue
        piece = labels == label
        if not _is_embedded(piece, flat):
            return None
        on |= piece
    return on


def _is_embedded(piece: Mask, flat: Mask) -> bool:
    """Tell whether a region surrounds a piece; a shadow lies on one side of it only."""
    around = (cv2.dilate(piece.view(np.uint8), np.ones((5, 5), np.uint8)) > 0) & ~piece
    return bool(np.count_nonzero(around & flat) >= _EMBEDDED * np.count_nonzero(around))


def _lies_higher(
    scene: Scene, box: tuple[slice, slice], flat: Mask, labels: NDArray[np.int32]
) -> bool:
    """Tell whether a region lies higher than the support around it."""
    away = cv2.distanceTransform((~flat).view(np.uint8), cv2.DIST_L2, 3) * scene.pixel_m
    around = (away > _HALO_M) & (away < _RING_M) & (labels == 0) & scene.inside[box]
    on, beside = (scene.smooth_m[box][mask] for mask in (flat, around))
    known, support = on[~np.isnan(on)], beside[~np.isnan(beside)]
    if len(support) < _FEWEST or len(known) < _MEASURED * len(on):
        return False
    rise = float(known.mean() - support.mean())
    peak = float(np.quantile(known, 0.9) - np.quantile(support, 0.9))
    return rise > _RISE_M or peak > _POCKET_M
