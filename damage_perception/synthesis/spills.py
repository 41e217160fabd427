"""Spills: wet stains with a wicking front, puddles, powder; on, beside and under the item."""

from __future__ import annotations

import cv2
import numpy as np

from damage_perception.report import DamageType
from damage_perception.synthesis.noise import Field, Rng, smoothstep
from damage_perception.synthesis.patch import Damage, Patch, blend
from damage_perception.synthesis.truth import colour_distance, record

_LIQUIDS = (  # colour, opacity on paper, opacity as a puddle
    ((70, 60, 50), 0.45, 0.35),  # water: it darkens
    ((92, 52, 26), 0.6, 0.8),  # coffee, cola
    ((240, 238, 230), 0.5, 0.93),  # milk, lotion
    ((196, 150, 30), 0.5, 0.6),  # oil, honey
    ((150, 24, 30), 0.6, 0.8),  # sauce, wine
    ((40, 110, 170), 0.5, 0.6),  # cleaner
)
_CONTRAST = 14.0  # least CIELAB distance of a puddle from its ground
_POWDERS = ((244, 242, 238), (94, 62, 38), (214, 186, 140), (226, 214, 190), (230, 120, 60))


def spill(patch: Patch, rng: Rng, major: bool, family: str) -> Damage | None:
    """Spill on the item, beside it or from under it, as its contents would."""
    before = patch.height.copy()
    film = family in ('poly_mailer', 'bottle', 'tin', 'jar', 'blister')  # nothing soaks in
    kinds = {'wet_stain': 0.0 if film else 0.5, 'puddle': 0.3, 'seep': 0.2}
    if family in ('powder_bag', 'jar', 'shipping_carton'):
        kinds['powder'] = 0.8 if family == 'powder_bag' else 0.2
    weights = np.array(list(kinds.values()))
    kind = str(rng.choice(list(kinds), p=weights / weights.sum()))
    draw = {'wet_stain': _wet_stain, 'puddle': _puddle, 'seep': _seep, 'powder': _powder}[kind]
    region = draw(patch, rng, major)
    return record(patch, before, region, DamageType.SPILL, kind)


def _blob(patch: Patch, rng: Rng, at: tuple[float, float], radius: float, rough: float) -> Field:
    """Metres inside a ragged blob around `at`, with drops beside it."""
    x, y = patch.grid()
    stretch, turn = rng.uniform(0.55, 1.0), rng.uniform(0, np.pi)
    along = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
    across = ((y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)) / stretch
    wave = rough * radius * patch.noise(rng, 0.6 / radius * max(patch.shape)
                                        * patch.mpp, 3)  # fmt: skip
    field = radius - np.hypot(along, across) + np.clip(wave, -0.6 * radius, 0.6 * radius)
    for _ in range(int(rng.integers(0, 6))):
        far, drop = radius * rng.uniform(1.1, 1.9), radius * rng.uniform(0.04, 0.14)
        angle = rng.uniform(0, 2 * np.pi)
        dx, dy = x - at[0] - far * np.cos(angle), y - at[1] - far * np.sin(angle)
        field = np.maximum(field, drop - np.hypot(dx, dy))
    return field.astype(np.float32)


def _radius(patch: Patch, rng: Rng, major: bool) -> float:
    top, left, bottom, right = patch.face
    short = min(bottom - top, right - left) * patch.mpp
    low, high = (0.030, 0.085) if major else (0.010, 0.024)
    return float(min(rng.uniform(low, high), max(0.03, 0.5 * short)))


def _wet_stain(patch: Patch, rng: Rng, major: bool) -> np.ndarray:
    """Liquid soaked in: darker, saturated, with a darker front; wet in the middle."""
    top, left, bottom, right = patch.face
    size = np.array([right - left, bottom - top]) * patch.mpp
    at = (rng.uniform(-0.42, 0.42, 2) * size).tolist()
    radius = _radius(patch, rng, major)
    field = _blob(patch, rng, (at[0], at[1]), radius, 0.35)
    colour, opacity, _ = _LIQUIDS[int(rng.integers(len(_LIQUIDS)))]
    soft = rng.uniform(0.001, 0.006)
    soaked = smoothstep(-soft, soft, field) * patch.mask
    front = np.exp(-np.square((field - 0.3 * soft) / np.float32(rng.uniform(0.0012, 0.004))))
    weight = opacity * soaked * rng.uniform(0.8, 1.4) + 0.25 * front * soaked
    mottled = 1 + 0.15 * patch.noise(rng, 25, 2)
    dark = (patch.albedo.astype(np.float32) * np.asarray(colour, np.float32) / 215).clip(0, 255)
    blend(patch.albedo, dark.astype(np.uint8), np.clip(weight * mottled, 0, 1).astype(np.float32))
    if colour[0] > 200:  # milk and oil leave their own colour
        blend(patch.albedo, colour, (0.3 * soaked * opacity).astype(np.float32))
    wet = (rng.random() < 0.6) * smoothstep(0, 0.4 * radius, field)
    patch.gloss[...] = np.maximum(patch.gloss, (soaked * wet * 215).astype(np.uint8))
    patch.height += (0.0005 * soaked).astype(np.float32)
    return (soaked > 0.5) & patch.mask


