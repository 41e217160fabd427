"""The search for how a reference lies on an item: guesses of the turn, then robust steps.

The steps are Gauss-Newton ones (inverse compositional, Baker and Matthews 2004) in which a label, a
wrinkle or a damage that only one of the two has loses its vote.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.comparison.layers import Layers

Warp = NDArray[np.float64]  # (2, 3)
Votes = NDArray[np.float32]

COARSE, FINE = 20, 56  # cells along the longer side of the item
QUARTERS = tuple(np.deg2rad((0.0, 90.0, 180.0, 270.0)))
ROUND_TURNS = tuple(np.deg2rad(np.arange(0.0, 360.0, 22.5)))
LEANING = tuple(turn + lean for turn in QUARTERS for lean in np.deg2rad((-12.0, 0.0, 12.0)))
_TRIED = 2  # turns that are refined
_CLOSE = 0.05  # of the fit, within which a turn is refined further
_REACH = 0.25  # of the item: how far its middle may seem to have moved
_STEPS = (6, 4)  # of refinement: coarse, fine
_OUTLIER = 1.0  # residual from which a place loses its vote
_STIFFNESS = np.array([0.0, 0.0, 0.02, 10.0, 10.0, 10.0])  # against turn, stretches and shear
# What votes: red, green, blue, height, outline.
BY_OUTLINE = np.array([0.4, 0.4, 0.4, 0.4, 3.0], np.float32)  # each copy has labels of its own
BY_PRINT = np.array([1.0, 1.0, 1.0, 0.3, 0.5], np.float32)  # measured outlines are ragged


class Level:
    """The item at one resolution: features and how they change when it moves."""

    def __init__(self, item: Layers, votes: Votes) -> None:
        self.layers = item
        self._squares = np.square(votes)
        across = cv2.Sobel(item.features, cv2.CV_32F, 1, 0, scale=0.125 / item.cell_m[0])
        down = cv2.Sobel(item.features, cv2.CV_32F, 0, 1, scale=0.125 / item.cell_m[1])
        x, y = item.metres()
        size = item.size_m  # parameters are all metres at the border of the item
        x, y = x[None, :, None] / size, y[:, None, None] / size
        terms = (across, down, x * down - y * across, x * across, y * down, x * down + y * across)
        jacobian = np.stack(terms, axis=-1).astype(np.float32).reshape(-1, len(votes), 6)
        voted = jacobian * self._squares[:, None]
        self._jacobian = voted.reshape(-1, 6)
        self._normals = (voted.transpose(0, 2, 1) @ jacobian).reshape(-1, 36)  # of each cell
        self._size = size

    def refined(self, warp: Warp, other: Layers, steps: int) -> Warp:
        """Move a warp (metres to metres) to where the reference fits best."""
        item = self.layers
        share = self._squares / np.float32(len(self._squares) * _OUTLIER**2)
        for _ in range(steps):
            moved, weight = other.on(item, warp)
            residual = moved - item.features
            off = np.square(residual) @ share
            vote = item.weight * weight / np.square(1.0 + off)
            normal = (vote.reshape(-1) @ self._normals).reshape(6, 6).astype(np.float64)
            pull = (residual * vote[..., None]).reshape(-1) @ self._jacobian
            stiff = _STIFFNESS * (normal[0, 0] + normal[1, 1]) / 2
            stiff = stiff + 1e-6 * (np.trace(normal) + 1e-9)
            step = np.linalg.solve(normal + np.diag(stiff), pull.astype(np.float64))
            warp = _composed(warp, step, self._size)
            if np.abs(step).max() < 1e-4:
                break
        return warp


def best(levels: list[Level], theirs: list[Layers], guesses: list[Warp]) -> Fit:
    """Refine guesses level by level and drop what falls behind."""
    found: list[Fit] = []
    for level, other, steps in zip(levels, theirs, _STEPS[-len(levels) :], strict=True):
        warps = [level.refined(warp, other, steps) for warp in guesses]
        found = [_fit(level.layers, other, warp) for warp in warps]
        enough = max(fit.value() for fit in found) - _CLOSE
        guesses = [fit.warp for fit in found if fit.value() >= enough]
    return max(found, key=Fit.value)


@dataclass(frozen=True, eq=False)
class Fit:
    """A warp (metres to metres), how prints correlate under it and how outlines overlap."""

    warp: Warp
    print: float
    overlap: float

    def value(self) -> float:
        """Give one number, up to 1; a half is a plain item with the right outline."""
        return 0.5 * (max(self.print, 0.0) + self.overlap)


def _fit(item: Layers, other: Layers, warp: Warp) -> Fit:
    moved, weight = other.on(item, warp)
    weight = item.weight * weight
    mine, theirs = (features[..., 4] > 0.0 for features in (item.features, moved))
    both = weight * (mine & theirs)
    either = float(np.sum(weight * (mine | theirs)))
    prints = item.features[..., :3], moved[..., :3]
    one, two, shared = (
        float(np.einsum('ijk,ijk,ij', prints[a], prints[b], both))
        for a, b in ((0, 0), (1, 1), (0, 1))
    )
    energy = np.sqrt(one * two)
    return Fit(
        warp,
        shared / energy if energy > 0.0 else 0.0,
        float(np.sum(both)) / either if either > 0.0 else 0.0,
    )


def guesses(item: Layers, other: Layers, turns: tuple[float, ...], votes: Votes) -> list[Warp]:
    """Give the likeliest turns with the shift that fits them best."""
    reach = int(np.ceil(_REACH * COARSE))
    weighted = item.features * item.weight[..., None] * votes
    padded = cv2.copyMakeBorder(weighted, reach, reach, reach, reach, cv2.BORDER_CONSTANT)
    found = []
    for turn in turns:
        warp = _turned(item, other, turn)
        moved, weight = other.on(item, warp)
        scores = cv2.matchTemplate(padded, moved * weight[..., None] * votes, cv2.TM_CCORR)
        _, _, _, (column, row) = cv2.minMaxLoc(scores)
        warp[:, 2] -= warp[:, :2] @ ((np.array([column, row]) - reach) * item.cell_m)
        found.append(_fit(item, other, warp))
    found.sort(key=Fit.value, reverse=True)
    return [fit.warp for fit in found[:_TRIED]]


def _turned(item: Layers, other: Layers, turn: float) -> Warp:
    """Turn about the middles of the two outlines, metres of the item to the reference's."""
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    shift = other.middle_m - rotation @ item.middle_m
    return np.column_stack([rotation, shift])


def _composed(warp: Warp, step: NDArray[np.float64], size: float) -> Warp:
    """Give the warp after the inverse of a small step."""
    shift_x, shift_y, turn, stretch_x, stretch_y, shear = step
    change = np.array([
        [1.0 + stretch_x / size, (shear - turn) / size, shift_x],
        [(shear + turn) / size, 1.0 + stretch_y / size, shift_y],
        [0.0, 0.0, 1.0],
    ])  # fmt: skip
    return np.asarray((np.vstack([warp, [0.0, 0.0, 1.0]]) @ np.linalg.inv(change))[:2])
