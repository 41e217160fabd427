"""Damage rendered into real RGB-D frames; their noise stays. For tests only.

The face of a real item becomes a patch, is damaged like a synthetic one, and what changed is
carried back along the rays: depth by the change of height, blurred and interrupted as a matching
window would, colour by the change of print and of slope.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.projection import project, rays
from damage_perception.report import DamageType
from damage_perception.synthesis.damage import DAMAGE_NAMES, inflict, possible
from damage_perception.synthesis.depth_losses import background_lost
from damage_perception.synthesis.noise import Field, Rng, stream
from damage_perception.synthesis.patch import Damage, Patch, blank_patch
from damage_perception.synthesis.products import Product
from damage_perception.synthesis.real_items import RealItem
from damage_perception.synthesis.sensor_kinds import DepthSensor
from damage_perception.synthesis.spec import SynthesisSpec

_MPP = 0.0012
_MARGIN_M = 0.02
# Damages that stay on the face; flaps and lids would need the item's other sides.
_ON_FACE = (DamageType.CRUSH, DamageType.TEAR, DamageType.HOLE, DamageType.SPILL)
_STEREO = DepthSensor(
    kind='stereo', focal=643.0, baseline=0.055, noise=0.09, correlation=4.5, window=3.0, halo=12.0,
    eaten=0.0, waver=0.0, quantum=1 / 32, blob=4.0, dropout=0.0, occluded_side=1,
    registration=0.0, shift=(0.0, 0.0), slow=0.0,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Altered:
    """A real frame with one item damaged (or not). Arrays are (H, W) unless said.

    Attributes:
        item: where it comes from.
        rgb: (H, W, 3) uint8.
        depth_m: float32 metres, NaN = invalid.
        damages: truth and where it is seen.
    """

    item: RealItem
    rgb: NDArray[np.uint8]
    depth_m: Field
    damages: tuple[tuple[Damage, NDArray[np.bool_]], ...]


def alter(items: list[RealItem], spec: SynthesisSpec, seed: int, index: int) -> Altered:
    """Choose an item and damage it, or leave it as the spec's share of damaged ones asks."""
    rng = stream(seed, 0x0470, index)
    item = items[int(rng.integers(len(items)))]
    rgb, depth = item.frame.rgb.copy(), item.frame.depth_m.copy()
    if rng.random() >= spec.damaged:
        return Altered(item, rgb, depth, ())
    size = tuple(float(side) for side in item.face.size)
    family = 'shipping_carton' if item.flat else 'poly_mailer'
    product = Product('real', family, (size[0], size[1], size[2]), int(rng.integers(2**31)))
    kinds = [DAMAGE_NAMES[name] for name in spec.damages]
    kinds = [kind for kind in kinds if kind in _ON_FACE and possible(kind, product)]
    if not kinds:
        return Altered(item, rgb, depth, ())
    patch = _patch_of(item)
    before, print_before = patch.height.copy(), patch.albedo.copy()
    kind = kinds[int(rng.integers(len(kinds)))]
    damage = inflict(patch, product, kind, rng, bool(rng.random() < spec.major))
    if damage is None:
        return Altered(item, rgb, depth, ())
    patch.mark[~patch.mask] = 0
    patch.height[~patch.mask] = before[~patch.mask]
    patch.albedo[~patch.mask] = print_before[~patch.mask]
    seen = _carry_back(item, patch, before, rgb, depth, rng)
    return Altered(item, rgb, depth, ((damage, seen),) if seen.sum() >= 12 else ())


def _patch_of(item: RealItem) -> Patch:
    """Make a patch of a real face: flat at the height of the face, with the picture as print."""
    length, width, height = (float(side) for side in item.face.size)
    patch = blank_patch((length, width), _MPP, _MARGIN_M)
    x, y = patch.grid()
    pixels = project(_points(item, x, y), item.frame.camera).astype(np.float32)
    u, v = np.ascontiguousarray(pixels[..., 0]), np.ascontiguousarray(pixels[..., 1])
    patch.albedo[...] = cv2.remap(item.frame.rgb, u, v, cv2.INTER_LINEAR)
    inside = cv2.remap(item.mask.astype(np.uint8), u, v, cv2.INTER_NEAREST) > 0
    face = np.zeros(patch.shape, bool)
    face[patch.face_slices] = True
    patch.mask[...] = inside & face
    patch.height[...] = max(height, 0.02)
    median = np.median(patch.albedo[patch.mask], axis=0) if patch.mask.any() else (128, 110, 90)
    patch.side = (int(median[0]), int(median[1]), int(median[2]))
    return patch


