"""Colour as cameras give it: exposure, white balance, blur, noise, sRGB, JPEG."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.noise import Field, Rng

# Linear light in 1/4095 to sRGB bytes (IEC 61966-2-1).
_LINEAR = np.arange(4096) / 4095.0
_SRGB = np.round(
    255 * np.where(_LINEAR <= 0.0031308, 12.92 * _LINEAR, 1.055 * _LINEAR ** (1 / 2.4) - 0.055)
).astype(np.uint8)


@dataclass(frozen=True)
class ColourSensor:
    """One colour camera.

    Attributes:
        exposure: gain on the auto-exposed picture.
        balance: gains of red, green, blue.
        blur: sigma of the lens, pixels.
        motion: pixels that the belt moves during exposure.
        noise: read noise and shot noise, share of full scale.
        jpeg: quality, 0 = not compressed.
        vignette: loss of light at the corners.
    """

    exposure: float
    balance: tuple[float, float, float]
    blur: float
    motion: tuple[float, float]
    noise: tuple[float, float]
    jpeg: int
    vignette: float


def draw_colour_sensor(rng: Rng, style: str = 'standard') -> ColourSensor:
    """Draw a colour camera."""
    motion = rng.uniform(0, 2.5) if rng.random() < 0.35 else 0.0
    turn = rng.uniform(0, 2 * np.pi)
    tint = 0.10 if style == 'standard' else 0.2
    return ColourSensor(
        exposure=float(np.exp(rng.normal(0, 0.25))),
        balance=(1 + rng.uniform(-tint, tint), 1.0, 1 + rng.uniform(-tint, tint)),
        blur=rng.uniform(0.3, 0.85),
        motion=(motion * np.cos(turn), motion * np.sin(turn)),
        noise=(rng.uniform(0.001, 0.006), rng.uniform(0.002, 0.012)),
        jpeg=int(rng.integers(70, 97)) if rng.random() < 0.6 else 0,
        vignette=rng.uniform(0.0, 0.3),
    )


def take_picture(
    sensor: ColourSensor, radiance: NDArray[np.float32], white: float, rng: Rng, scale: float
) -> NDArray[np.uint8]:
    """Turn linear radiance (H, W, 3) into an sRGB picture (H, W, 3) uint8.

    `white` is the radiance of white paper on the support: the camera sees more than the crop, so
    its exposure follows the light as much as what lies in the crop.
    """
    light = _smear(radiance, sensor, scale)
    low, high = np.percentile(light[::4, ::4, 1], (50, 97))
    bright = max(float(high), 1.3 * float(low), 0.55 * white) + 1e-4
    gains = np.asarray(sensor.balance, np.float32) * np.float32(
        sensor.exposure * min(0.72 / bright, 6.0)
    )
    light = light * gains
    read, shot = sensor.noise
    spread = np.sqrt(np.float32(read**2) + np.float32(shot**2) * np.maximum(light, 0))
    light += spread * rng.standard_normal(light.shape, dtype=np.float32)
    steps = np.clip(light * 4095.0 + 0.5, 0, 4095).astype(np.uint16)
    picture = _SRGB[steps]
    if sensor.jpeg:
        quality = [cv2.IMWRITE_JPEG_QUALITY, sensor.jpeg]
        _, data = cv2.imencode('.jpg', picture[..., ::-1], quality)
        decoded = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        picture = np.ascontiguousarray(decoded[..., ::-1])
    return picture


def _smear(radiance: NDArray[np.float32], sensor: ColourSensor, scale: float) -> Field:
    light = cv2.GaussianBlur(radiance, (0, 0), max(0.3, sensor.blur * scale))
    dx, dy = (value * scale for value in sensor.motion)
    length = float(np.hypot(dx, dy))
    if length > 0.8:
        size = 2 * int(np.ceil(length / 2)) + 1
        kernel = np.zeros((size, size), np.float32)
        middle = size // 2
        ends = [(round((middle + sign * dx / 2) * 16), round((middle + sign * dy / 2) * 16))
                for sign in (-1, 1)]  # fmt: skip
        cv2.line(kernel, ends[0], ends[1], 1.0, 1, cv2.LINE_8, 4)
        light = cv2.filter2D(light, -1, kernel / kernel.sum())
    return np.asarray(light, np.float32)
