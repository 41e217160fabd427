"""Measure a depth camera's noise on an empty belt or tray."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics, RgbdFrame
from damage_perception.perception.projection import height_image
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.support.support import SupportFinder

_LONGEST_LAG = 40
_FEWEST_PIXELS = 2000
_ITEM_M = 0.02  # what stands out by more is no bare support
_HALO_M = 0.04  # beside an item depth is smeared and the second camera blind


@dataclass(frozen=True)
class SensorMeasurement:
    """A measured profile and what it rests on: deviation (RMS) and range in metres, counts."""

    profile: SensorProfile
    rms_m: float
    range_m: float
    fx: float
    frames: int
    pixels: int


def measure(frames: Iterable[RgbdFrame]) -> SensorMeasurement:
    """Measure noise, its correlation and the invalid share on the bare support of frames.

    Items in view are left out with a halo, so a running belt with gaps serves too. One range
    tells one number, so the profile's floor is 0: the deviation grows with the square of range.

    Raises:
        UserError: if too little bare support is seen.
    """
    finder = SupportFinder()
    squares, ranges, counts, invalid, curves = [], [], [], [], []
    fx = 0.0
    for frame in frames:
        if frame.depth_m is None or frame.camera is None:
            continue
        support = finder.update(frame.depth_m, frame.camera)
        if support is None:
            continue
        height = height_image(frame.depth_m, support.plane, frame.camera)
        bare = _bare(height, support.region, frame.camera, support.plane.offset)
        noise, on = _noise(height, bare)
        if np.count_nonzero(on) < _FEWEST_PIXELS:
            continue
        fx = frame.camera.fx
        counts.append(int(np.count_nonzero(on)))
        squares.append(float(np.mean(np.square(noise[on]))))
        ranges.append(float(np.median(frame.depth_m[on])))
        invalid.append(1.0 - counts[-1] / np.count_nonzero(bare))
        curves.append(_autocorrelation(noise, on))
    if not counts:
        raise UserError(
            'no frame shows enough bare support; record the empty belt or tray for a second'
        )
    share = np.asarray(counts) / sum(counts)
    rms, reach = float(np.sqrt(share @ squares)), float(share @ ranges)
    profile = SensorProfile(
        floor_m=0.0,
        growth_per_m=rms / reach**2,
        correlation_px=_half(share @ np.asarray(curves)),
        invalid_share=float(np.clip(share @ invalid, 0.0, 1.0)),
    )
    return SensorMeasurement(profile, rms, reach, fx, len(counts), sum(counts))


def _bare(
    height: NDArray[np.float32],
    region: NDArray[np.bool_],
    camera: CameraIntrinsics,
    range_m: float,
) -> NDArray[np.bool_]:
    """Give the support without items and their halo."""
    item = cv2.morphologyEx(
        (height > _ITEM_M).astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)
    )
    size = 2 * max(1, round(_HALO_M * camera.fx / range_m)) + 1
    near = cv2.dilate(item, np.ones((size, size), np.uint8)) > 0
    kept: NDArray[np.bool_] = region & ~near
    return kept


def _noise(
    height: NDArray[np.float32], bare: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Give what is left of heights after a gentle bend of the support, and where it is."""
    on = bare & (np.abs(height) < _ITEM_M)
    rows, cols = np.nonzero(on)
    if len(rows) < _FEWEST_PIXELS:
        return height, on
    x, y = cols / height.shape[1] - 0.5, rows / height.shape[0] - 0.5
    design = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)
    terms = np.linalg.lstsq(design, height[on].astype(np.float64), rcond=None)[0]
    noise = np.zeros_like(height)
    noise[on] = height[on] - design @ terms
    return noise, on


def _autocorrelation(noise: NDArray[np.float32], on: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the correlation by distance, 0 to 40 px, mean of along rows and along columns."""
    rows, cols = np.flatnonzero(on.any(axis=1)), np.flatnonzero(on.any(axis=0))
    part = np.s_[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    on = on[part]
    values = np.where(on, noise[part], np.float32(0.0)).astype(np.float64)
    curve = np.zeros(_LONGEST_LAG + 1)
    for lag in range(_LONGEST_LAG + 1):
        for first, second in (
            (np.s_[:, : values.shape[1] - lag], np.s_[:, lag:]),
            (np.s_[: values.shape[0] - lag], np.s_[lag:]),
        ):
            pairs = int(np.count_nonzero(on[first] & on[second]))
            curve[lag] += 0.5 * float(np.sum(values[first] * values[second])) / max(pairs, 1)
    return np.asarray(curve / max(float(curve[0]), 1e-12))


def _half(curve: NDArray[np.float64]) -> float:
    """Give where a falling curve crosses one half, interpolated."""
    below = int(np.argmax(curve < 0.5))
    if below == 0:
        return float(len(curve) - 1)
    upper, lower = float(curve[below - 1]), float(curve[below])
    return float(below - 1 + (upper - 0.5) / (upper - lower))
