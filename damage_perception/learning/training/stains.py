"""Spills painted into sound patches: stains on ever other prints, puddles on ever other grounds.

A stain that the reference shows too is print, one that it lacks is a spill. Rendered pairs alone
show a few hundred of either, which a network learns by heart.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.inputs import (
    HAS_COLOUR,
    HAS_REFERENCE,
    ITEM,
    REFERENCE_RGB,
    RGB,
    grey_levels,
    scaled_colour,
)
from damage_perception.report import DamageType
from damage_perception.synthesis.noise import Field, Rng, smoothstep, value_noise

PAINTED, PAINTED_PAIRS = 0.08, 0.2  # shares of sound patches, without and with a reference
BESIDE = (0.5, 0.2)  # of these the puddles, without and with a reference
_ON_ITEM, _ON_BOTH = 0.55, 0.3  # of the pairs; the rest bear it on the reference alone
_RADIUS = (0.06, 0.35)  # of the side of a patch
_CONTRAST = 30.0  # least grey levels by which a puddle differs from its ground
_OFF = 2.0  # pixels by which a reference misses the item's grid


def paint(channels: NDArray[np.float32], labels: NDArray[np.uint8], rng: Rng) -> None:
    """Spill on a sound patch at random, in place: (C, S, S) float32 and labels (S, S) uint8."""
    paired = bool(channels[HAS_REFERENCE].any())
    if rng.random() >= (PAINTED_PAIRS if paired else PAINTED) or labels.any():
        return
    item = (channels[ITEM] > 0) & (channels[HAS_COLOUR] > 0)
    if not item.any():
        return
    if rng.random() < BESIDE[paired]:
        _puddle(channels, labels, item, rng)
    else:
        _soak(channels, labels, item, paired, rng)


def _soak(
    channels: NDArray[np.float32],
    labels: NDArray[np.uint8],
    item: NDArray[np.bool_],
    paired: bool,
    rng: Rng,
) -> None:
    """Darken a place of the item, of the reference or of both."""
    field, liquid, fate = _blob(item, rng), _liquid(rng), rng.random()
    on_item = not paired or fate < _ON_ITEM + _ON_BOTH
    on_reference = paired and fate >= _ON_ITEM
    if on_item:
        _darken(channels[RGB], field, item, *liquid)
    if on_reference:
        off = np.rint(rng.normal(0.0, _OFF / 2, 2)).astype(int)
        known = np.asarray(channels[REFERENCE_RGB].any(axis=0), bool)
        _darken(channels[REFERENCE_RGB], np.roll(field, off, (0, 1)), known, *liquid)
    if on_item and not on_reference:
        labels[(field > 0) & item] = DamageType.SPILL


def _puddle(
    channels: NDArray[np.float32],
    labels: NDArray[np.uint8],
    item: NDArray[np.bool_],
    rng: Rng,
) -> None:
    """Let a liquid run out beside the item and wet what it touches of it."""
    ground = (channels[ITEM] == 0) & (channels[HAS_COLOUR] > 0) & channels[RGB].any(axis=0)
    near = cv2.dilate(item.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    if not (ground & near).any():
        return
    field = _blob(ground & near, rng)
    levels = grey_levels(channels[RGB])
    colour = rng.uniform(15.0, 245.0) + rng.uniform(-70.0, 70.0, 3) * (rng.random() < 0.7)
    if np.abs(colour - levels[:, ground].mean(axis=1)).max() < _CONTRAST:
        return
    body = smoothstep(0.0, 1.5, field)
    cover = np.where(ground, rng.uniform(0.35, 0.95), np.where(item, rng.uniform(0.2, 0.6), 0.0))
    wet = (cover * body).astype(np.float32)
    poured = levels * (1.0 - wet) + wet * colour.clip(5.0, 250.0)[:, None, None]
    channels[RGB] = np.where(wet > 0, scaled_colour(poured), channels[RGB])
    labels[(field > 0.5) & (ground | item)] = DamageType.SPILL


def _blob(where: NDArray[np.bool_], rng: Rng) -> Field:
    """Give the pixels inside a ragged blob around one of these places, negative outside."""
    side = where.shape[0]
    spots = np.flatnonzero(where)
    row, column = np.unravel_index(spots[int(rng.integers(len(spots)))], where.shape)
    radius = side * rng.uniform(*_RADIUS)
    turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.5, 1.0)
    down, across = np.mgrid[:side, :side].astype(np.float32)
    down, across = down - row, across - column
    along = down * np.cos(turn) + across * np.sin(turn)
    beside = (across * np.cos(turn) - down * np.sin(turn)) / stretch
    rough = rng.uniform(0.15, 0.4) * value_noise(rng, where.shape, 0.6 * side / radius, 3)
    field = radius * (1.0 + np.clip(rough, -0.6, 0.6)) - np.hypot(along, beside)
    return field.astype(np.float32)


def _liquid(rng: Rng) -> tuple[NDArray[np.float32], float, float]:
    """Draw what a liquid leaves of each colour, how strongly, and how dark its front dries."""
    tint = rng.uniform(0.25, 0.6) + rng.uniform(-0.25, 0.45, 3) * (rng.random() < 0.7)
    return tint.clip(0.05, 1.05).astype(np.float32), rng.uniform(0.3, 0.85), rng.uniform(0.0, 0.3)


def _darken(
    colour: NDArray[np.float32],
    field: Field,
    where: NDArray[np.bool_],
    tint: NDArray[np.float32],
    strength: float,
    front: float,
) -> None:
    soft = np.float32(1.0)
    weight = strength * smoothstep(-soft, soft, field) + front * np.exp(-np.square(field / 1.5))
    weight = np.where(where, np.clip(weight, 0.0, 1.0), 0.0)
    levels = grey_levels(colour)
    stained = levels * (1.0 - weight * (1.0 - tint[:, None, None]))
    colour[...] = np.where(where, scaled_colour(stained), colour)
