"""What an RGB-D camera makes of the truth: grain; correlated noise, drop-outs, millimetres."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

RMS_AT_1_M = 0.0025  # metres; grows with the square of range
CORRELATION_PX = 6.0  # sigma of the smoothing: correlation 0.5 at 10 px
EDGE_STEP_M = 0.015  # a step from which the far side is not seen by both cameras


def observe(depth_m: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.uint16]:
    """Turn true depth (H, W) in metres into 16UC1 millimetres, 0 = invalid."""
    noise = 0.95 * _smooth(depth_m.shape, CORRELATION_PX, rng)
    noise += 0.3 * rng.standard_normal(depth_m.shape, np.float32)
    measured = depth_m + RMS_AT_1_M * depth_m**2 * noise
    lost = _edges(depth_m) & (rng.random(depth_m.shape) < 0.85)
    lost |= _smooth(depth_m.shape, 3.0, rng) > 2.4
    return np.where(lost, 0, np.round(measured * 1000.0)).astype(np.uint16)


def add_grain(rgb: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Add the noise of a colour sensor, about two grey levels RMS, to (H, W, 3)."""
    grain = rng.integers(-3, 4, rgb.shape, np.int8)
    return np.asarray(cv2.add(rgb, grain, dtype=cv2.CV_8U), np.uint8)


def _smooth(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> NDArray[np.float32]:
    """Make correlated noise of unit variance."""
    noise = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), sigma)
    return np.asarray(noise * np.float32(2.0 * np.sqrt(np.pi) * sigma), np.float32)


def _edges(depth_m: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Find the bands beside steps of depth, wider on the left, where the second camera is blind."""
    step = cv2.morphologyEx(depth_m, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > EDGE_STEP_M
    kernel = np.zeros((3, 9), np.uint8)
    kernel[:, 3:] = 1
    return np.asarray(cv2.dilate(step.astype(np.uint8), kernel), bool)
