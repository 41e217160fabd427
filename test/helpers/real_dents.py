"""Dents and holes put into the real faces of sound parcels, and the same face seen ten times.

A dent is a cosine bell: `depth / 2 * (1 + cos(2 pi r / width))` within `width / 2` of its middle.
Depth is lowered by it along each ray, so every pixel keeps its real noise and every drop-out
stays; colour is shaded by the new normals under a light from above. A hole is a disc of 20 mm
that is dark; the sensor either sees a floor 60 mm below with a lost ring of 3 px (`deep`) or
loses the disc and 6 mm around it, as it does beside real steps (`lost`).

Ten frames of a moving item: there is one real frame of each item, so the first frame is the face
as it is. Each other frame is the face's own smooth surface (fitted on the sound face) with the
residuals of another real box top laid over it, drop-outs included: mirrored, shifted by whole
pixels, extended by reflection where the face is larger. All noise is real, of the same camera and
kind of cardboard, and no two frames share a donor, since an item that moves by more than the
noise's correlation length meets fresh noise (bare belt, same pixel in two frames: correlation
0.12). What it cannot show: relief of the item that stays with it is in the first frame only, so
`redrawn` can also keep a share of the face's own residual in every frame (`stays`).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
from real_faces import BOXES, FX, Face, build_view, load, rays

from damage_perception.perception.geometry.surface import own_relief
from damage_perception.perception.view.item_view import ItemView

WIDTHS_M = (0.03, 0.06)
HOLE_M = 0.02
_LIGHT = np.array([-0.35, -0.25, 0.90]) / np.linalg.norm([-0.35, -0.25, 0.90])  # of the view


@dataclass(frozen=True)
class Dent:
    """A dent, or a hole of 20 mm (`hole` = 'deep' or 'lost'); view coordinates, metres."""

    x_m: float
    y_m: float
    depth_m: float
    width_m: float = 0.04
    hole: str = ''


def random_dent(view: ItemView, rng: np.random.Generator, depth_m: float, hole: str = '') -> Dent:
    """Place a dent anywhere on the face where at least its middle half lies on it."""
    width = HOLE_M if hole else float(rng.uniform(*WIDTHS_M))
    edge = cv2.distanceTransform(view.item_mask.astype(np.uint8), cv2.DIST_L2, 5)
    reach = (0.5 if not hole else 0.75) * width / view.resolution_m
    rows, cols = np.nonzero(edge >= min(reach, 0.8 * edge.max()))
    pick = int(rng.integers(len(rows)))
    height, length = view.item_mask.shape
    x = (cols[pick] - (length - 1) / 2) * view.resolution_m
    y = (rows[pick] - (height - 1) / 2) * view.resolution_m
    return Dent(float(x), float(y), depth_m, width, hole)


def _distance(view: ItemView, dent: Dent) -> NDArray[np.float64]:
    height, length = view.item_mask.shape
    x = (np.arange(length) - (length - 1) / 2) * view.resolution_m - dent.x_m
    y = (np.arange(height) - (height - 1) / 2) * view.resolution_m - dent.y_m
    return np.hypot(x[None, :], y[:, None])


def bell(distance_m: NDArray[np.float64], dent: Dent) -> NDArray[np.float64]:
    """Give the depth of a dent at distances from its middle, metres."""
    inside = distance_m < dent.width_m / 2
    wave = 0.5 * dent.depth_m * (1 + np.cos(2 * np.pi * distance_m / dent.width_m))
    return np.where(inside, wave, 0.0)


def damaged(view: ItemView, dent: Dent) -> ItemView:
    """Put a dent or a hole into a view."""
    distance = _distance(view, dent)
    height, rgb = view.height_m.copy(), view.rgb.copy()
    if dent.hole:
        disc = distance < dent.width_m / 2
        rgb[disc] = (rgb[disc] * 0.15).astype(np.uint8)
        if dent.hole == 'deep':
            height[disc] -= np.float32(0.06)
            height[np.abs(distance - dent.width_m / 2) < 3 * view.resolution_m] = np.nan
        else:
            height[distance < dent.width_m / 2 + 0.006] = np.nan
    else:
        lowered = bell(distance, dent) * view.item_mask
        height -= lowered.astype(np.float32)
        rgb = shaded(rgb, lowered, view.resolution_m)
    std = np.where(np.isnan(height), np.nan, view.height_std_m).astype(np.float32)
    return dataclasses.replace(view, rgb=rgb, height_m=height, height_std_m=std)


def shaded(
    rgb: NDArray[np.uint8], lowered_m: NDArray[np.float64], resolution_m: float
) -> NDArray[np.uint8]:
    """Shade a picture by the normals of a dent (Lambert's law, a third of the light is diffuse)."""
    down_y, down_x = np.gradient(-lowered_m, resolution_m)
    normal = np.stack([-down_x, -down_y, np.ones_like(down_x)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = 0.33 + 0.67 * np.maximum(normal @ _LIGHT, 0.0) / _LIGHT[2]
    return np.clip(rgb * light[..., None], 0, 255).astype(np.uint8)


def damaged_frame(face: Face, dent: Dent) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Put a dent or a hole into the face's whole camera frame: rgb and depth as a camera gives."""
    rgb, depth = (array.copy() for array in load(face.frame))
    view = build_view(face)
    axes, origin = view.to_camera[:3, :3], view.to_camera[:3, 3]
    normal = -axes[:, 2]
    inside = np.zeros(depth.shape, np.uint8)
    cv2.fillPoly(inside, [np.array(face.corners, np.int32)], 1)
    v, u = np.indices(depth.shape)
    ray = rays(u.astype(float), v.astype(float))
    slope = ray @ normal
    place = (ray * ((origin @ normal) / slope)[..., None] - origin) @ axes
    distance = np.hypot(place[..., 0] - dent.x_m, place[..., 1] - dent.y_m)
    metres_per_pixel = origin[2] / FX
    if dent.hole:
        return _holed(rgb, depth, distance, dent, -slope)
    lowered = np.where(inside > 0, bell(distance, dent), 0.0)
    depth += (lowered / -slope).astype(np.float32)
    return shaded(rgb, lowered, metres_per_pixel), depth


def _holed(
    rgb: NDArray[np.uint8],
    depth_m: NDArray[np.float32],
    distance_m: NDArray[np.float64],
    dent: Dent,
    slope: NDArray[np.float64],
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    disc = distance_m < dent.width_m / 2
    rgb[disc] = (rgb[disc] * 0.15).astype(np.uint8)
    if dent.hole == 'deep':
        depth_m[disc] += (0.06 / slope[disc]).astype(np.float32)
        depth_m[np.abs(distance_m - dent.width_m / 2) < 0.0045] = np.nan
    else:
        depth_m[distance_m < dent.width_m / 2 + 0.006] = np.nan
    return rgb, depth_m


@lru_cache(maxsize=1)
def _donors() -> tuple[tuple[Face, NDArray[np.float32]], ...]:
    """Give each real box top's residuals (metres, NaN = lost), cut to the rectangle inside it."""
    donors = []
    for face in BOXES:
        view = build_view(face)
        relief = own_relief(view)
        assert relief is not None
        size = view.item_mask.shape[::-1]
        surface = cv2.resize(relief.surface_m, size, interpolation=cv2.INTER_LINEAR)
        inside = cv2.erode(view.item_mask.astype(np.uint8), np.ones((9, 9), np.uint8))
        rows, cols = np.nonzero(inside)
        box = np.s_[
            int(np.percentile(rows, 6)) : int(np.percentile(rows, 94)),
            int(np.percentile(cols, 6)) : int(np.percentile(cols, 94)),
        ]
        donors.append((face, (view.height_m - surface)[box]))
    return tuple(donors)


def redrawn(
    face: Face, view: ItemView, rng: np.random.Generator, count: int, stays: float = 0.0
) -> list[ItemView]:
    """Give `count` views of the sound face with the real noise of as many other box tops.

    `stays` is the share of variance that is the face's own residual, the same in every frame: as
    if that much of what one frame shows were relief of the item and not noise.
    """
    relief = own_relief(view)
    assert relief is not None
    height, width = view.item_mask.shape
    surface = cv2.resize(relief.surface_m, (width, height), interpolation=cv2.INTER_LINEAR)
    others = [noise for donor, noise in _donors() if donor != face]
    own = np.nan_to_num(view.height_m - surface) * np.sqrt(stays)
    views = []
    for pick in rng.permutation(len(others))[:count]:
        noise = others[pick]
        if rng.random() < 0.5:
            noise = noise[::-1]
        if rng.random() < 0.5:
            noise = noise[:, ::-1]
        rows = _reflected(np.arange(height) + int(rng.integers(1000)), noise.shape[0])
        cols = _reflected(np.arange(width) + int(rng.integers(1000)), noise.shape[1])
        lift = np.where(
            view.item_mask,
            surface + own + np.sqrt(1.0 - stays) * noise[rows][:, cols],
            view.height_m,
        )
        std = np.where(np.isnan(lift), np.nan, np.nanmedian(view.height_std_m))
        views.append(
            dataclasses.replace(
                view, height_m=lift.astype(np.float32), height_std_m=std.astype(np.float32)
            )
        )
    return views


def _reflected(index: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    index = index % (2 * length)
    return np.where(index < length, index, 2 * length - 1 - index)


def fused(views: list[ItemView]) -> ItemView:
    """Average views that share one grid; the deviation falls with the root of their number."""
    stack = np.stack([view.height_m for view in views])
    valid = np.isfinite(stack)
    count = valid.sum(axis=0)
    with np.errstate(invalid='ignore'):
        mean = np.where(count > 0, np.where(valid, stack, 0).sum(axis=0) / count, np.nan)
        one = float(np.nanmedian(views[0].height_std_m))
        std = np.where(count > 0, one / np.sqrt(np.maximum(count, 1)), np.nan)
    return dataclasses.replace(
        views[0],
        height_m=mean.astype(np.float32),
        height_std_m=std.astype(np.float32),
        frames=float(len(views)),
    )
