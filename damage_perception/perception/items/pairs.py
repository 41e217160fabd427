"""What tells whether two pieces of a picture are parts of one item: numbers that trees ask for.

An opened box is two flaps with a hollow between them, a set of cans is many alike in a rectangle;
boxes that touch look much the same, so no single number tells.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items.foreground import Scene, fill_nearest
from damage_perception.perception.items.pieces import Borders, by_pair
from damage_perception.perception.items.plane_fit import plane_through

_REACH_M = 0.03  # pieces farther apart are no parts of one item
_SAMPLED = 6000  # pixels of a picture that tell what its pieces are like
_FEWEST = 12  # of them that a plane is fitted to
_BINS = 6  # of each of L, a, b
_HUES = (96.0, 160.0)  # of a and b (8 bit) that the bins span

Floats = NDArray[np.float32]
Pair = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Piece:
    """One piece of a picture, or several that were joined.

    Attributes:
        area: pixels.
        hull: (N, 1, 2) int32, its convex hull, u and v.
        points: (N, 6) float32, some of its pixels: u, v, metres above the support (NaN = no
            depth), L, a, b.
    """

    area: int
    hull: NDArray[np.int32]
    points: Floats

    def with_piece(self, other: Piece) -> Piece:
        """Give both as one."""
        hull = cv2.convexHull(np.concatenate([self.hull, other.hull]))
        points = np.concatenate([self.points, other.points])
        return Piece(self.area + other.area, hull.astype(np.int32), points)

    @cached_property
    def sides(self) -> tuple[float, float]:
        """Length and width of its smallest rectangle, pixels."""
        a, b = cv2.minAreaRect(self.hull)[1]
        return max(a, b) + 1.0, min(a, b) + 1.0

    @property
    def fill(self) -> float:
        """Share of its smallest rectangle that it fills."""
        return self.area / (self.sides[0] * self.sides[1])

    @cached_property
    def solid(self) -> float:
        """Share of its hull that it fills."""
        return self.area / max(1.0, cv2.contourArea(self.hull) + 0.5 * len(self.hull))

    @cached_property
    def measured(self) -> Floats:
        """Those of its points that have depth."""
        return self.points[~np.isnan(self.points[:, 2])]

    @cached_property
    def levels(self) -> Floats:
        """Tenth, half and nine tenths of its points are lower, metres; NaN without depth."""
        if not len(self.measured):
            return np.full(3, np.nan, np.float32)
        return np.quantile(self.measured[:, 2], (0.1, 0.5, 0.9)).astype(np.float32)

    @cached_property
    def plane(self) -> tuple[NDArray[np.floating], float] | None:
        """The plane of least absolute deviations, and their median, metres; None if unknown."""
        if len(self.measured) < _FEWEST:
            return None
        u, v, height_m = self.measured[:, :3].astype(float).T
        return plane_through(u, v, height_m, rounds=4)

    @cached_property
    def colour(self) -> tuple[Floats, Floats]:
        """Mean and deviation of L, a, b."""
        return self.points[:, 3:].mean(axis=0), self.points[:, 3:].std(axis=0)

    @cached_property
    def histogram(self) -> Floats:
        """Shares of its colours."""
        low, high = _HUES
        cells = (self.points[:, 3:] - (0.0, low, low)) / (256.0, high - low, high - low) * _BINS
        cells = np.clip(cells.astype(np.int32), 0, _BINS - 1)
        flat = (cells[:, 0] * _BINS + cells[:, 1]) * _BINS + cells[:, 2]
        counts = np.bincount(flat, minlength=_BINS**3).astype(np.float32)
        return np.asarray(counts / max(1.0, float(counts.sum())))


def pieces_of(scene: Scene, labels: NDArray[np.int32]) -> dict[int, Piece]:
    """Give the pieces of a picture by their labels (H, W) int32, 0 = support."""
    pieces = {}
    step = 1 + int(math.sqrt(np.count_nonzero(labels) / _SAMPLED))
    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        mask = labels[box] == label
        corner = (box[1].start, box[0].start)
        outlines, _ = cv2.findContours(
            mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner
        )
        v, u = np.nonzero(mask[::step, ::step])
        if not len(v):
            v, u = (where[:1] // step for where in np.nonzero(mask))
        v, u = step * v + corner[1], step * u + corner[0]
        points = np.column_stack([u, v, scene.smooth_m[v, u], scene.lab[v, u]])
        hull = cv2.convexHull(np.concatenate(outlines)).astype(np.int32)
        pieces[label] = Piece(int(np.count_nonzero(mask)), hull, points.astype(np.float32))
    return pieces


def borders_of(scene: Scene, labels: NDArray[np.int32]) -> Borders:
    """Give what lies along the border of each two pieces that are near each other.

    Returns:
        By (smaller label, larger label): (N, 6) float32, a row a pixel: gap in metres, relief in
        metres, change of hue, whether it is a dark line, metres above the support, how much its
        colour is that of items.
    """
    if np.count_nonzero(np.bincount(labels.ravel())[1:]) < 2:
        return {}
    inside = labels > 0
    gap = cv2.distanceTransform((~inside).view(np.uint8), cv2.DIST_L2, 3) * (2.0 * scene.pixel_m)
    near = fill_nearest(labels.astype(np.float32), inside).astype(np.int64)
    count = int(labels.max()) + 1
    keys, rows, columns = [], [], []
    for a, b in ((np.s_[:, :-1], np.s_[:, 1:]), (np.s_[:-1], np.s_[1:])):
        v, u = np.nonzero((near[a] != near[b]) & (gap[a] < _REACH_M))
        one, other = near[a][v, u], near[b][v, u]
        keys.append(np.minimum(one, other) * count + np.maximum(one, other))
        rows.append(v)
        columns.append(u)
    key, v, u = (np.concatenate(parts) for parts in (keys, rows, columns))
    coarse = scene.relief.shape
    at = v * coarse[0] // labels.shape[0], u * coarse[1] // labels.shape[1]
    values = np.column_stack([
        gap[v, u], scene.relief[at], scene.hue_change[at],
        scene.dark[v, u], scene.smooth_m[v, u], scene.probability[v, u],
    ]).astype(np.float32)  # fmt: skip
    return by_pair(key, values, count)


def pair_features(
    one: Piece, other: Piece, border: Floats, around: Sequence[Piece], pixel_m: float
) -> dict[str, float]:
    """Tell what speaks for and against two pieces being parts of one item.

    Args:
        one: a piece.
        other: one near it.
        border: (N, 6) what lies between them, see `borders_of`.
        around: all pieces that hang together with them, they too.
        pixel_m: metres that a pixel spans.
    """
    small, large = sorted((one, other), key=lambda piece: piece.area)
    both = small.with_piece(large)
    features = {
        **{f'small_{name}': value for name, value in _of_piece(small, pixel_m).items()},
        **{f'large_{name}': value for name, value in _of_piece(large, pixel_m).items()},
        **{f'both_{name}': value for name, value in _of_piece(both, pixel_m).items()},
        **_of_border(border, small, large, pixel_m),
        **_of_likeness(small, large),
        **_of_group(both, around, pixel_m),
    }
    features['fill_gain'] = both.fill - max(small.fill, large.fill)
    features['solid_gain'] = both.solid - max(small.solid, large.solid)
    return features


def _of_piece(piece: Piece, pixel_m: float) -> dict[str, float]:
    length, width = (pixel_m * side for side in piece.sides)
    low, middle, high = (float(level) for level in piece.levels)
    return {
        'length': length, 'width': width, 'fill': piece.fill, 'solid': piece.solid,
        'height': middle, 'span': high - low,
        'known': len(piece.measured) / max(1, len(piece.points)),
        'rough': piece.plane[1] if piece.plane else math.nan,
    }  # fmt: skip


def _of_border(border: Floats, small: Piece, large: Piece, pixel_m: float) -> dict[str, float]:
    gap, relief, hue, dark, height, likely = border.T
    known = height[~np.isnan(height)]
    floor = float(np.median(known)) if len(known) else math.nan
    return {
        'gap': float(np.median(gap)), 'nearest': float(gap.min()),
        'contact': len(border) * pixel_m,
        'contact_share': len(border) / math.sqrt(max(1, small.area)),
        'relief': float(np.median(relief)), 'relief_low': float(np.quantile(relief, 0.2)),
        'relief_high': float(np.quantile(relief, 0.9)),
        'hue': float(hue.mean()), 'dark': float(dark.mean()), 'likely': float(likely.mean()),
        'between_known': len(known) / len(border),
        'between': floor,
        'below': min(float(small.levels[1]), float(large.levels[1])) - floor,
    }  # fmt: skip


def _of_likeness(small: Piece, large: Piece) -> dict[str, float]:
    mean, spread = (a - b for a, b in zip(small.colour, large.colour, strict=True))
    off = math.nan
    if large.plane and len(small.measured):
        terms = large.plane[0]
        off = float(np.median(small.measured[:, 2] - small.measured[:, :2] @ terms[:2] - terms[2]))
    return {
        'shared_colour': float(np.minimum(small.histogram, large.histogram).sum()),
        'lightness': abs(float(mean[0])), 'hue_apart': float(np.hypot(mean[1], mean[2])),
        'texture_apart': float(np.abs(spread).max()),
        'higher': float(large.levels[1] - small.levels[1]), 'off_plane': off,
        'area_ratio': small.area / large.area,
    }  # fmt: skip


def _of_group(both: Piece, around: Sequence[Piece], pixel_m: float) -> dict[str, float]:
    hull = cv2.convexHull(np.concatenate([piece.hull for piece in around]))
    length, width = sorted((side + 1.0 for side in cv2.minAreaRect(hull)[1]), reverse=True)
    areas = np.array([piece.area for piece in around], float)
    heights = np.array([piece.levels[1] for piece in around])
    known = heights[~np.isnan(heights)]
    return {
        'group': float(len(around)), 'group_fill': areas.sum() / (length * width),
        'group_length': pixel_m * length, 'group_width': pixel_m * width,
        'group_share': both.area / areas.sum(),
        'group_even': float(np.median(areas) / areas.max()),
        'group_level': float(np.ptp(known)) if len(known) else math.nan,
    }  # fmt: skip
