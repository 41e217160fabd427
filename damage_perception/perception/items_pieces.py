"""Join the basins of a crease image into items, weakest border first, until only true ones are left."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

@dataclass
class Border:
    """Where two basins meet: length in pixels and the sum of the relief over them."""

    length: float
    total: float

    @property
    def mean(self) -> float:
        """Mean relief along the border."""
        return self.total / self.length


Borders = dict[tuple[int, int], Border]


def borders(labels: NDArray[np.int32], relief: NDArray[np.float32]) -> Borders:
    """Measure all borders between basins; keys are pairs (smaller label, larger label)."""
    count = int(labels.max()) + 1
    keys, values = [], []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = labels[a], labels[b]
        meet = (one != other) & (one > 0) & (other > 0)
        low, high = np.minimum(one[meet], other[meet]), np.maximum(one[meet], other[meet])
        keys.append(low.astype(np.int64) * count + high)
        values.append(np.maximum(relief[a], relief[b])[meet])
    flat, inverse = np.unique(np.concatenate(keys), return_inverse=True)
    length = np.bincount(inverse, minlength=len(flat))
    total = np.bincount(inverse, np.concatenate(values), minlength=len(flat))
    return {
        (int(key // count), int(key % count)): Border(float(n), float(t))
        for key, n, t in zip(flat, length, total)
    }


class Pieces:
    """Basins that are joined step by step; each keeps the hull and the area of its pixels."""

    def __init__(self, labels: NDArray[np.int32], relief: NDArray[np.float32]) -> None:
        self.borders = borders(labels, relief)
        self.area = dict(enumerate(np.bincount(labels.ravel()).tolist()))
        self.hull = {label: _hull(labels, label) for label in self.area if label}
        self.parent = np.arange(len(self.area))

    def solidity(self, one: int, other: int) -> float:
        """Give the share of the hull of two pieces together that they fill."""
        hull = cv2.convexHull(np.concatenate([self.hull[one], self.hull[other]]))
        whole = cv2.contourArea(hull) + 0.5 * cv2.arcLength(hull, True) + 1.0  # whole pixels
        return float((self.area[one] + self.area[other]) / whole)

    def join(self, keep: int, gone: int) -> None:
        """Make two pieces one."""
        self.area[keep] += self.area.pop(gone)
        self.hull[keep] = cv2.convexHull(np.concatenate([self.hull[keep], self.hull.pop(gone)]))
        self.parent[self.parent == gone] = keep
        self.borders.pop((min(keep, gone), max(keep, gone)))
        for pair in [pair for pair in self.borders if gone in pair]:
            border = self.borders.pop(pair)
            other = pair[0] + pair[1] - gone
            new = (min(keep, other), max(keep, other))
            old = self.borders.get(new, Border(0.0, 0.0))
            self.borders[new] = Border(old.length + border.length, old.total + border.total)

    def doubt(self, pair: tuple[int, int], crease_m: float, least_area: float) -> float:
        """Tell how much speaks for a true border: 1 and more means that it is one.

        Two convex items side by side are seldom convex together; a dent in one item leaves its
        outline whole. So a crease counts for more where the outline has a notch.
        """
        small, large = sorted((self.area[label] for label in pair))
        if small < least_area:
            return 0.0
        notch = float(np.clip((0.97 - self.solidity(*pair)) / 0.10, 0.0, 1.0))
        needed = 1.5 - 0.7 * notch
        if notch < 0.3 and small < 0.25 * large:
            needed *= 1.7
        return self.borders[pair].mean / (crease_m * needed)


def _hull(labels: NDArray[np.int32], label: int) -> NDArray[np.int32]:
    v, u = np.nonzero(labels == label)
    return cv2.convexHull(np.stack([u, v], axis=1).astype(np.int32))


def join_weak(
    labels: NDArray[np.int32], relief: NDArray[np.float32], crease_m: float, least_area: float
) -> tuple[NDArray[np.int32], dict[int, float]]:
    """Join basins, weakest border first, until every border is a true one.

    Returns:
        The labels of the pieces, and of each piece the strongest border that was joined inside
        it (1 = it was nearly kept).
    """
    pieces = Pieces(labels, relief)
    inner = dict.fromkeys(pieces.hull, 0.0)
    weight = {p: pieces.doubt(p, crease_m, least_area) for p in pieces.borders}
    while weight:
        pair = min(weight, key=lambda p: (weight[p], p))
        if weight[pair] >= 1.0:
            break
        keep, gone = pair
        inner[keep] = max(inner[keep], inner.pop(gone), weight[pair])
        pieces.join(keep, gone)
        weight = {
            p: weight[p] if p in weight and keep not in p
            else pieces.doubt(p, crease_m, least_area)
            for p in pieces.borders
        }
    return pieces.parent[labels].astype(np.int32), inner
