"""Deconstruction and missing units: the pack is no longer whole."""

from __future__ import annotations

import numpy as np

from damage_perception.report import DamageType
from damage_perception.synthesis.artwork import random_colour
from damage_perception.synthesis.noise import Rng, smoothstep
from damage_perception.synthesis.openings import show_inside
from damage_perception.synthesis.patch import Damage, Patch
from damage_perception.synthesis.products import Product
from damage_perception.synthesis.truth import record
from damage_perception.synthesis.units import layout


def missing_unit(patch: Patch, rng: Rng, product: Product) -> Damage | None:
    """Take one to three units out: tray floor or bare card, the opened dome left as a rim."""
    plan = layout(product)
    count = min(1 + int(rng.random() < 0.25) + int(rng.random() < 0.1), len(plan.centres) - 1)
    before = patch.height.copy()
    region = np.zeros(patch.shape, bool)
    for unit in rng.choice(len(plan.centres), count, replace=False):
        inside = plan.inside(patch, int(unit))
        gone = inside > 0
        region |= gone
        patch.height[gone] = plan.floor
        if product.family == 'blister':
            _empty_dome(patch, rng, inside, min(plan.half))
        else:
            tone = np.asarray((176, 138, 98)) * rng.uniform(0.75, 1.0)
            patch.albedo[gone] = np.clip(tone, 0, 255).astype(np.uint8)
            patch.gloss[gone] = 15
    return record(patch, before, region & patch.mask, DamageType.MISSING_UNIT, 'unit_gone', True)


def _empty_dome(patch: Patch, rng: Rng, inside: np.ndarray, radius: float) -> None:
    """Bare card where the unit was; the cut or crushed film stands up around it."""
    gone = inside > 0
    crumple = np.maximum(patch.noise(rng, 35, 2), 0)
    ring = smoothstep(0.35 * radius, 0.05 * radius, inside.astype(np.float32)) * gone
    patch.height += (ring * crumple * rng.uniform(0.001, 0.006)).astype(np.float32)
    patch.albedo[gone] = (232, 228, 220)
    torn = gone & (inside < 0.8 * radius) & (crumple > 0.8)
    patch.albedo[torn] = (150, 146, 140)
    patch.gloss[gone] = 20
    patch.gloss[gone & (ring > 0.2)] = 210


def deconstruct(patch: Patch, rng: Rng, product: Product, major: bool) -> Damage | None:
    """Open the pack as its family comes apart."""
    before = patch.height.copy()
    if product.family in ('shipping_carton', 'retail_carton'):
        region, kind = _open_box(patch, rng, product, major)
    elif product.family in ('bottle', 'tube', 'jar', 'tin'):
        region, kind = _lid_off(patch, rng, product)
        major = True
    else:
        region, kind = _contents_out(patch, rng)
        major = True
    return record(patch, before, region, DamageType.DECONSTRUCTION, kind, major)


def _open_box(patch: Patch, rng: Rng, product: Product, major: bool) -> tuple[np.ndarray, str]:
    """Fold flaps out (contents are seen), or let one stand up a little."""
    length, width, height = product.size
    x, y = patch.grid()
    x, y = x + 0 * y, y + 0 * x
    region = np.zeros(patch.shape, bool)
    sides = rng.permutation([-1.0, 1.0])[: 1 + int(major and rng.random() < 0.4)]
    for side in sides:
        inward = width / 2 - side * y  # metres from the hinge, into the box
        flap = patch.mask & (inward < width / 2) & (np.abs(x) < length / 2)
        if not major:
            angle = rng.uniform(0.05, 0.16)
            rise = np.clip(inward, 0, width / 2) * np.tan(angle)
            twist = 1 + 0.35 * rng.normal() * x / length
            patch.height[flap] += (rise * twist)[flap].astype(np.float32)
            region |= flap & (rise > 0.0015)
            continue
        hinge = 0.012
        gap = flap & (inward > 0.003) & (np.abs(x) < length / 2 - 0.003)
        show_inside(patch, gap, rng, min(rng.uniform(0.02, 0.10), 0.85 * height))
        angle = rng.uniform(-1.1, 0.7)
        outer = -inward
        reach = min(width / 2, 0.3 * max(length, width)) * np.cos(angle)
        board = (outer > 0) & (outer < reach) & (np.abs(x) < length / 2 - hinge * 0.3)
        wave = 0.002 * patch.noise(rng, 3)
        board_height = np.maximum(height + np.tan(angle) * outer + wave, 0.002)
        patch.height[board] = board_height[board].astype(np.float32)
        tone = np.asarray(patch.side, np.float32) * rng.uniform(0.9, 1.12)
        patch.albedo[board] = np.clip(tone, 0, 255).astype(np.uint8)
        patch.gloss[board] = 10
        patch.mask |= board
        region |= board | gap
    return region, 'open_flap' if major else 'lifted_flap'


