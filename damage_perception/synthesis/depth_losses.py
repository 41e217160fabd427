"""Where a depth camera measures nothing: beside edges, on dark, plain and shining surfaces."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from damage_perception.synthesis.noise import Field, Rng, correlated_noise, value_noise
from damage_perception.synthesis.sensor_kinds import DepthSensor

_RISKS = np.concatenate([np.geomspace(1e-5, 0.1, 60), np.linspace(0.11, 0.95, 60)])
_QUANTILES = ndtri(1 - _RISKS)  # of the normal distribution


def texture(luma: Field, scale: float) -> Field:
    """Contrast within a matching window, 0 plain .. 1 rich."""
    sigma = max(0.8, 3.0 * scale)
    mean = cv2.GaussianBlur(luma, (0, 0), sigma)
    spread = cv2.GaussianBlur(luma * luma, (0, 0), sigma) - mean * mean
    return np.clip(np.sqrt(np.maximum(spread, 0)) * np.float32(18), 0, 1)


def background_lost(
    sensor: DepthSensor, disparity: Field, rng: Rng, scale: float
) -> NDArray[np.bool_]:
    """Background that is lost near a closer surface: hidden from one eye, or mixed in a window."""
    ragged = value_noise(rng, disparity.shape, max(disparity.shape) / (25 * scale))
    # Near by, a step of the same height is a larger jump, but windows slant along with it.
    least = max(1.2, 0.025 * float(np.median(disparity)))
    step = least * np.maximum(1 + 0.35 * ragged, 0.3)
    slant = 1.2 * _slant(disparity, scale)  # a slanted surface is no edge, however long it is
    lost = np.zeros(disparity.shape, bool)
    nearest, done = disparity, 0
    for share, above in ((0.5, -9.0), (0.75, -0.7), (1.0, 0.3)):  # the halo's width is uneven
        reach = round(sensor.halo * scale * share)
        if reach > done:
            nearest, done = _near(nearest, reach - done, 0), reach
            lost |= (nearest - disparity > step + reach * slant) & (ragged > above)
    eaten = round(sensor.eaten * scale)
    if eaten > 0:
        drop = disparity + _near(-disparity, eaten, 0)
        lost |= (drop > step + eaten * slant) & (ragged > -0.6)
    # One eye looks behind an edge only as far as the jump in disparity.
    widest = float(disparity.max() - disparity.min()) * scale
    for share in (0.25, 0.5, 1.0):
        behind = round(share * min(widest, 40))
        if behind > 0:
            jump = _near(disparity, behind, sensor.occluded_side) - disparity
            lost |= jump * scale > np.maximum(behind, 0.8 * step)
    # Cameras clear specks: what is left has no teeth finer than a few pixels.
    size = 2 * max(1, round(2.5 * scale * sensor.focal / 640.0)) + 1
    return cv2.medianBlur(lost.astype(np.uint8), min(size, 7)) > 0


def _slant(disparity: Field, scale: float) -> Field:
    """Disparity per pixel along the surface itself: the least around, so edges do not count."""
    smooth = cv2.GaussianBlur(disparity, (0, 0), max(1.0, 2.0 * scale))  # wavering edges make steps
    along = cv2.Sobel(smooth, cv2.CV_32F, 1, 0, ksize=1, scale=0.5)
    down = cv2.Sobel(smooth, cv2.CV_32F, 0, 1, ksize=1, scale=0.5)
    size = 2 * max(2, round(5 * scale)) + 1
    least: Field = cv2.erode(cv2.magnitude(along, down), np.ones((size, size), np.uint8))
    return least


def _near(disparity: Field, reach: int, side: int) -> Field:
    """Closest surface within `reach` pixels: all around (side 0) or along the row to one side."""
    if side == 0:
        while reach > 0:  # a large disc as several small ones, whose cost grows with their area
            part = min(reach, 5)
            disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * part + 1, 2 * part + 1))
            disparity, reach = cv2.dilate(disparity, disc), reach - part
        return disparity
    anchor = (0, 0) if side > 0 else (reach, 0)
    return cv2.dilate(disparity, np.ones((1, reach + 1), np.uint8), anchor=anchor)


def dropped_out(
    sensor: DepthSensor, luma: Field, gloss: Field, rng: Rng, scale: float
) -> NDArray[np.bool_]:
    """Round holes: many on plain dark surfaces, on mirrors, few on print and cardboard."""
    plain = 1 - texture(luma, scale)
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
