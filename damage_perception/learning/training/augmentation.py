"""What a patch may look like as well: turned, mirrored, lit otherwise, with a sensor missing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.training.stains import paint
from damage_perception.network.inputs import (
    COLOUR,
    DEPTH,
    HAS_COLOUR,
    HAS_REFERENCE,
    REFERENCE,
    REFERENCE_DIFFERENCE,
    REFERENCE_RGB,
    RGB,
)
from damage_perception.synthesis.noise import Rng

Channels = NDArray[np.float32]

NO_COLOUR = 0.1  # shares of patches that a whole modality is taken from
NO_DEPTH = 0.1
NO_REFERENCE = 0.4
_CUT_OUT = 0.15  # share of patches that lose a rectangle of depth


def augment(
    channels: Channels, labels: NDArray[np.uint8], rng: Rng
) -> tuple[Channels, NDArray[np.uint8]]:
    """Vary a square patch (C, S, S) and its labels (S, S)."""
    quarters, mirrored = int(rng.integers(4)), bool(rng.random() < 0.5)
    channels, labels = np.rot90(channels, quarters, (1, 2)), np.rot90(labels, quarters)
    if mirrored:
        channels, labels = channels[..., ::-1], labels[..., ::-1]
    channels = np.ascontiguousarray(channels)
    _relight(channels, rng)
    if rng.random() < _CUT_OUT:
        _cut_out(channels, rng)
    drop_modalities(channels, rng)
    labels = labels.copy()
    paint(channels, labels, rng)
    return channels, labels


def drop_modalities(channels: Channels, rng: Rng) -> None:
    """Take colour, depth or the reference away at random, in place; never colour and depth."""
    draw, reference = rng.random(2)
    if draw < NO_COLOUR:
        drop_colour(channels)
    elif draw > 1.0 - NO_DEPTH:
        drop_depth(channels)
    if reference < NO_REFERENCE:
        channels[REFERENCE] = 0.0


def drop_colour(channels: Channels) -> None:
    """Leave no colour, of the reference neither."""
    channels[COLOUR] = 0.0
    channels[REFERENCE_RGB] = 0.0


def drop_depth(channels: Channels) -> None:
    """Leave no depth, of the reference neither."""
    channels[DEPTH] = 0.0
    channels[REFERENCE_DIFFERENCE] = 0.0


def _relight(channels: Channels, rng: Rng) -> None:
    """Change light, colour cast and contrast; the reference saw another light than the item."""
    order = rng.permutation(3) if rng.random() < 0.25 else np.arange(3)
    known = channels[HAS_COLOUR] > 0
    pictures = ((RGB, known), (REFERENCE_RGB, channels[HAS_REFERENCE] > 0))
    for part, where in pictures:
        gain = np.float32(np.exp(rng.normal(0.0, 0.2))) * np.exp(rng.normal(0.0, 0.08, 3))
        shift = rng.normal(0.0, 0.15)
        lit = channels[part][order] * gain.astype(np.float32)[:, None, None] + np.float32(shift)
        channels[part] = np.where(where, np.clip(lit, -1.8, 2.2), np.float32(0.0))
    noise = rng.standard_normal(channels[RGB].shape, dtype=np.float32)
    channels[RGB] += np.where(known, noise * np.float32(rng.uniform(0.0, 0.08)), np.float32(0.0))


def _cut_out(channels: Channels, rng: Rng) -> None:
    """Take the depth of a rectangle away, as a glossy or dark print does."""
    side = channels.shape[-1]
    height, width = rng.integers(side // 12, side // 3, 2)
    top, left = rng.integers(0, side - height), rng.integers(0, side - width)
    rows, columns = slice(top, top + height), slice(left, left + width)
    channels[DEPTH, rows, columns] = 0.0
    channels[REFERENCE_DIFFERENCE, rows, columns] = 0.0