def _lid_off(patch: Patch, rng: Rng, product: Product) -> tuple[np.ndarray, str]:
    """Take cap or lid off: the opening is bare, the lid lies beside the item."""
    length, width, _ = product.size
    x, y = patch.grid()
    x, y = x + 0 * y, y + 0 * x
    if product.family in ('jar', 'tin'):
        gap = (np.hypot(x, y) < 0.44 * length) & patch.mask
        show_inside(patch, gap, rng, rng.uniform(0.008, 0.03))
        region, radius, thick = gap, length * 0.48, 0.012
    else:
        region = (x > 0.42 * length) & patch.mask
        patch.height[region] *= np.float32(0.93)
        patch.albedo[region] = (30, 26, 24)
        radius, thick = width * (0.48 if product.family == 'tube' else 0.25), 0.015
    turn = rng.uniform(0, 2 * np.pi)
    far = (0.5 * length if product.family in ('jar', 'tin') else 0.5 * width) + radius * 1.25
    at = (far * np.cos(turn), far * np.sin(turn))
    if product.family in ('bottle', 'tube'):
        at = (0.5 * length + radius * 1.1, rng.uniform(-0.6, 0.6) * width)
    lid = (np.hypot(x - at[0], y - at[1]) < radius) & ~patch.mask
    patch.height[lid] = thick
    patch.albedo[lid] = random_colour(rng, (0, 0.8), (0.2, 1.0))
    patch.gloss[lid] = 120
    patch.mask |= lid
    return region | lid, 'lid_off'


def _contents_out(patch: Patch, rng: Rng) -> tuple[np.ndarray, str]:
    """An end has come open and a thing that was inside sticks out."""
    top, left, bottom, right = patch.face
    length, width = (right - left) * patch.mpp, (bottom - top) * patch.mpp
    x, y = patch.grid()
    side = rng.choice([-1.0, 1.0])
    half = rng.uniform(0.2, 0.36) * width
    offset = rng.uniform(-0.12, 0.12) * width
    out = rng.uniform(0.03, max(0.035, 0.28 * length))
    end = length / 2 - 0.006
    along = side * x + 0 * y
    thing = (along > end - 0.35 * out) & (along < end + out) & (np.abs(y - offset) < half)
    tall = max(0.008, rng.uniform(0.4, 0.9) * float(np.median(patch.height[patch.mask])))
    bumps = 1 + 0.06 * patch.noise(rng, 10, 2)
    patch.height[thing] = (tall * bumps)[thing]
    patch.albedo[thing] = random_colour(rng, (0.05, 0.9), (0.15, 1.0))
    stripe = thing & (np.sin(along * rng.uniform(60, 300)) > 0.8)
    patch.albedo[stripe] = random_colour(rng, (0.0, 0.5), (0.6, 1.0))
    patch.gloss[thing] = int(rng.uniform(20, 200))
    mouth = patch.mask & ~thing & (np.abs(along - end + 0.35 * out) < 0.012)
    mouth &= np.abs(y - offset) < half * 1.25
    flare = np.clip(patch.noise(rng, 8) + 0.6, 0.15, 2)
    patch.height += (0.006 * flare * mouth).astype(np.float32)
    patch.mask |= thing
    return thing | mouth, 'contents_out'
