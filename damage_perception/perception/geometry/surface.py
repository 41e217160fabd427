"""The item's own smooth surface: a plane with a gentle bulge, blind to damage."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.outline import own_face
from damage_perception.quantiles import median

CELL_M = 0.0045  # depth noise is correlated over more, so coarser cells lose nothing
_FEWEST_CELLS = 25
_FARTHEST_M = 10.0  # no relief of an item
_STD_FLOOR_M = 3e-4  # below this it is relief of paper, not noise, that limits
_BULGE_M = 0.005  # prior deviation of a sound carton's bulge at its edge, metres
_ITERATIONS = 6
_TUKEY = 3.5  # residuals beyond this many scales have no say


@dataclass(frozen=True, eq=False)
class Relief:
    """Deviation of a face from its own smooth surface, on a coarse grid. Arrays are (h, w).

    Attributes:
        residual_m: float32 metres, outwards positive, 0 where not measured.
        surface_m: float32 metres, the smooth surface.
        weight: float32 [0, 1], share of each cell that is item and was measured.
        item: float32 [0, 1], share of each cell that is seen and of the item's face.
        std_m: standard deviation of one pixel's height, metres.
        scale_m: robust deviation of the residuals, metres: noise and own roughness.
        bulge_m: deviation of the smooth surface from a plane, metres.
        cell_m: metres per cell.
        correlation_m: sigma of the noise's correlation exp(-r^2 / (4 sigma^2)), metres.
    """

    residual_m: NDArray[np.float32]
    surface_m: NDArray[np.float32]
    weight: NDArray[np.float32]
    item: NDArray[np.float32]
    std_m: float
    scale_m: float
    bulge_m: float
    cell_m: float
    correlation_m: float


def own_relief(view: ItemView) -> Relief | None:
    """Fit the smooth surface of a view's face; None if too little was measured to judge."""
    item = view.item_mask & view.seen
    valid = item & (np.abs(view.height_m) < _FARTHEST_M)  # False for NaN and infinity
    step = max(1, round(CELL_M / view.resolution_m))
    size = tuple(-(-length // step) for length in reversed(item.shape))
    weight = cv2.resize(valid.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    measured = np.where(valid, view.height_m, np.float32(0.0))
    height = cv2.resize(measured, size, interpolation=cv2.INTER_AREA)
    enough = weight > 0.5
    if np.count_nonzero(enough) < _FEWEST_CELLS:
        return None
    height = np.where(enough, height / np.maximum(weight, np.float32(1e-6)), np.float32(0.0))
    weight = np.where(enough, weight, np.float32(0.0))
    deviations = view.height_std_m[valid]
    deviations = deviations[np.isfinite(deviations)]
    std = max(
        float(np.sqrt(np.mean(np.square(deviations)))) if deviations.size else 0.0, _STD_FLOOR_M
    )
    surface, scale, bulge = _fit(height, weight, std)
    share = cv2.resize(item.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    residual = np.where(enough, height - surface, np.float32(0.0))
    cell_m = step * view.resolution_m
    face = own_face(share, residual, weight, cell_m)
    residual, weight, share = residual * face, weight * face, share * face
    # Half of the correlation is left at 1.665 sigma.
    sigma = view.noise_correlation_m / 1.665
    return Relief(residual, surface, weight, share, std, scale, bulge, cell_m, sigma)


def _fit(
    height: NDArray[np.float32], weight: NDArray[np.float32], std: float
) -> tuple[NDArray[np.float32], float, float]:
    """Fit plane and bulge by iteratively reweighted least squares (Tukey's biweight).

    Starts from least absolute deviations, which a dent in a third of the face cannot drag far.
    """
    rows, cols = np.nonzero(weight)
    x_mid, y_mid = (cols.min() + cols.max()) / 2, (rows.min() + rows.max()) / 2
    half = max(int(np.ptp(cols)), int(np.ptp(rows)), 2) / 2
    x, y = (cols - x_mid) / half, (rows - y_mid) / half
    thin = slice(None, None, 1 + len(x) // 600)
    design = _terms(x[thin], y[thin])
    values = height[rows, cols][thin].astype(np.float64)
    prior = np.diag([0.0, 0.0, 0.0] + [(std / _BULGE_M) ** 2 * 10.0] * 3)
    terms = np.zeros(6)
    trust = np.ones(len(values))
    scale = std
    for step in range(2 * _ITERATIONS):
        flat = step < _ITERATIONS  # the plane alone first: a bulge would follow the dent
        used = 3 if flat else 6
        weighted = design[:, :used] * trust[:, None]
        gram = weighted.T @ design[:, :used] + prior[:used, :used] + 1e-9 * np.eye(used)
        terms[:used] = np.linalg.solve(gram, weighted.T @ values)
        off = np.abs(values - design @ terms)
        scale = max(1.4826 * median(off), std)
        if flat:
            trust = 1.0 / np.maximum(off, 0.3 * scale) * scale
        else:
            trust = np.square(np.maximum(0.0, 1.0 - np.square(off / (_TUKEY * scale))))
    spread = 1.4826 * median(off)
    x, y = (
        (np.arange(n) - mid) / half
        for n, mid in zip(height.shape[::-1], (x_mid, y_mid), strict=True)
    )
    everywhere = _values(terms, x, y[:, None])
    curved = design[:, 3:] @ terms[3:]
    flat_part = design[:, :3] @ np.linalg.lstsq(design[:, :3], curved, rcond=None)[0]
    bulge = float(np.std(curved - flat_part))
    return everywhere.astype(np.float32), spread, bulge


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1)


def _values(
    terms: NDArray[np.float64], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    level, along, down, bend, twist, sag = terms
    return (level + y * (down + y * sag)) + x * (along + x * bend) + (twist * y) * x
