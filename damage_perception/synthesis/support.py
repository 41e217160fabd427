"""What items lie on: belts with rails, rollers, trays, totes, tables."""

from __future__ import annotations

import math

import numpy as np

from damage_perception.synthesis.noise import Rng, smoothstep, value_noise
from damage_perception.synthesis.patch import blend
from damage_perception.synthesis.scene import SceneMap

KINDS = ('belt', 'rollers', 'tray', 'tote', 'table')
_SHARES = (0.55, 0.1, 0.12, 0.08, 0.15)
_BELTS = ((14, 62, 44), (22, 84, 60), (24, 26, 28), (44, 46, 50), (96, 100, 104), (30, 44, 92),
          (196, 198, 196))  # fmt: skip


def lay_support(scene: SceneMap, rng: Rng, reach: float, kind: str = '') -> list[str]:
    """Draw the support into an empty scene.

    Args:
        scene: the map, changed in place.
        rng: generator.
        reach: metres from the middle that must stay free for the item (rails, walls beyond it).
        kind: one of `KINDS`; '' = any.

    Returns:
        Tags of what was drawn.
    """
    kind = kind or str(rng.choice(KINDS, p=_SHARES))
    colour = np.asarray(_BELTS[int(rng.integers(len(_BELTS)))], np.float64)
    if kind in ('tray', 'tote', 'table'):
        colour = rng.uniform(20, 200) + rng.normal(0, 9, 3)
    shape = scene.height.shape
    cells = max(shape) * scene.mpp
    grain = rng.standard_normal(shape, dtype=np.float32) * np.float32(rng.uniform(1, 3))
    grain += value_noise(rng, shape, 30 * cells, 2) * np.float32(rng.uniform(0.2, 1.5))
    shades = np.clip(colour + np.arange(-32, 32)[:, None], 3, 252).astype(np.uint8)
    scene.albedo[...] = shades[np.clip(grain + 32.5, 0, 63).astype(np.uint8)]
    scene.gloss[...] = int(rng.uniform(5, 80))
    turn = float(rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]))
    rail = kind in ('belt', 'rollers') and rng.random() < 0.4
    tags = [f'support:{kind}']
    if kind in ('belt', 'table') and rng.random() < 0.6:
        _dirt(scene, rng)
    if kind in ('belt', 'table') and not rail:
        return tags
    x, y = scene.grid()
    c, s = math.cos(turn), math.sin(turn)
    along, across = x * c + y * s, y * c - x * s
    if kind == 'rollers':
        _rollers(scene, rng, along)
    if rail:
        _rail(scene, rng, across, reach)
        tags.append('oddity:rail')
    if kind in ('tray', 'tote'):
        _walls(scene, rng, along, across, reach, rng.uniform(0.01, 0.04)
               if kind == 'tray' else rng.uniform(0.06, 0.18))  # fmt: skip
    return tags


def lay_belt(scene: SceneMap, rng: Rng, travelled: float) -> None:
    """Draw a belt along x that has moved on by `travelled` metres, between two rails.

    Its grain moves with it: the same draw of `rng` is shifted, never drawn anew.
    """
    rows, cols = scene.height.shape
    colour = np.asarray(_BELTS[int(rng.integers(4))], np.float32)
    shift = round(travelled / scene.mpp) % (2 * cols)
    grain = rng.standard_normal((rows, 2 * cols), dtype=np.float32) * np.float32(2.0)
    grain += value_noise(rng, (rows, 2 * cols), 30, 2) * np.float32(0.8)
    moved = np.roll(grain, shift, axis=1)[:, :cols]
    shades = np.clip(colour + np.arange(-32, 32)[:, None], 3, 252).astype(np.uint8)
    scene.albedo[...] = shades[np.clip(moved + 32.5, 0, 63).astype(np.uint8)]
    scene.gloss[...] = int(rng.uniform(20, 90))
    _, y = scene.grid()
    edge = 0.5 * (float(y.max()) - float(y.min())) - 0.04
    rail = np.broadcast_to(np.abs(y - y.mean()) > edge, scene.height.shape)
    scene.height[rail] = 0.02
    scene.albedo[rail] = 190
    scene.gloss[rail] = 200


def _dirt(scene: SceneMap, rng: Rng) -> None:
    """Worn and dusty places, a belt seam's line."""
    field = value_noise(rng, scene.height.shape, 9, 3)
    worn = smoothstep(0.6, 2.4, field) * np.float32(rng.uniform(0, 0.16))
    blend(scene.albedo, (150, 146, 138), worn)


def _rollers(scene: SceneMap, rng: Rng, along: np.ndarray) -> None:
    """Steel rollers with gaps between them."""
    pitch = rng.uniform(0.05, 0.09)
    radius = 0.46 * pitch
    offset = (along / pitch - np.floor(along / pitch) - 0.5) * pitch
    inside = np.abs(offset) < radius
    drop = radius - np.sqrt(np.maximum(radius**2 - offset**2, 0))
    scene.height[...] = -np.where(inside, drop, radius).astype(np.float32)
    steel = int(rng.uniform(120, 190))
    scene.albedo[inside] = steel
    scene.albedo[~inside] = 18
    scene.gloss[inside] = 190


def _rail(scene: SceneMap, rng: Rng, across: np.ndarray, reach: float) -> None:
    """A bright rail along the conveyor, the floor far below behind it."""
    side = rng.choice([-1.0, 1.0])
    start = reach * rng.uniform(1.0, 1.5)
    width = rng.uniform(0.02, 0.05)
    over = side * across - start
    rail = (over > 0) & (over < width)
    scene.height[rail] = rng.uniform(0.01, 0.06)
    scene.albedo[rail] = int(rng.uniform(150, 235))
    scene.gloss[rail] = 200
    beyond = over >= width
    scene.height[beyond] = -rng.uniform(0.03, 0.15)
    scene.albedo[beyond] = (scene.albedo[beyond] * 0.3 + rng.uniform(0, 60)).astype(np.uint8)


def _walls(
    scene: SceneMap, rng: Rng, along: np.ndarray, across: np.ndarray, reach: float, height: float
) -> None:
    """The rim of a tray or tote around the item."""
    half = (reach * rng.uniform(1.05, 1.5, 2)).tolist()
    out = np.maximum(np.abs(along) - half[0], np.abs(across) - half[1])
    thick = rng.uniform(0.006, 0.02)
    wall = (out > 0) & (out < thick)
    scene.height[wall] = height
    scene.albedo[out > 0] = np.clip(scene.albedo[out > 0] * 1.15, 0, 255).astype(np.uint8)
