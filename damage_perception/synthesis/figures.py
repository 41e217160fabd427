"""Figures of a depth sensor, measured the same way on real and on rendered pictures."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.noise import Field

_SECTORS = 48
_FARTHEST = 60  # pixels outside an edge within which the background must come back


@dataclass(frozen=True)
class SurfaceFigures:
    """What a flat patch looks like in depth.

    Attributes:
        invalid: share of pixels without depth.
        residual_m: RMS distance from the fitted plane, metres.
        correlation_px: distance at which the residual's correlation falls to one half.
        distance_m: median depth.
    """

    invalid: float
    residual_m: float
    correlation_px: float
    distance_m: float


@dataclass(frozen=True)
class EdgeFigures:
    """What the edge of a raised flat top looks like in depth, pixels, median over directions.

    Attributes:
        halo_px: from the true edge outwards to the first background with depth.
        halo_low_px, halo_high_px: the same at the 10th and the 90th percentile of directions.
        eaten_px: from the true edge inwards to the first foreground with depth.
        mixed: share of valid pixels within 8 px of the edge that lie between both surfaces.
    """

    halo_px: float
    halo_low_px: float
    halo_high_px: float
    eaten_px: float
    mixed: float


def measure_surface(depth: Field, region: NDArray[np.bool_]) -> SurfaceFigures:
    """Measure a flat region (H, W) of a depth image (H, W) metres, NaN = invalid."""
    rows, cols = np.nonzero(region)
    window = (slice(rows.min(), rows.max() + 1), slice(cols.min(), cols.max() + 1))
    inside, values = region[window], depth[window]
    valid = inside & ~np.isnan(values)
    v, u = np.nonzero(valid)
    z = values[valid].astype(np.float64)
    terms = np.stack([u, v, np.ones_like(u)], 1).astype(np.float64)
    keep = np.abs(z - np.median(z)) < 0.03
    for _ in range(3):  # what sticks out of the plane by far is not this surface
        plane, *_ = np.linalg.lstsq(terms[keep], z[keep], rcond=None)
        rest = z - terms @ plane
        keep = np.abs(rest) < 4 * max(float(rest[keep].std()), 2e-4)
    residual = np.zeros(values.shape, np.float64)
    known = np.zeros(values.shape, np.float64)
    residual[v[keep], u[keep]] = rest[keep]
    known[v[keep], u[keep]] = 1
    return SurfaceFigures(
        invalid=1.0 - float(valid.sum()) / float(inside.sum()),
        residual_m=float(rest[keep].std()),
        correlation_px=_half_length(residual, known),
        distance_m=float(np.median(z)),
    )


def _half_length(residual: NDArray[np.float64], known: NDArray[np.float64]) -> float:
    """Distance at which the autocorrelation falls to one half, over known pixels alone."""
    shape = [2 * side for side in residual.shape]
    both = np.fft.rfft2(np.stack([residual, known]), shape)
    power = np.fft.irfft2(np.abs(both) ** 2, shape)
    mean = power[0] / np.maximum(power[1], 1)
    enough = power[1] > 0.15 * known.sum()
    rows = np.minimum(np.arange(shape[0]), shape[0] - np.arange(shape[0]))
    cols = np.minimum(np.arange(shape[1]), shape[1] - np.arange(shape[1]))
    far = np.round(np.hypot(rows[:, None], cols[None, :])).astype(int)
    longest = min(residual.shape) // 2
    previous = 1.0
    for lag in range(1, longest):
        ring = (far == lag) & enough
        if not ring.any():
            break
        value = float(mean[ring].mean() / mean[0, 0])
        if value < 0.5:
            return lag - 1 + (previous - 0.5) / (previous - value)
        previous = value
    return float(longest)


def measure_edge(depth: Field, top: NDArray[np.bool_]) -> EdgeFigures:
    """Measure around a raised flat top whose true outline (H, W) is known."""
    valid = ~np.isnan(depth)
    level = float(np.nanmedian(depth[top]))
    outside = cv2.distanceTransform((~top).astype(np.uint8), cv2.DIST_L2, 5)
    inside = cv2.distanceTransform(top.astype(np.uint8), cv2.DIST_L2, 5)
    back_values = depth[valid & (outside > 12) & (outside < _FARTHEST) & (depth > level + 0.02)]
    back = float(np.median(back_values)) if back_values.size else level + 0.1
    middle = (level + back) / 2
    v, u = np.nonzero(outside + inside > 0)
    centre = np.argwhere(top).mean(axis=0)
    sector = ((np.arctan2(v - centre[0], u - centre[1]) / (2 * np.pi) + 0.5) * _SECTORS).astype(int)
    halo, eaten = [], []
    far_out, far_in, seen = outside[v, u], inside[v, u], valid[v, u]
    behind = seen & (depth[v, u] > middle) & (far_out > 0)
    front = seen & (depth[v, u] < middle) & (far_in > 0)
    for number in range(_SECTORS):
        here = sector == number
        if (here & behind).any() and far_out[here & behind].min() < _FARTHEST:
            halo.append(float(far_out[here & behind].min()))
        if (here & front).any():
            eaten.append(float(far_in[here & front].min()))
    near = valid & (outside < 8) & (inside < 8)
    gap = 0.2 * (back - level)
    mixed = near & (depth > level + gap) & (depth < back - gap)
    low, mid, high = np.percentile(halo, (10, 50, 90)) if halo else (np.nan,) * 3
    return EdgeFigures(
        float(mid), float(low), float(high), float(np.median(eaten)) if eaten else np.nan,
        float(mixed.sum()) / max(1, int(near.sum())),
    )  # fmt: skip
