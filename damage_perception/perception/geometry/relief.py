"""Matched filters over the relief of a face: how sure is it that something is pushed in?"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.geometry.surface import Relief
from damage_perception.perception.view.outline import slope
from damage_perception.quantiles import median, quantiles

Map = NDArray[np.float32]

_SIGMAS_M = (0.004, 0.007, 0.012)  # a dent of 10 to 60 mm is about 4 sigma wide
_AROUND = 2.5  # the surroundings that a dent is compared with, as a multiple of its sigma
_AROUND_WEIGHT = 0.8
_LONE_SIGMAS_M = (0.008, 0.018)  # crushed edges and wide dents leave no surroundings
_LONE_TRUST = 0.8  # noise wider than the dent counts fully there
_BASIN_SIGMA_M = 0.007
_BASIN_SPANS_M = (0.04, 0.07)
_TOLERANCE_M = 0.0012  # relief that sound cardboard has and no average removes
_STEP_TOLERANCE_M = 0.004  # labels, tape and closed flaps stand out that much on sound items
_PRIOR_SAMPLES = 15.0  # independent samples that the sensor's own noise is worth
_RIM_M = 0.008  # over this distance edges are rounded, by the sensor too
_RIM_DROOP_M = 0.008
_FEWEST_MEASURED = 0.35  # share of a filter's support; below it nothing is claimed


def smoothed(relief: Relief, values: Map, sigma_m: float) -> tuple[Map, Map]:
    """Give the Gaussian mean over measured cells only, and the share of measured cells."""
    sigma = sigma_m / relief.cell_m
    share = cv2.GaussianBlur(relief.weight, (0, 0), sigma)
    mean = cv2.GaussianBlur(values * relief.weight, (0, 0), sigma) / np.maximum(share, 1e-3)
    return np.asarray(mean, np.float32), np.asarray(share, np.float32)


def edge_distance(relief: Relief) -> Map:
    """Give the distance of each cell to the outline of the item, metres."""
    inside = np.pad((relief.item > 0.99).astype(np.uint8), 1)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.asarray(distance * np.float32(relief.cell_m), np.float32)


def rigidity(relief: Relief, edge_m: Map) -> float:
    """Tell boards (1) from soft packs (0): these bulge, wrinkle and droop around their outline.

    Dents must not turn a box into a soft pack, so wrinkles are judged by what stands out, and
    drooping counts from half of the outline on; a crushed edge or corner is less than that.
    """
    mean, share = smoothed(relief, relief.residual_m, 0.006)
    above = mean[(relief.weight > 0) & (mean > 0)]
    wrinkle = quantiles(above, (0.7,))[0] if above.size else 0.0
    allowed = 1.0 * np.hypot(relief.std_m, 1.2e-3)
    rim = (edge_m > 0.006) & (edge_m < 0.018) & (share > _FEWEST_MEASURED)
    softness = max(wrinkle / allowed, relief.bulge_m / 3.3e-3, _drooping(mean, rim) / 3.6)
    return float(1.0 / (1.0 + softness**8))


def _drooping(mean: Map, rim: NDArray[np.bool_]) -> int:
    """Count the eighths of the outline that droop."""
    rows, cols = np.nonzero(rim)
    if rows.size < 16:
        return 0
    y = (rows - rows.mean()) / max(np.ptp(rows), 1)
    x = (cols - cols.mean()) / max(np.ptp(cols), 1)
    eighth = ((np.arctan2(y, x) + np.pi) * (4.0 / np.pi)).astype(np.intp) % 8
    total = np.bincount(eighth, minlength=8)
    low = np.bincount(eighth, mean[rim] < -0.005, minlength=8)
    return int(np.count_nonzero(low > 0.12 * np.maximum(total, 1)))


def dent_significance(relief: Relief, rigid: float, edge_m: Map) -> Map:
    """Give, per cell, by how many deviations a board lies too deep, largest over the sizes.

    A cell's Gaussian mean is compared with that of its surroundings: sensor noise is smooth, so
    a plain mean would gather mostly the noise that is wider than the dent.
    """
    inside = edge_m > 1.5 * relief.cell_m
    own = 6.0 * (1.0 - rigid) * relief.scale_m
    droop = (_RIM_DROOP_M + own) * np.exp(-edge_m / _RIM_M)
    best = np.zeros(relief.residual_m.shape, np.float32)
    filters = [(sigma_m, _AROUND_WEIGHT, 1.0) for sigma_m in _SIGMAS_M]
    filters += [(sigma_m, 0.0, _LONE_TRUST) for sigma_m in _LONE_SIGMAS_M]
    for sigma_m, weight, trust in filters:
        mean, share = smoothed(relief, relief.residual_m, sigma_m)
        if weight:
            mean = mean - weight * smoothed(relief, relief.residual_m, _AROUND * sigma_m)[0]
        judged = (share > _FEWEST_MEASURED) & inside
        noise = _noise(relief, mean, judged, sigma_m, weight)
        variance = noise**2 / np.maximum(share, _FEWEST_MEASURED) + _TOLERANCE_M**2 + droop**2
        best = np.maximum(best, np.where(judged, -trust * mean / np.sqrt(variance), 0.0))
    return np.asarray(best * np.float32(rigid), np.float32)


def basin_significance(relief: Relief, rigid: float) -> Map:
    """Give by how many deviations a cell lies in a basin that is closed all round.

    A morphological closing along four directions fills valleys across; its smallest filling is
    left only where every way out leads up. Bulges, drooping rims and folds of soft packs drain
    at some end, so they fill nowhere: this is what speaks on soft packs.
    """
    height = relief.surface_m + relief.residual_m
    mean, share = smoothed(relief, height, _BASIN_SIGMA_M)
    inside = relief.item > 0.5
    low = float(mean[inside].min()) - 1.0
    top = np.where(inside, np.where(share > 0.3, mean, relief.surface_m), low).astype(np.float32)
    depth = np.zeros_like(top)
    for span_m in _BASIN_SPANS_M:
        depth = np.maximum(depth, _filling(top, max(3, round(span_m / relief.cell_m)), low))
    own = (1.0 - rigid) * 1.2 * relief.scale_m
    noise = np.sqrt(_expected(relief, _BASIN_SIGMA_M) ** 2 + _TOLERANCE_M**2 + own**2)
    return np.where(inside & (share > 0.7), depth / np.float32(noise), 0.0).astype(np.float32)


def lift_significance(relief: Relief, rigid: float, edge_m: Map) -> Map:
    """Give by how many deviations a cell of a board stands out behind a sharp step."""
    mean, share = smoothed(relief, relief.residual_m, 0.008)
    noise = np.hypot(_expected(relief, 0.008), _STEP_TOLERANCE_M)
    steep = slope(mean, relief.cell_m)
    reach = max(3, 2 * round(0.02 / relief.cell_m) + 1)
    steep = cv2.dilate(
        np.where(share > 0.5, steep, 0.0).astype(np.float32), np.ones((reach, reach), np.uint8)
    )
    judged = (edge_m > 0.008) & (share > 0.5) & (steep > 0.35)
    return np.where(judged, np.float32(rigid) * mean / np.float32(noise), 0.0).astype(np.float32)


def _filling(top: Map, span: int, low: float) -> Map:
    along = np.eye(span, dtype=np.uint8)
    lines = (
        np.ones((1, span), np.uint8),
        np.ones((span, 1), np.uint8),
        along,
        np.ascontiguousarray(along[::-1]),
    )
    padded = cv2.copyMakeBorder(top, span, span, span, span, cv2.BORDER_CONSTANT, value=low)
    fillings = [cv2.morphologyEx(padded, cv2.MORPH_CLOSE, line) - padded for line in lines]
    return np.asarray(np.min(fillings, axis=0)[span:-span, span:-span], np.float32)


def _expected(relief: Relief, sigma_m: float, weight: float = 0.0) -> float:
    """Give the deviation that sensor noise leaves in a mean, less `weight` of its surroundings.

    Noise with correlation exp(-r^2 / (4 c^2)) is white noise blurred by c, so the covariance of
    its Gaussian means of sigmas a and b at one place is c^2 / (c^2 + (a^2 + b^2) / 2).
    """
    c2 = max(relief.correlation_m, 0.3 * relief.cell_m) ** 2
    around = _AROUND * sigma_m
    one, both, wide = (
        c2 / (c2 + square) for square in (sigma_m**2, (sigma_m**2 + around**2) / 2.0, around**2)
    )
    return float(relief.std_m * np.sqrt(one - 2.0 * weight * both + weight**2 * wide))


def _noise(
    relief: Relief, mean: Map, judged: NDArray[np.bool_], sigma_m: float, weight: float
) -> float:
    """Blend the sensor's noise at this size with the face's own roughness at this size."""
    expected = _expected(relief, sigma_m, weight)
    values = mean[judged][::3]  # neighbours say the same
    if not values.size:
        return expected
    own = 1.4826 * median(np.abs(values - np.float32(median(values))))
    patch = 4.0 * np.pi * (relief.correlation_m**2 + sigma_m**2)
    samples = np.count_nonzero(judged) * relief.cell_m**2 / patch
    total = _PRIOR_SAMPLES * expected**2 + samples * own**2
    return float(np.sqrt(total / (_PRIOR_SAMPLES + samples)))
