"""Depth as cameras measure it: stereo, time of flight, structured light.

Every length in pixels is given for the full picture and scaled with the crop. The figures are
measured or cited in docs/synthesis.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from damage_perception.perception.sensor import SensorProfile
from damage_perception.synthesis.noise import Field, Rng, correlated_noise, value_noise

KINDS = ('stereo', 'structured_light', 'tof')
_RISKS = np.concatenate([np.geomspace(1e-5, 0.1, 60), np.linspace(0.11, 0.95, 60)])
_QUANTILES = ndtri(1 - _RISKS)  # of the normal distribution


@dataclass(frozen=True)
class DepthSensor:
    """One depth camera.

    Attributes:
        kind: 'stereo', 'structured_light' or 'tof'.
        focal: focal length of the depth camera, pixels of the full picture.
        baseline: metres; of the projector for structured light; 0 for time of flight.
        noise: stereo, structured light: disparity noise in pixels; tof: metres at 1 m.
        correlation: sigma of the Gaussian that correlates the noise, pixels.
        window: half width of the matching window, pixels: blurs relief and grows the foreground.
        halo: pixels of background lost around a closer surface.
        eaten: pixels of foreground lost at its edges.
        waver: pixels by which edges wander.
        quantum: step of the disparity (pixels), of depth (metres) for time of flight.
        blob: radius of a drop-out, pixels.
        dropout: share of a plain, textureless surface that drops out.
        occluded_side: -1 or 1, the side of an item on which background is hidden from one eye.
        registration: metres between depth and colour camera.
        shift: pixels by which the registered depth is off, (x, y).
        slow: metres at 1 m, waviness of the calibration over the whole picture.
    """

    kind: str
    focal: float
    baseline: float
    noise: float
    correlation: float
    window: float
    halo: float
    eaten: float
    waver: float
    quantum: float
    blob: float
    dropout: float
    occluded_side: int
    registration: float
    shift: tuple[float, float]
    slow: float


def draw_sensor(rng: Rng, focal: float, style: str = 'standard', kind: str = '') -> DepthSensor:
    """Draw a depth camera; `shifted` ones are worse and of other makes."""
    shares = (0.7, 0.15, 0.15) if style == 'standard' else (0.45, 0.25, 0.3)
    kind = kind or str(rng.choice(KINDS, p=shares))
    wide = focal / 640.0  # figures are for a focal length of 640 px
    side = int(rng.choice([-1, 1]))
    shift = tuple(float(value) for value in rng.uniform(-1.5, 1.5, 2))
    if kind == 'stereo':
        low, high = (0.045, 0.11) if style == 'standard' else (0.08, 0.16)
        return DepthSensor(
            kind, focal, rng.uniform(0.05, 0.095), rng.uniform(low, high),
            rng.uniform(3.5, 7.5) * wide, rng.uniform(2.0, 4.5) * wide,
            rng.uniform(7, 25) * wide, rng.uniform(0, 5) * wide, rng.uniform(0, 2.5) * wide,
            1 / 32, rng.uniform(3.5, 8.0) * wide, rng.uniform(0.0, 1.0) ** 1.5, side, rng.uniform(0.0, 0.025), shift, rng.uniform(0, 0.002),
        )  # fmt: skip
    if kind == 'structured_light':
        return DepthSensor(
            kind, focal, rng.uniform(0.1, 0.25), rng.uniform(0.015, 0.06),
            rng.uniform(0.8, 2.0) * wide, rng.uniform(0.6, 1.6) * wide, rng.uniform(0.5, 2) * wide,
            rng.uniform(0, 1) * wide, rng.uniform(0, 0.5) * wide, 1 / 64, rng.uniform(1.0, 2.5) * wide, rng.uniform(0, 0.06), side,
            rng.uniform(0, 0.02), shift, rng.uniform(0, 0.0006),
        )  # fmt: skip
    return DepthSensor(
        kind, focal, 0.0, rng.uniform(0.0008, 0.003), rng.uniform(0.6, 1.5) * wide,
        rng.uniform(0.8, 1.8) * wide, 0.0, 0.0, 0.0, 0.001, rng.uniform(1.0, 2.5) * wide,
        rng.uniform(0, 0.04), side, rng.uniform(0, 0.03), shift, rng.uniform(0, 0.004),
    )  # fmt: skip


def sensor_profile(sensor: DepthSensor, scale: float = 1.0) -> SensorProfile:
    """Give what a calibration of the sensor would find; `scale` as in `measure_depth`."""
    growth = sensor.noise
    if sensor.kind != 'tof':  # z = f b / d, so dz = z^2 / (f b) dd
        growth = sensor.noise / (sensor.focal * sensor.baseline)
    correlation = 1.665 * max(0.6, 0.8 * sensor.correlation * scale)
    return SensorProfile(0.0003, growth, correlation, min(0.9, 0.05 + 0.2 * sensor.dropout))


def measure_depth(
    sensor: DepthSensor, depth: Field, luma: Field, gloss: Field, rng: Rng, scale: float
) -> Field:
    """Measure a true depth image.

    Args:
        sensor: the camera.
        depth: (H, W) float32 metres, true.
        luma: (H, W) float32 in [0, 1], what the eye of the sensor sees (for texture, darkness).
        gloss: (H, W) float32 in [0, 1].
        rng: generator; another one gives another shot of the same scene.
        scale: pixels of this image per pixel of the full picture.

    Returns:
        (H, W) float32 metres, NaN where nothing was measured.
    """
    if sensor.kind == 'tof':
        measured = _time_of_flight(sensor, depth, luma, rng, scale)
    else:
        measured = _triangulate(sensor, depth, luma, gloss, rng, scale)
    measured[_dropouts(sensor, luma, gloss, rng, scale)] = np.nan
    return _register(sensor, measured, rng, scale)


def _triangulate(
    sensor: DepthSensor, depth: Field, luma: Field, gloss: Field, rng: Rng, scale: float
) -> Field:
    gain = np.float32(sensor.focal * sensor.baseline)
    disparity = _waver(gain / depth, sensor.waver * scale, rng, scale)
    fattened = _fatten(disparity, sensor.window * scale)
    near, rough = max(0.3, 0.8 * sensor.window * scale), _texture(luma, scale)
    smooth = cv2.GaussianBlur(fattened, (0, 0), near)
    # Matching is better where there is texture: 0.6 of the noise on print, 1.3 on plain belts.
    level = np.float32(sensor.noise) * (1.3 - 0.75 * rough)
    noise = 0.85 * correlated_noise(rng, depth.shape, sensor.correlation * scale)
    noise += 0.53 * correlated_noise(rng, depth.shape, 0.4 * sensor.correlation * scale)
    slow = value_noise(rng, depth.shape, max(depth.shape) / (160 * scale) + 1) * sensor.slow
    measured = smooth + noise * level + gain * slow.astype(np.float32)
    measured = np.round(measured / sensor.quantum) * np.float32(sensor.quantum)
    hidden = background_lost(sensor, disparity, rng, scale)
    with np.errstate(divide='ignore'):
        result = gain / measured
    result[hidden | (measured <= 0)] = np.nan
    return result.astype(np.float32)


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


def background_lost(
    sensor: DepthSensor, disparity: Field, rng: Rng, scale: float
) -> NDArray[np.bool_]:
    """Background that is lost near a closer surface: hidden from one eye, or mixed in a window."""
    ragged = value_noise(rng, disparity.shape, max(disparity.shape) / (25 * scale))
    # Near by, a step of the same height is a larger jump, but windows slant along with it.
    least = max(1.2, 0.025 * float(np.median(disparity)))
    step = least * np.maximum(1 + 0.35 * ragged, 0.3)
    lost = np.zeros(disparity.shape, bool)
    for share, above in ((1.0, 0.3), (0.75, -0.7), (0.5, -9.0)):  # the halo's width is uneven
        reach = round(sensor.halo * scale * share)
        if reach > 0:
            lost |= (_near(disparity, reach, 0) - disparity > step) & (ragged > above)
    eaten = round(sensor.eaten * scale)
    if eaten > 0:
        lost |= (disparity + _near(-disparity, eaten, 0) > step) & (ragged > -0.6)
    # One eye looks behind an edge only as far as the jump in disparity.
    widest = float(disparity.max() - disparity.min()) * scale
    for share in (0.25, 0.5, 1.0):
        behind = round(share * min(widest, 40))
        if behind > 0:
            jump = _near(disparity, behind, sensor.occluded_side) - disparity
            lost |= jump * scale > np.maximum(behind, 0.8 * step)
    return lost


def _near(disparity: Field, reach: int, side: int) -> Field:
    """Closest surface within `reach` pixels: all around (side 0) or along the row to one side."""
    if side == 0:
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
        return cv2.dilate(disparity, kernel)
    anchor = (0, 0) if side > 0 else (reach, 0)
    return cv2.dilate(disparity, np.ones((1, reach + 1), np.uint8), anchor=anchor)


def _texture(luma: Field, scale: float) -> Field:
    """Contrast within a matching window, 0 plain .. 1 rich."""
    sigma = max(0.8, 3.0 * scale)
    mean = cv2.GaussianBlur(luma, (0, 0), sigma)
    spread = cv2.GaussianBlur(luma * luma, (0, 0), sigma) - mean * mean
    return np.clip(np.sqrt(np.maximum(spread, 0)) * np.float32(18), 0, 1)


def _dropouts(
    sensor: DepthSensor, luma: Field, gloss: Field, rng: Rng, scale: float
) -> NDArray[np.bool_]:
    """Round holes: many on plain dark surfaces, on mirrors, few on print and cardboard."""
    plain = 1 - _texture(luma, scale)
    dark = np.clip(1 - luma / np.float32(0.12), 0, 1)
    glare = np.clip((luma - np.float32(0.93)) * 14, 0, 1) * gloss
    if sensor.kind == 'stereo':
        risk = sensor.dropout * (0.25 * plain + 0.75 * plain * dark) + 0.25 * glare
        risk = risk + 0.02 * sensor.dropout
    elif sensor.kind == 'tof':
        risk = sensor.dropout * (0.1 + 3 * dark) + 0.5 * glare
    else:
        risk = sensor.dropout * (0.1 + 2 * dark) + 0.4 * glare
    radius = max(0.7, sensor.blob * scale)
    # Seeds are thinned in place and time: clusters, as on real belts.
    cluster = np.exp(0.9 * value_noise(rng, luma.shape, max(luma.shape) / (35 * scale)) - 0.4)
    chance = np.clip(0.5 * risk * cluster, 0, 0.9) / np.float32(np.pi * radius * radius)
    seeds = (rng.random(luma.shape, dtype=np.float32) < chance).astype(np.uint8)
    size = 2 * max(1, round(radius)) + 1
    discs = cv2.dilate(seeds, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    # Half of the holes are ragged: where a smooth field passes the quantile of the risk.
    field = correlated_noise(rng, luma.shape, max(0.5, 0.8 * radius))
    quantile = np.interp(np.clip(0.5 * risk * cluster, 1e-5, 0.9), _RISKS, _QUANTILES)
    return (discs > 0) | (field > quantile)


def _time_of_flight(
    sensor: DepthSensor, depth: Field, luma: Field, rng: Rng, scale: float
) -> Field:
    """Flying pixels on edges, corners rounded by multipath, noise growing as light returns less."""
    blurred = cv2.GaussianBlur(depth, (0, 0), max(0.5, 0.7 * sensor.window * scale))
    wide = cv2.GaussianBlur(depth, (0, 0), max(1.0, 9 * sensor.window * scale))
    # Light that took a detour over a closer wall arrives later: corners look farther and round.
    detour = np.clip(depth - wide, 0, 0.08) * np.float32(0.12)
    back = np.maximum(luma, 0.04)
    level = np.float32(sensor.noise) * depth * depth / np.sqrt(back / 0.5)
    noise = correlated_noise(rng, depth.shape, max(0.4, sensor.correlation * scale))
    slow = value_noise(rng, depth.shape, max(depth.shape) / (220 * scale) + 1) * sensor.slow
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
