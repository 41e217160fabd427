"""Random fields: the raw material of wrinkles, stains, dust and sensor noise."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Field = NDArray[np.float32]  # (H, W) float32


def stream(*keys: int) -> Rng:
    """Give a generator that depends on the keys alone (never on order, time or process)."""
    return np.random.default_rng(np.random.SeedSequence([int(k) & 0xFFFFFFFF for k in keys]))


def value_noise(rng: Rng, shape: tuple[int, int], cells: float, octaves: int = 1) -> Field:
    """Smooth noise of about unit deviation with `cells` bumps across the longer side.

    The draws depend on `cells` and `octaves` alone if the aspect is kept, so a print looks the
    same at every resolution.
    """
    height, width = shape
    longest = max(shape)
    total = np.zeros(shape, np.float32)
    weight = norm = 1.0
    for octave in range(octaves):
        count = cells * 2.0**octave
        rows = max(2, round(count * height / longest)) + 2
        cols = max(2, round(count * width / longest)) + 2
        grid = rng.standard_normal((rows, cols), dtype=np.float32)
        kind = cv2.INTER_LINEAR if octave else cv2.INTER_CUBIC  # the fine ones need no curves
        total += weight * cv2.resize(grid, (width, height), interpolation=kind)
        weight *= 0.5
        norm += weight * weight
    return total * np.float32(1.35 / math.sqrt(norm))


def correlated_noise(rng: Rng, shape: tuple[int, int], sigma: float) -> Field:
    """Gaussian field of zero mean and unit deviation; correlation exp(-r^2 / (4 sigma^2)).

    White noise blurred by a Gaussian of `sigma` pixels has that correlation: it is one half at
    r = 1.665 sigma. Wide fields are made on a coarser grid and enlarged.
    """
    if sigma < 0.3:
        return rng.standard_normal(shape, dtype=np.float32)
    step = max(1, int(sigma / 2.0))
    small = (math.ceil(shape[0] / step) + 2, math.ceil(shape[1] / step) + 2)
    field = rng.standard_normal(small, dtype=np.float32)
    narrow = sigma / step
    field = cv2.GaussianBlur(field, (0, 0), narrow)
    if step > 1:
        field = cv2.resize(field, None, fx=step, fy=step, interpolation=cv2.INTER_CUBIC)
    field = field[: shape[0], : shape[1]]
    return np.ascontiguousarray(field * np.float32(2.0 * math.sqrt(math.pi) * max(narrow, 0.4)))


def ridges(field: Field) -> Field:
    """Turn noise into sharp-crested folds in [0, 1]: one at a crest, as a film folds."""
    return np.clip(1.0 - np.abs(field) * np.float32(1.3), 0.0, 1.0).astype(np.float32)


def smoothstep(low: float, high: float, values: Field) -> Field:
    """Cubic ramp from 0 at `low` to 1 at `high` (which may lie below `low`)."""
    t = np.clip((values - np.float32(low)) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return (t * t * (3.0 - 2.0 * t)).astype(np.float32)
