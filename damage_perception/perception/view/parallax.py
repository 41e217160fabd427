"""Which pixel shows each place of a face, though what lies off it is seen at another one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.outline import filled

Map = NDArray[np.float32]
Pixels = Callable[[Map], tuple[Map, Map]]

_LOOKUPS = 3  # fixed-point steps; 20 mm of relief at 45 degrees needs two
_HIGHEST_M = 0.15


@dataclass(frozen=True, eq=False)
class Sight:
    """What is seen of each place of a face. Arrays are (H, W).

    Attributes:
        u, v: float32, columns and rows of the window to look at.
        relief_m: float32, how high above the face lies what was sought there.
        hidden: bool, where something else stands before the place.
    """

    u: Map
    v: Map
    relief_m: Map
    hidden: NDArray[np.bool_]


def look_at(
    height_m: Map, pixels: Pixels, in_box: NDArray[np.bool_], lowest_m: float, limit_m: float
) -> Sight:
    """Find at which pixel each place of a face is seen.

    A place that lies off the face is seen at another pixel than the face below it; what that
    pixel shows is asked again until both agree. They never do where a narrow hole is seen at a
    slant: the floor below the hole is hidden by its rim. There the ray through the face itself is
    followed: what it meets lies deep, so the face is not there.

    Args:
        height_m: (h, w) heights of a window over the face, finite.
        pixels: gives columns and rows of the window at which places of a relief (H, W) are seen.
        in_box: (H, W) whether a place lies over the item's box.
        lowest_m: nothing is sought lower.
        limit_m: a ray that ends farther off has met something else.
    """
    flat = pixels(np.zeros(in_box.shape, np.float32))
    met = found = sample(height_m, *flat)
    for _ in range(_LOOKUPS):
        relief = np.clip(found, np.float32(lowest_m), np.float32(_HIGHEST_M))
        u, v = pixels(relief)
        found = sample(height_m, u, v)
    hidden = np.abs(found - relief) > limit_m
    open_to = _enclosed(hidden, in_box) & (met < -limit_m)
    if open_to.any():
        hidden &= ~open_to
        u, v, relief = (
            np.where(open_to, through, seen)
            for through, seen in zip((*flat, met), (u, v, relief), strict=True)
        )
    return Sight(u, v, relief, hidden)


def _enclosed(hidden: NDArray[np.bool_], in_box: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which hidden places the face surrounds: beside it they are walls or the support."""
    if not (hidden & in_box).any():
        return np.zeros_like(hidden)
    return hidden & filled(in_box & ~hidden)


def sample(image: Map, u: Map, v: Map) -> Map:
    """Look an image (h, w) or (h, w, C) up between its pixels; beyond its rim the rim goes on."""
    return cv2.remap(image, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
