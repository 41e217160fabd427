"""Crush: faces dented with creases, edges and corners driven in, bodies buckled."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from damage_perception.report import DamageType
from damage_perception.synthesis.noise import Field, Rng, smoothstep
from damage_perception.synthesis.patch import Damage, Patch, blend
from damage_perception.synthesis.truth import VISIBLE_M, record

_SMOOTH = 0.35  # share of face dents without creases


def crush(patch: Patch, rng: Rng, major: bool) -> Damage | None:
    """Crush an item somewhere; `major` asks for a severity, the rule decides."""
    kinds = {'face_dent': 0.45, 'edge_crush': 0.25, 'corner_crush': 0.2, 'buckle': 0.1}
    kind = str(rng.choice(list(kinds), p=list(kinds.values())))
    deepest = 0.6 * float(patch.height[patch.mask].max())
    depth = min(rng.uniform(0.011, 0.035) if major else rng.uniform(0.003, 0.0095), deepest)
    shape = {
        'face_dent': _face_dent,
        'edge_crush': _edge_crush,
        'corner_crush': _corner_crush,
        'buckle': _buckle,
    }[kind]
    share, creases = shape(patch, rng, major)
    steepest = float(np.percentile(_steepness(share, patch.mpp)[share > 0.02], 95))
    depth = min(depth, (0.7 if kind == 'face_dent' else 1.1) / max(steepest, 1e-6))
    before = patch.height.copy()
    crumple = patch.noise(rng, rng.uniform(18, 40), 2)
    drop = depth * share * (1 + 0.10 * crumple)
    sunk = np.maximum(patch.height - drop, 0.002)
    patch.height[patch.mask] = sunk[patch.mask].astype(np.float32)
    _scar(patch, creases, share, rng)
    region = patch.mask & (np.abs(before - patch.height) > VISIBLE_M)
    return record(patch, before, region, DamageType.CRUSH, kind)


def _steepness(share: Field, mpp: float) -> Field:
    """Slope per metre of depth: board bends and creases, it does not stretch into a pit."""
    down, right = np.gradient(share, mpp)
    return np.hypot(down, right).astype(np.float32)


def _scar(patch: Patch, creases: Field, share: Field, rng: Rng) -> None:
    """Creases break print and fibre: thin lines lighter or darker than the surface."""
    shade = (235, 228, 215) if rng.random() < 0.5 else (52, 40, 30)
    broken = np.clip(0.6 + 0.5 * patch.noise(rng, 50, 1), 0, 1)
    weight = creases * broken * smoothstep(0.02, 0.2, share) * patch.mask
    blend(patch.albedo, shade, (weight * np.float32(rng.uniform(0.15, 0.6))).astype(np.float32))


def _face_dent(patch: Patch, rng: Rng, major: bool) -> tuple[Field, Field]:
    """A dent of flat facets that meet in creases, softened towards a bowl."""
    if rng.random() < _SMOOTH:
        return _hollow(patch, rng)
    x, y = patch.grid()
    size = _face_size(patch)
    radius = min(rng.uniform(0.03, 0.09) if major else rng.uniform(0.015, 0.045), 0.45 * min(size))
    at = (rng.uniform(-0.36, 0.36, 2) * size).tolist()
    facets = int(rng.integers(3, 8))
    turns = np.sort(rng.uniform(0, 2 * np.pi, facets))
    reach = radius * rng.uniform(0.6, 1.3, facets)
    stretch = rng.uniform(0.6, 1.0)
    dx, dy = x - at[0], (y - at[1]) / stretch
    sides = np.stack([(dx * np.cos(turn) + dy * np.sin(turn)) / far
                      for turn, far in zip(turns, reach, strict=True)])  # fmt: skip
    ordered = np.partition(sides, -2, axis=0)
    first, second = ordered[-1], ordered[-2]
    bowl = np.hypot(dx, dy) / radius
    mix = rng.uniform(0.0, 0.7)
    far = (1 - mix) * np.maximum(first, 0.6 * bowl) + mix * bowl
    share = np.clip(1 - far, 0, 1) ** rng.uniform(0.7, 1.4)
    rim = 0.06 * np.exp(-(((far - 1.08) / 0.12) ** 2))
    lines = np.exp(-(((first - second) * radius / max(0.0012, patch.mpp)) ** 2))
    edge = np.exp(-(((far - 1.0) * radius / max(0.0012, patch.mpp)) ** 2))
    return (share - rim).astype(np.float32), np.maximum(lines * (far < 1), edge).astype(np.float32)


def _hollow(patch: Patch, rng: Rng) -> tuple[Field, Field]:
    """A broad shallow dent with smooth walls: board that gave way without a crease."""
    x, y = patch.grid()
    size = _face_size(patch)
    radius = min(rng.uniform(0.02, 0.06), 0.45 * min(size))
    at = (rng.uniform(-0.36, 0.36, 2) * size).tolist()
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.65, 1.0)
    along = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
    across = ((y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)) / stretch
    far = np.hypot(along, across) / radius * (1 + 0.06 * patch.noise(rng, 5))
    share = 0.5 + 0.5 * np.cos(np.pi * np.clip(far, 0, 1))
    return share.astype(np.float32), np.zeros(patch.shape, np.float32)


def _edge_crush(patch: Patch, rng: Rng, major: bool) -> tuple[Field, Field]:
    """An edge driven in: deepest at the edge, ending in a crease on the face."""
    x, y = patch.grid()
    size = _face_size(patch)
    side = int(rng.integers(4))
    x, y = x + 0 * y, y + 0 * x
    inward = (size[0] / 2 - x, size[1] / 2 - y, size[0] / 2 + x, size[1] / 2 + y)[side]
    along = y if side in (0, 2) else x
    span = size[1] if side in (0, 2) else size[0]
    centre = rng.uniform(-0.35, 0.35) * span
    half = min(rng.uniform(0.03, 0.09) if major else rng.uniform(0.015, 0.04), 0.5 * span)
    reach = min(rng.uniform(0.02, 0.06), 0.5 * size[side % 2])
    bend = 1 - np.square((along - centre) / half)
    far = inward / np.maximum(reach * np.sqrt(np.maximum(bend, 0)), 1e-4)
    share = np.clip(1 - far, 0, 1) * np.clip(bend, 0, 1)
    crease = np.exp(-(((far - 1) * reach / max(0.0015, patch.mpp)) ** 2)) * (bend > 0)
    return share.astype(np.float32), crease.astype(np.float32)


def _corner_crush(patch: Patch, rng: Rng, major: bool) -> tuple[Field, Field]:
    """A corner driven in: a slanting facet with a crease where it starts."""
    x, y = patch.grid()
    size = _face_size(patch)
    signs = rng.choice([-1.0, 1.0], 2)
    dx, dy = size[0] / 2 - signs[0] * x, size[1] / 2 - signs[1] * y
    reach = min(rng.uniform(0.035, 0.09) if major else rng.uniform(0.02, 0.045), 0.6 * min(size))
    turn = rng.uniform(0.3, 1.27)
    bend = 0.1 * patch.noise(rng, 6)
    far = (dx * np.cos(turn) + dy * np.sin(turn)) / reach + bend
    share = np.clip(1 - far, 0, 1)
    second = 0.35 * np.clip(1 - np.abs(far - 0.5) / 0.15, 0, 1)
    crease = np.exp(-(((far - 1) * reach / max(0.0015, patch.mpp)) ** 2))
    return (share - 0.2 * second * share).astype(np.float32), crease.astype(np.float32)


def _buckle(patch: Patch, rng: Rng, major: bool) -> tuple[Field, Field]:
    """The whole body folds: a trough across the item, one side steeper."""
    x, y = patch.grid()
    size = _face_size(patch)
    turn = rng.normal(0, 0.35) + (0 if size[0] > size[1] else np.pi / 2)
    across = x * np.cos(turn) + y * np.sin(turn) - rng.uniform(-0.25, 0.25) * size[0]
    across = across + 0.012 * patch.noise(rng, 4)
    steep, gentle = rng.uniform(0.015, 0.05, 2)
    width = np.where(across > 0, steep, gentle * 1.6)
    share = np.clip(1 - np.abs(across) / width, 0, 1)
    fade = 0.75 + 0.25 * np.clip(patch.noise(rng, 3), -1, 1)
    crease = np.exp(-((across / max(0.0015, patch.mpp)) ** 2))
    return (share * fade).astype(np.float32), crease.astype(np.float32)


def _face_size(patch: Patch) -> NDArray[np.float64]:
    top, left, bottom, right = patch.face
    return np.array([right - left, bottom - top]) * patch.mpp
