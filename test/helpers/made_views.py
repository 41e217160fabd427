"""Views made from nothing: boxes and soft packs with the noise of the sensor profile.

`python test/helpers/made_views.py` fits the logistic of GeometrySettings on them and prints it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from damage_perception.perception.sensor.sensor import SensorProfile  # noqa: E402
from damage_perception.perception.view.item_view import ItemView  # noqa: E402

FX = 640.0


def noise(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> NDArray[np.float32]:
    """Make correlated noise of unit deviation: white noise blurred by sigma pixels."""
    field = cv2.GaussianBlur(rng.standard_normal(shape, np.float32), (0, 0), max(sigma, 0.3))
    return np.asarray(field / max(float(field.std()), 1e-9), np.float32)


def grid(
    shape: tuple[int, int], resolution_m: float = 0.0015
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give view coordinates x, y of each pixel, metres."""
    y, x = np.indices(shape)
    return (x - (shape[1] - 1) / 2) * resolution_m, (y - (shape[0] - 1) / 2) * resolution_m


def made_view(
    rng: np.random.Generator,
    size_m: tuple[float, float] = (0.3, 0.24),
    range_m: float = 1.1,
    frames: int = 1,
    wrinkle_m: float = 0.0,
    bulge_m: float = 0.0,
    tilt: float = 0.0,
    drop_outs: float = 0.03,
) -> ItemView:
    """Make a sound face: size, range, fused frames, wrinkles and bulge (metres), tilt (slope)."""
    resolution, margin = 0.0015, 0.03
    shape = tuple(round((side + 2 * margin) / resolution) for side in reversed(size_m))
    x, y = grid(shape)  # type: ignore[arg-type]
    item = (np.abs(x) < size_m[0] / 2) & (np.abs(y) < size_m[1] / 2)
    profile = SensorProfile()
    std = profile.std_m(range_m) / np.sqrt(frames)
    half = profile.correlation_m(range_m, FX)
    height = std * noise(rng, shape, half / 1.665 / resolution)  # type: ignore[arg-type]
    height += bulge_m * (1 - (2 * x / size_m[0]) ** 2) * (1 - (2 * y / size_m[1]) ** 2) + tilt * x
    if wrinkle_m:
        folds = np.abs(noise(rng, shape, 14.0))  # type: ignore[arg-type]
        height += wrinkle_m * (1.0 - folds)
        edge = np.minimum(size_m[0] / 2 - np.abs(x), size_m[1] / 2 - np.abs(y))
        height -= 6 * wrinkle_m * np.exp(-np.maximum(edge, 0) / 0.012)
    height[~item] = -0.1
    lost = (
        noise(rng, shape, 5.0)
        > np.quantile(  # type: ignore[arg-type]
            noise(rng, shape, 5.0), 1 - drop_outs
        )
        if drop_outs
        else np.zeros(shape, bool)
    )  # type: ignore[arg-type]
    height[lost] = np.nan
    rgb = np.full((*shape, 3), (170, 130, 90), np.uint8)
    rgb[~item] = (20, 60, 40)
    rgb = np.clip(rgb + rng.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8)
    return ItemView(
        rgb,
        height.astype(np.float32),
        np.where(np.isnan(height), np.nan, std).astype(np.float32),
        item,
        np.ones(shape, bool),
        resolution,
        np.eye(4),
        float(frames),
        half,
    )


def random_view(rng: np.random.Generator) -> ItemView:
    """Make a sound item of any size, range, bulge; every third one a soft pack."""
    size = (float(rng.uniform(0.1, 0.35)), float(rng.uniform(0.08, 0.28)))
    soft = rng.random() < 1 / 3
    return made_view(
        rng,
        size,
        float(rng.uniform(0.8, 1.4)),
        int(rng.integers(1, 11)),
        wrinkle_m=float(rng.uniform(0.002, 0.005)) if soft else 0.0,
        bulge_m=float(rng.uniform(0.0, 0.03 if soft else 0.004)),
        tilt=float(rng.normal(0, 0.01)),
        drop_outs=float(rng.uniform(0.0, 0.1)),
    )


def fit(items: int = 2500, prior: float = 0.001, seed: int = 0) -> tuple[float, float]:
    """Fit P(damaged) = 1 / (1 + exp(k (h - score))) and return (h, k), by Newton's method."""
    from real_dents import damaged, random_dent

    from damage_perception.perception.geometry.geometry import find_damage

    rng = np.random.default_rng(seed)
    sound, bad = [], []
    for _ in range(items):
        view = random_view(rng)
        sound.append(find_damage(view).score)
        dent = random_dent(view, rng, float(rng.uniform(0.006, 0.04)))
        bad.append(find_damage(damaged(view, dent)).score)
    score = np.array(sound + bad)
    truth = np.repeat([0.0, 1.0], items)
    weight = np.where(truth > 0, prior, 1 - prior)
    known = np.isfinite(score)
    score, truth, weight = score[known], truth[known], weight[known]
    print('sound quantiles 50 90 99 100 %:', np.quantile(sound, [0.5, 0.9, 0.99, 1]).round(2))
    print('dents quantiles 0 10 25 50 %:', np.quantile(bad, [0, 0.1, 0.25, 0.5]).round(2))
    design = np.stack([np.ones_like(score), np.minimum(score, 15.0)], axis=1)
    terms = np.array([-5.0, 1.0])
    for _ in range(50):
        p = 1 / (1 + np.exp(-design @ terms))
        gradient = design.T @ (weight * (truth - p)) - 1e-6 * terms
        hessian = (design * (weight * p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        terms = terms + np.clip(np.linalg.solve(hessian, gradient), -1, 1)
    return float(-terms[0] / terms[1]), float(terms[1])


if __name__ == '__main__':
    half, steep = fit()
    print(f'half_significance {half:.2f}, steepness {steep:.2f}')
