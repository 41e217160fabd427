"""Where a view is worth looking at: damage, prints and relief that could be mistaken for it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.training.training_view import TrainingView
from damage_perception.network.inputs import ITEM, RELIEF, RGB, SLOPE
from damage_perception.synthesis.noise import Rng

KINDS = ('damage', 'print', 'relief', 'outline', 'plain')
_EACH = 4


def find_anchors(view: TrainingView, rng: Rng) -> dict[str, list[list[int]]]:
    """Draw up to four places (row, column) of each kind; damage gives four of each damage."""
    item = view.channels[ITEM] > 0
    sound = item & (view.labels == 0)
    places = {kind: _draw(weight, _EACH, rng) for kind, weight in _weights(view, sound).items()}
    places['damage'] = [
        place
        for kind in np.unique(view.labels[view.labels > 0])
        for place in _draw((view.labels == kind).astype(np.float32), _EACH, rng)
    ]
    return places


def _weights(view: TrainingView, sound: NDArray[np.bool_]) -> dict[str, NDArray[np.float32]]:
    """Give how much each place looks like damage, by print and by relief."""
    grey = view.channels[RGB].mean(axis=0)
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F))
    relief = np.abs(view.channels[RELIEF]) + np.abs(view.channels[SLOPE])
    inside = sound.astype(np.uint8)
    outline = inside - cv2.erode(inside, np.ones((5, 5), np.uint8))
    maps = {'print': cv2.GaussianBlur(edges, (0, 0), 4.0) ** 2, 'relief': relief**3,
            'outline': outline.astype(np.float32), 'plain': np.ones_like(grey)}  # fmt: skip
    return {kind: np.asarray(weight * inside, np.float32) for kind, weight in maps.items()}


def _draw(weight: NDArray[np.float32], count: int, rng: Rng) -> list[list[int]]:
    total = np.cumsum(weight.ravel(), dtype=np.float64)
    if total[-1] <= 0.0:
        return []
    spots = np.searchsorted(total, rng.random(count) * total[-1])
    rows, columns = np.unravel_index(np.minimum(spots, weight.size - 1), weight.shape)
    return [[int(row), int(column)] for row, column in zip(rows, columns, strict=True)]
