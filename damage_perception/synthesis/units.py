"""Packs of units: blister cards and multi-packs. A unit can be missing from them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from damage_perception.synthesis.artwork import random_colour
from damage_perception.synthesis.noise import Field, Rng, smoothstep
from damage_perception.synthesis.patch import Patch, blank_patch, blend
from damage_perception.synthesis.products import Product, artwork_at


@dataclass(frozen=True)
class Layout:
    """Where the units of a pack sit. All lengths in metres, from the centre of the face."""

    centres: tuple[tuple[float, float], ...]
    half: tuple[float, float]  # half size of a unit along x and y
    round: bool
    floor: float  # height of what a missing unit leaves bare
    top: float

    def inside(self, patch: Patch, unit: int, grow: float = 0.0) -> Field:
        """Metres inside the outline of a unit (negative outside), (H, W)."""
        x, y = patch.grid()
        dx, dy = x - self.centres[unit][0], y - self.centres[unit][1]
        if self.round:
            scale = min(self.half)
            inside = scale - np.hypot(dx * scale / self.half[0], dy * scale / self.half[1])
        else:
            inside = np.minimum(self.half[0] - np.abs(dx), self.half[1] - np.abs(dy))
        return (inside + np.float32(grow)).astype(np.float32)


def layout(product: Product) -> Layout:
    """Give the layout of a blister or multi-pack; it belongs to the product."""
    sku = product.rng(4)
    length, width, height = product.size
    if product.family == 'blister':
        cols, rows = ((2, 1), (2, 2), (3, 2), (4, 2), (5, 2), (4, 3))[int(sku.integers(6))]
        area = (0.88 * length, 0.6 * width)
        shift, floor, fill = -0.14 * width, 0.001, sku.uniform(0.68, 0.86)
    else:
        cols, rows = ((2, 2), (3, 2), (4, 2), (4, 3), (6, 4))[int(sku.integers(5))]
        area = (0.94 * length, 0.94 * width)
        shift, floor, fill = 0.0, 0.004, sku.uniform(0.9, 0.97)
    pitch = area[0] / cols, area[1] / rows
    half = pitch[0] / 2 * fill, pitch[1] / 2 * fill
    is_round = bool(sku.random() < 0.6)
    if is_round:
        half = (min(half), min(half)) if product.family == 'multi_pack' else half
    centres = tuple(
        ((col + 0.5) * pitch[0] - area[0] / 2, (row + 0.5) * pitch[1] - area[1] / 2 + shift)
        for row in range(rows)
        for col in range(cols)
    )
    return Layout(centres, half, is_round, floor, height)


def blister(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A printed card with clear domes; what they hold shines through."""
    sku = product.rng(3)
    length, width, height = product.size
    patch = blank_patch((length, width), mpp, margin)
    face = patch.face_slices
    patch.mask[face] = True
    rows, cols = patch.albedo[face].shape[:2]
    patch.albedo[face] = artwork_at(product, (rows, cols))
    bend = rng.normal(0, 0.0015) * np.square(np.linspace(-1, 1, cols, dtype=np.float32))
    patch.height[face] = np.maximum(0.0012 + np.broadcast_to(bend[None, :], (rows, cols)), 0.0006)
    patch.gloss[face] = 70
    patch.side = (225, 222, 214)
    plan = layout(product)
    colour = random_colour(sku, (0.0, 0.9), (0.1, 1.0))
    for unit in range(len(plan.centres)):
        inside = plan.inside(patch, unit)
        wall = smoothstep(-0.1 * min(plan.half), 0.5 * min(plan.half), inside) * (inside > 0)
        patch.height += wall * np.float32(height - 0.001)
        thing = smoothstep(0.1, 0.2, inside / np.float32(min(plan.half)))
        blend(patch.albedo, colour, thing * np.float32(0.85))
        patch.gloss[inside > -0.002] = 225
    return patch


def multi_pack(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A tray of equal units (cans, cups, small boxes), open or under film."""
    sku = product.rng(3)
    length, width, height = product.size
    patch = blank_patch((length, width), mpp, margin)
    face = patch.face_slices
    patch.mask[face] = True
    patch.albedo[face] = (170, 130, 92)
    patch.side = (186, 146, 104)
    plan = layout(product)
    patch.height[face] = plan.floor
    x, y = patch.grid()
    inside = np.minimum(length / 2 - np.abs(x), width / 2 - np.abs(y))
    wall = patch.mask & (inside < max(0.003, 1.5 * mpp))
    patch.height[wall] = height * sku.uniform(0.25, 0.6)
    lid = artwork_at(product, (96, 96))
    metal, gloss = sku.random() < 0.4, int(sku.uniform(60, 220))
    for unit in range(len(plan.centres)):
        _place_unit(patch, plan, unit, lid, metal, gloss, rng)
    if sku.random() < 0.45:
        patch.tags.append('oddity:film')
        sheen = np.maximum(patch.noise(rng, 12, 2), 0)
        patch.gloss[patch.mask] = 235
        blend(patch.albedo, (255, 255, 255), (0.12 * sheen * patch.mask).astype(np.float32))
    return patch


def _place_unit(
    patch: Patch, plan: Layout, unit: int, lid: np.ndarray, metal: bool, gloss: int, rng: Rng
) -> None:
    inside = plan.inside(patch, unit)
    on = inside > 0
    radius = min(plan.half)
    rim = 0.002 * np.exp(-(((inside - 0.003) / 0.0016) ** 2)) if plan.round else 0 * inside
    top = plan.top - 0.003 + rng.normal(0, 0.0005) + rim
    patch.height[on] = top[on]
    x, y = patch.grid()
    u = np.clip((x - plan.centres[unit][0]) / plan.half[0] * 0.5 + 0.5, 0, 0.999)
    v = np.clip(0.5 - (y - plan.centres[unit][1]) / plan.half[1] * 0.5, 0, 0.999)
    cols = np.broadcast_to((u * 96).astype(np.int32), patch.shape)[on]
    rows = np.broadcast_to((v * 96).astype(np.int32), patch.shape)[on]
    patch.albedo[on] = (178, 180, 184) if metal else lid[rows, cols]
    edge = on & (inside < 0.12 * radius)
    patch.albedo[edge] = (patch.albedo[edge] * 0.75).astype(np.uint8)
    patch.gloss[on] = gloss