def _outer_spot(patch: Patch, rng: Rng, out: float) -> tuple[float, float]:
    top, left, bottom, right = patch.face
    half = np.array([right - left, bottom - top]) * patch.mpp / 2
    turn = rng.uniform(0, 2 * np.pi)
    ray = np.array([np.cos(turn), np.sin(turn)])
    edge = float(np.min(half / np.maximum(np.abs(ray), 1e-6)))
    spot = ray * (edge + out)
    return float(spot[0]), float(spot[1])


def _puddle(patch: Patch, rng: Rng, major: bool) -> np.ndarray:
    """A pool beside the item, partly on it: glossy, one or two millimetres thick."""
    radius = _radius(patch, rng, major)
    field = _blob(patch, rng, _outer_spot(patch, rng, 0.35 * radius), radius, 0.25)
    return _pour(patch, rng, field)


def _seep(patch: Patch, rng: Rng, major: bool) -> np.ndarray:
    """Liquid comes out from under the item on one or more sides."""
    away = cv2.distanceTransform((~patch.mask).astype(np.uint8), cv2.DIST_L2, 5) * patch.mpp
    reach = rng.uniform(0.018, 0.04) if major else rng.uniform(0.006, 0.012)
    uneven = reach * (0.35 + 0.9 * patch.noise(rng, rng.uniform(3, 6), 3))
    return _pour(patch, rng, np.where(patch.mask, -0.01, uneven - away).astype(np.float32))


def _pour(patch: Patch, rng: Rng, field: Field) -> np.ndarray:
    colour, opacity, body = _contrasting(patch, rng)
    thick = rng.uniform(0.0008, 0.0025)
    ground = smoothstep(0, 0.002, field) * ~patch.mask
    patch.height += (thick * smoothstep(0, 0.004, field) * ~patch.mask).astype(np.float32)
    patch.albedo[ground > 0] = colour
    patch.gloss[ground > 0.3] = 250
    patch.cover = np.maximum(patch.cover, (body * ground).astype(np.float32))
    wet = smoothstep(0, 0.003, field) * patch.mask * opacity
    blend(patch.albedo, colour, wet.astype(np.float32))
    patch.gloss[wet > 0.2] = 220
    return field > 0.0005


def _contrasting(patch: Patch, rng: Rng) -> tuple[tuple[int, int, int], float, float]:
    """Draw a liquid that shows on what the item lies on."""
    bodies = np.asarray([liquid[2] for liquid in _LIQUIDS])[:, None]
    ground = np.tile(np.asarray(patch.ground, np.float64), (len(_LIQUIDS), 1))
    pools = bodies * np.asarray([liquid[0] for liquid in _LIQUIDS]) + (1 - bodies) * ground
    fitting = np.flatnonzero(colour_distance(ground, pools) > _CONTRAST)
    return _LIQUIDS[int(rng.choice(fitting))]


def _powder(patch: Patch, rng: Rng, major: bool) -> np.ndarray:
    """A heap of powder on or beside the item with loose grains around it."""
    radius = _radius(patch, rng, major)
    colour = _POWDERS[int(rng.integers(len(_POWDERS)))]
    at = _outer_spot(patch, rng, rng.uniform(-0.5, 0.6) * radius)
    field = _blob(patch, rng, at, radius, 0.3)
    peak = radius * rng.uniform(0.08, 0.28)
    heap = peak * np.clip(field / radius, 0, 1) ** 1.2
    grain = patch.noise(rng, 140, 1)
    heap = heap * (1 + 0.06 * grain) + 0.0006 * (field > 0)
    dusty = np.exp(np.minimum(field, 0) / (0.25 * radius)) * (field <= 0)
    cover = np.where(field > 0, 0.97, np.clip(dusty * (1.1 + 0.6 * grain) - 0.4, 0, 0.9))
    cover = cover.astype(np.float32)
    patch.height += np.where(field > 0, heap, 0).astype(np.float32)
    shade = np.clip(np.asarray(colour) * (1 + 0.05 * grain[..., None]), 0, 255).astype(np.uint8)
    on_item = patch.mask.astype(np.float32)
    blend(patch.albedo, shade, cover * on_item)
    outside = (cover > 0.02) & ~patch.mask
    patch.albedo[outside] = shade[outside]
    patch.cover = np.maximum(patch.cover, cover * (1 - on_item))
    patch.gloss[cover > 0.5] = 0
    return (field > 0) | (cover > 0.5)
