"""Depth as cameras measure it: stereo, time of flight, structured light."""

from __future__ import annotations

import cv2
import numpy as np

from damage_perception.synthesis.depth_losses import background_lost, dropped_out, texture
from damage_perception.synthesis.noise import Field, Rng, correlated_noise, value_noise
from damage_perception.synthesis.sensor_kinds import DepthSensor

_MILLIMETRE = np.float32(0.001)  # depth is published as 16UC1 (REP-118)
_LASTING = 0.5  # share of the noise's variance that stays in its place from picture to picture


def measure_depth(
    sensor: DepthSensor,
    depth: Field,
    luma: Field,
    gloss: Field,
    rng: Rng,
    scale: float,
    lasting: Rng | None = None,
) -> Field:
    """Measure a true depth image.

    Args:
        sensor: the camera.
        depth: (H, W) float32 metres, true.
        luma: (H, W) float32 in [0, 1], what the eye of the sensor sees (for texture, darkness).
        gloss: (H, W) float32 in [0, 1].
        rng: generator; another one gives another shot of the same scene.
        scale: pixels of this image per pixel of the full picture.
        lasting: generator, the same for all pictures of a fixed camera: its calibration error and
            half of its noise stay where they are, so only what moves is averaged; None = all new.

    Returns:
        (H, W) float32 metres in whole millimetres, NaN where nothing was measured.
    """
    if sensor.kind == 'tof':
        measured = _time_of_flight(sensor, depth, luma, rng, scale, lasting or rng)
    else:
        measured = _triangulate(sensor, depth, luma, rng, scale, lasting)
    measured[dropped_out(sensor, luma, gloss, rng, scale)] = np.nan
    published = np.rint(_register(sensor, measured, rng, scale) / _MILLIMETRE) * _MILLIMETRE
    return np.asarray(published, np.float32)


def _triangulate(
    sensor: DepthSensor, depth: Field, luma: Field, rng: Rng, scale: float, lasting: Rng | None
) -> Field:
    gain = np.float32(sensor.focal * sensor.baseline)
    disparity = _waver(gain / depth, sensor.waver * scale, rng, scale)
    fattened = _fatten(disparity, sensor.window * scale)
    near, rough = max(0.3, 0.8 * sensor.window * scale), texture(luma, scale)
    smooth = cv2.GaussianBlur(fattened, (0, 0), near)
    # Matching is better where there is texture: 0.65 of the noise on print, 1.2 on plain belts.
    level = np.float32(sensor.noise) * (1.2 - 0.55 * rough)
    noise = _matching_noise(sensor, depth.shape, rng, scale)
    if lasting is not None:
        stays = _matching_noise(sensor, depth.shape, lasting, scale)
        noise = np.float32(_LASTING**0.5) * stays + np.float32((1 - _LASTING) ** 0.5) * noise
    slow = value_noise(lasting or rng, depth.shape, max(depth.shape) / (160 * scale) + 1)
    measured = smooth + noise * level + gain * np.float32(sensor.slow) * slow
    measured = np.round(measured / sensor.quantum) * np.float32(sensor.quantum)
    hidden = background_lost(sensor, disparity, rng, scale)
    with np.errstate(divide='ignore'):
        result = gain / measured
    result[hidden | (measured <= 0)] = np.nan
    return result.astype(np.float32)


def _matching_noise(sensor: DepthSensor, shape: tuple[int, ...], rng: Rng, scale: float) -> Field:
    """Noise of unit deviation, mostly as wide as a matching window, partly finer."""
    size = (shape[0], shape[1])
    wide = correlated_noise(rng, size, sensor.correlation * scale)
    fine = correlated_noise(rng, size, 0.4 * sensor.correlation * scale)
    return np.float32(0.85) * wide + np.float32(0.53) * fine


def _waver(disparity: Field, reach: float, rng: Rng, scale: float) -> Field:
    """Edges wander: a window finds them where the texture happens to be."""
    if reach < 0.3:
        return disparity
    rows, cols = disparity.shape
    cells = max(rows, cols) / (14 * scale)
    col = np.arange(cols, dtype=np.float32)[None, :]
    row = np.arange(rows, dtype=np.float32)[:, None]
    moved = [np.float32(0.6 * reach) * value_noise(rng, disparity.shape, cells) for _ in 'xy']
    return cv2.remap(disparity, col + moved[0], row + moved[1], cv2.INTER_NEAREST,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip


def _fatten(disparity: Field, window: float) -> Field:
    """Matching windows see a near edge from beyond it: the foreground grows by half a window."""
    size = 2 * max(0, round(0.5 * window)) + 1
    return cv2.dilate(disparity, np.ones((size, size), np.uint8)) if size > 1 else disparity


def _time_of_flight(
    sensor: DepthSensor, depth: Field, luma: Field, rng: Rng, scale: float, lasting: Rng
) -> Field:
    """Flying pixels on edges, corners rounded by multipath, noise growing as light returns less."""
    blurred = cv2.GaussianBlur(depth, (0, 0), max(0.5, 0.7 * sensor.window * scale))
    wide = cv2.GaussianBlur(depth, (0, 0), max(1.0, 9 * sensor.window * scale))
    # Light that took a detour over a closer wall arrives later: corners look farther and round.
    detour = np.clip(depth - wide, 0, 0.08) * np.float32(0.12)
    back = np.maximum(luma, 0.04)
    level = np.float32(sensor.noise) * depth * depth / np.sqrt(back / 0.5)
    noise = correlated_noise(rng, depth.shape, max(0.4, sensor.correlation * scale))
    slow = value_noise(lasting, depth.shape, max(depth.shape) / (220 * scale) + 1) * sensor.slow
    measured = blurred + detour + noise * level + slow
    return (np.round(measured / sensor.quantum) * sensor.quantum).astype(np.float32)


def _register(sensor: DepthSensor, depth: Field, rng: Rng, scale: float) -> Field:
    """Carry depth into the colour picture: off by a pixel or so, thin cracks where it stretches."""
    dx, dy = (value * scale for value in sensor.shift)
    matrix = np.array([[1, 0, dx], [0, 1, dy]], np.float64)
    moved = cv2.warpAffine(depth, matrix, depth.shape[::-1], flags=cv2.INTER_NEAREST,
                           borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    if sensor.registration <= 0:
        return moved
    with np.errstate(invalid='ignore'):
        cell = np.floor(np.float32(sensor.registration * sensor.focal) / moved)
        crack = np.zeros(depth.shape, bool)
        crack[:, 1:] = cell[:, 1:] > cell[:, :-1]
    patches = value_noise(rng, depth.shape, max(depth.shape) / (40 * scale)) > 0.5
    moved[crack & patches] = np.nan
    return moved
