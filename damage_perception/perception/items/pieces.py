"""Join the basins of a crease image into items, weakest border first."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items.creases import OVEREXPOSED

# How deep a border must be, as a multiple of the crease, by the notch that two pieces leave in
# their common hull. Set on real heaps, perturbed, so that dents put into sound parcels split none.
_ALONG = 0.35  # share of a border that may be shallower
_FLUSH = 0.02  # a notch that is none: the outline is that of one item,
_WHOLE = 1.8  # so much more is needed
_LEAST = 0.8  # of the crease, whatever the notch: noise reaches 0.7
_SLOPE = 3.0  # less of the crease for each share of notch
_FRAGMENT = 1.3  # more is needed to cut a small piece off a large one

Borders = dict[tuple[int, int], NDArray[np.float32]]


def borders(labels: NDArray[np.int32], relief: NDArray[np.float32]) -> Borders:
    """Give the relief along each border between two basins, by (smaller label, larger label)."""
    count = int(labels.max()) + 1
    keys, values = [], []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        one, other = labels[a], labels[b]
        meet = (one != other) & (one > 0) & (other > 0)
        low, high = np.minimum(one[meet], other[meet]), np.maximum(one[meet], other[meet])
        keys.append(low.astype(np.int64) * count + high)
        values.append(np.maximum(relief[a], relief[b])[meet])
    return by_pair(np.concatenate(keys), np.concatenate(values), count)


def by_pair(key: NDArray[np.int64], values: NDArray[np.float32], count: int) -> Borders:
    """Give the values (N, ...) of the pixels of each border by its pair of labels.

    The key (N,) of a pixel is smaller label * count + larger label.
    """
    if not len(key):
        return {}
    order = np.argsort(key, kind='stable')
    flat, starts = np.unique(key[order], return_index=True)
    parts = np.split(values[order], starts[1:])
    return {(int(k // count), int(k % count)): part for k, part in zip(flat, parts, strict=True)}


def join_borders(borders: Borders, pair: tuple[int, int]) -> None:
    """Give the borders of the second label of a pair to the first; theirs is none any more."""
    keep, gone = pair
    del borders[pair]
    for old in [p for p in borders if gone in p]:
        border = borders.pop(old)
        other = old[0] + old[1] - gone
        new = (min(keep, other), max(keep, other))
        borders[new] = np.concatenate([borders.get(new, border[:0]), border])


class Pieces:
    """Basins that are joined step by step, weakest border first, until only true ones are left.

    Each piece keeps the area, the hull, the mean hue and the strongest joined border inside it.
    """

    def __init__(
        self,
        labels: NDArray[np.int32],
        relief: NDArray[np.float32],
        lab: NDArray[np.uint8],
        crease_m: float,
        least_area: float,
    ) -> None:
        self.labels = labels
        self.crease_m = crease_m
        self.least_area = least_area
        self.borders = borders(labels, relief)
        flat = labels.ravel()
        area = np.bincount(flat)
        self.area = dict(enumerate(area.tolist()))
        self.hue = _mean_hue(flat, lab)
        self.hull = {
            label: _hull(labels[box] == label, (box[1].start, box[0].start))
            for label, box in enumerate(find_objects(labels), start=1)
            if box is not None
        }
        self.doubts = dict.fromkeys(self.hull, 0.0)
        self.parent = np.arange(len(self.area))

    def join_weak(
        self,
    ) -> tuple[NDArray[np.int32], dict[int, float], dict[tuple[int, int], float]]:
        """Join until every border is a true one.

        Returns:
            The labels of the pieces; of each piece how strong the strongest border was that was
            joined inside it (1 = it was nearly kept); and of each border left how strong it is.
        """
        strength = {pair: self.strength(pair) for pair in self.borders}
        while strength:
            pair = min(strength, key=lambda p: (strength[p], p))
            if strength[pair] >= 1.0:
                break
            self._join(pair, strength[pair])
            strength = {
                p: strength[p] if p in strength and pair[0] not in p else self.strength(p)
                for p in self.borders
            }
        return self.parent[self.labels].astype(np.int32), self.doubts, strength

    def strength(self, pair: tuple[int, int]) -> float:
        """Tell how much speaks for a true border: 1 and more means that it is one.

        Two convex items side by side are seldom convex together, while a dent in one item leaves
        its outline whole: a crease counts for more where the outline has a notch, and where the
        hue changes.
        """
        # Not the mean: where three items meet, a border runs along the crease of the other two,
        # and a dent is deep in its middle only.
        depth = float(np.quantile(self.borders[pair], _ALONG)) / self.crease_m
        small, large = sorted(self.area[label] for label in pair)
        if small < self.least_area:
            return 0.01 * depth
        notch = self._notch(pair)
        needed = max(_LEAST, 1.0 - _SLOPE * notch)
        if notch < _FLUSH:
            needed *= _WHOLE
        if small < (0.25 if notch < 1.5 * _FLUSH else 0.1) * large:
            needed *= _FRAGMENT
        change = float(np.linalg.norm(self.hue[pair[0]] - self.hue[pair[1]]))
        needed *= 1.0 - 0.45 * float(np.clip((change - 10.0) / 10.0, 0.0, 1.0))
        return depth / needed

    def _notch(self, pair: tuple[int, int]) -> float:
        """Give the share of the hull of both that the hull of neither covers."""
        one, other = (self.hull[label] for label in pair)
        both = cv2.contourArea(cv2.convexHull(np.concatenate([one, other])))
        common, _ = cv2.intersectConvexConvex(one, other)
        apart = cv2.contourArea(one) + cv2.contourArea(other) - common
        return float(1.0 - apart / max(both, 1.0))

    def _join(self, pair: tuple[int, int], strength: float) -> None:
        keep, gone = pair
        large, small = self.area[keep], self.area.pop(gone)
        self.area[keep] = large + small
        self.hue[keep] = (large * self.hue[keep] + small * self.hue[gone]) / (large + small)
        self.hull[keep] = cv2.convexHull(np.concatenate([self.hull[keep], self.hull.pop(gone)]))
        self.doubts[keep] = max(self.doubts[keep], self.doubts.pop(gone), strength)
        self.parent[self.parent == gone] = keep
        join_borders(self.borders, pair)


def _mean_hue(flat: NDArray[np.int32], lab: NDArray[np.uint8]) -> dict[int, NDArray[np.float64]]:
    """Give the mean a and b of each label; overexposed pixels have lost their hue."""
    weight = np.where(lab[..., 0].ravel() < OVEREXPOSED, 1.0, 1e-3)
    total = np.bincount(flat, weight) + 1e-9
    means = [np.bincount(flat, weight * lab[..., c].ravel()) / total for c in (1, 2)]
    return dict(enumerate(np.stack(means, axis=1)))


def _hull(mask: NDArray[np.bool_], corner: tuple[int, int]) -> NDArray[np.int32]:
    outlines, _ = cv2.findContours(
        mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner
    )
    hull: NDArray[np.int32] = cv2.convexHull(np.concatenate(outlines))
    return hull
