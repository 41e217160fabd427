"""What looks or lies otherwise than the bare support, be it ever so flat."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items.foreground import (
    Scene,
    item_probability,
    smooth_height,
)

_RIM = 0.1  # share of the picture's shorter side along the rim that shows the bare support
_UNLIKE = 0.75  # probability from which a colour is not the support's
_CLOSE_M = 0.006  # gaps that are closed
_LEAST_CHANGE = (14.0, 7.0, 7.0)  # of L, a, b (8 bit) that is another colour
_AVERAGE_M = 0.01  # over which height is averaged to tell a mailer from noise
_HIGH_M = 0.004  # so high it is none
_MOST = 4000  # pixels that a trend is fitted to
_FEWEST = 60  # pixels that tell what the support is like

Mask = NDArray[np.bool_]


def unlike_support(scene: Scene, standing: Mask, min_height_m: float) -> Iterator[Mask]:
    """Mark what is unlike the support along the rim of the picture, the surest first.

    Args:
        scene: the picture.
        standing: (H, W) bool, what stands out by height.
        min_height_m: height from which it does.

    Yields:
        (H, W) bool: what has colours that the support has not; the same with what is off the
        trend of its colour or lies higher.
    """
    low = scene.inside & ~standing & ~(np.abs(scene.smooth_m) > min_height_m)  # NaN counts as low
    reach = max(2, round(_RIM * min(low.shape)))
    inside = np.pad(scene.inside.astype(np.uint8), 1)
    inner = cv2.erode(inside, np.ones((3, 3), np.uint8), iterations=reach)[1:-1, 1:-1]
    rim = low & (inner == 0)
    if np.count_nonzero(rim) < _FEWEST:
        return
    other = item_probability(scene.lab, low & ~rim, rim) > _UNLIKE
    yield _closed(other & scene.inside, scene.pixel_m)
    other |= _off_trend(scene.lab, rim) | _high(scene, rim)
    yield _closed(other & scene.inside, scene.pixel_m)


def _closed(mask: Mask, pixel_m: float) -> Mask:
    size = 2 * max(1, round(0.5 * _CLOSE_M / pixel_m)) + 1
    square = np.ones((size, size), np.uint8)
    closed = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, square)
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, square) > 0)


def _off_trend(lab: NDArray[np.uint8], rim: Mask) -> Mask:
    """Mark hues that are not the support's, which changes slowly, and what is brighter.

    What is darker and of its hue may be a shadow.
    """
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
            return np.zeros(rim.shape, bool)
    rows, columns = (np.arange(length) for length in rim.shape)
    trend = _terms(rows[:, None], columns[None, :], lab.shape) @ terms
    change = (lab - trend) / np.maximum(_LEAST_CHANGE, 4.0 * spread)
    return np.asarray((change[..., 0] > 1.0) | (np.abs(change[..., 1:]).max(axis=2) > 1.0))


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