def _points(item: RealItem, x: Field, y: Field) -> NDArray[np.float64]:
    """Give points of the face in the optical frame; rows of a patch run against y."""
    axes = item.face.axes
    flat = x[..., None] * axes[:, 0] - y[..., None] * axes[:, 1]
    points: NDArray[np.float64] = item.face.centre + flat
    return points


def _carry_back(
    item: RealItem, patch: Patch, before: Field, rgb: NDArray[np.uint8], depth: Field, rng: Rng
) -> NDArray[np.bool_]:
    """Change colour and depth of the frame in place; return where the damage is seen."""
    rows, cols = np.flatnonzero(item.mask.any(axis=1)), np.flatnonzero(item.mask.any(axis=0))
    spot = (slice(rows[0], rows[-1] + 1), slice(cols[0], cols[-1] + 1))
    v, u = np.mgrid[spot]
    ray = rays(u, v, item.frame.camera)
    normal, offset = np.asarray(item.face.plane.normal), item.face.plane.offset
    slope = ray @ normal
    change = patch.height - before
    rise = np.zeros(slope.shape, np.float32)
    for _ in range(3):  # parallax of what is deep
        col, row = _on_patch(item, patch, ray * ((rise - offset) / slope)[..., None])
        rise = cv2.remap(change, col, row, cv2.INTER_LINEAR)
    mark = cv2.remap(patch.mark, col, row, cv2.INTER_NEAREST)
    blurred = cv2.GaussianBlur(rise, (0, 0), 2.4)  # as a matching window blurs relief
    within = item.mask[spot]
    depth[spot] += np.where(within, blurred / slope, 0).astype(np.float32)
    clean = ((rise - offset) / slope).astype(np.float32)
    gain = np.float32(_STEREO.focal * _STEREO.baseline)
    lost = background_lost(_STEREO, gain / clean, rng, 1.0)
    depth[spot][lost & within & (np.abs(blurred) > 0.001)] = np.nan
    paint = cv2.remap(_lit(patch, change, rng), col, row, cv2.INTER_LINEAR)
    touched = cv2.remap(_touched(patch, change), col, row, cv2.INTER_LINEAR)[..., None]
    touched = touched * within[..., None]
    rgb[spot] = np.clip(rgb[spot] * (1 - touched) + paint * touched, 0, 255).astype(np.uint8)
    seen = np.zeros(item.mask.shape, bool)
    seen[spot] = (mark > 0) & within
    return seen


def _on_patch(item: RealItem, patch: Patch, points: NDArray[np.float64]) -> tuple[Field, Field]:
    local = (points - item.face.centre) @ item.face.axes
    rows, cols = patch.shape
    col = local[..., 0] / patch.mpp + (cols - 1) / 2
    row = local[..., 1] / patch.mpp + (rows - 1) / 2
    return col.astype(np.float32), row.astype(np.float32)


def _touched(patch: Patch, change: Field) -> Field:
    """Where the picture is repainted, soft at the border."""
    on = ((patch.mark > 0) | (np.abs(change) > 0.0004)).astype(np.float32)
    return cv2.GaussianBlur(cv2.dilate(on, np.ones((5, 5), np.uint8)), (0, 0), 1.0)


def _lit(patch: Patch, change: Field, rng: Rng) -> Field:
    """The print under a lamp that slopes change: (H, W, 3) float32, 0 to 255."""
    turn, tilt = rng.uniform(0, 2 * math.pi), rng.uniform(0.15, 0.6)
    smooth = cv2.GaussianBlur(change, (0, 0), 1.0)
    down, right = np.gradient(smooth, patch.mpp)
    lean = right * math.cos(turn) - down * math.sin(turn)
    shade = np.clip(1 - tilt * lean, 0.35, 1.5) * np.clip(1 + 5 * change, 0.6, 1.1)
    return (patch.albedo * shade[..., None]).astype(np.float32)
