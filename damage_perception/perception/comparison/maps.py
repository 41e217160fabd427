"""Differences between an item and an aligned reference: colour, height, edges of print.

Alignment leaves millimetres and every copy lies in its own light, so a place only differs where
nothing within the misfit on the reference looks the same once the light is made equal. What the
reference has and the item lacks (a label, a mark) is no difference of colour.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.fusion import lean
from damage_perception.perception.view.item_view import ItemView

CELL_M = 0.003
_MISFIT_M = 0.0045  # by which the two may lie beside each other
_WALLS = 2.0  # times the misfit: steep walls look elsewhere from elsewhere
_SMOOTHED_M = 0.006  # heights are averaged over this
_STRONG = 8.0  # grey levels a cell, from which a step of brightness is print
_SAME_EDGE = 0.5  # of its strength: an edge of the reference that explains one of the item
_FAINT = 12.0  # grey levels: prior deviation of print, below which its gain is not told
_LEVEL_M, _LEANING = 0.004, 0.01  # heights that may agree; prior slope of all cells together
_ROUNDS, _ENOUGH = 5, 1500  # of robust fits: iterations, cells

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Cells:
    """A view in cells of about 3 mm, (h, w).

    Attributes:
        rgb: (h, w, 3) float32, grey levels, of the item alone.
        height_m: float32, averaged over some millimetres, NaN = not measured.
        item: bool, the item, where it is seen.
        seen: bool.
    """

    rgb: Map
    height_m: Map
    item: Mask
    seen: Mask

    @classmethod
    def of(cls, view: ItemView) -> Cells:
        """Look at a view."""
        rows, columns = view.item_mask.shape
        scale = view.resolution_m / CELL_M
        size = max(4, round(columns * scale)), max(4, round(rows * scale))
        inside = view.item_mask & view.seen
        valid = inside & view.valid
        share, known, seen = (
            cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
            for mask in (inside, valid, view.seen)
        )
        flat = np.where(inside[..., None], view.rgb, np.uint8(0))
        rgb = cv2.resize(flat, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        rgb /= np.maximum(share, np.float32(0.1))[..., None]
        flat_m = np.where(valid, view.height_m, np.float32(0.0))
        total = cv2.resize(flat_m, size, interpolation=cv2.INTER_AREA)
        sigma = _SMOOTHED_M / CELL_M
        known, total = (cv2.GaussianBlur(plane, (0, 0), sigma) for plane in (known, total))
        height = np.where(known > 0.3, total / np.maximum(known, 0.1), np.float32(np.nan))
        return cls(rgb, height.astype(np.float32), share > 0.6, seen > 0.6)


@dataclass(frozen=True, eq=False)
class Difference:
    """An item against one reference, (h, w), NaN = not compared.

    Attributes:
        colour: float32 grey levels, root mean square of the channels.
        height_m: float32 metres, item over reference.
        unexplained: float32 grey levels a cell, edges that the reference lacks; 0 = no edge.
        lost: bool, there the reference has item and the item none.
        extra: bool, the other way round.
    """

    colour: Map
    height_m: Map
    unexplained: Map
    lost: Mask
    extra: Mask


def difference(item: Cells, reference: Cells) -> Difference:
    """Compare an item with a reference on the same cells."""
    both = item.item & reference.item
    seen = item.seen & reference.seen
    own = edges(item)
    theirs = _most(edges(reference), 2.0)
    unexplained = np.where(theirs < np.float32(_SAME_EDGE) * own, own, np.float32(0.0))
    unexplained[~_shrunk(both, 1)] = 0.0
    return Difference(
        _colour(item, reference, both),
        _height(item, reference, both),
        unexplained,
        _opened(reference.item & ~item.item & seen),
        _opened(item.item & ~reference.item & seen),
    )


def edges(cells: Cells) -> Map:
    """Give the strength of print edges, grey levels a cell; 0 where there are none."""
    grey = cv2.GaussianBlur(cells.rgb.mean(axis=2), (0, 0), 0.8)
    across = cv2.Sobel(grey, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(grey, cv2.CV_32F, 0, 1, scale=0.125)
    strength = np.hypot(across, down)
    strength[(strength < _STRONG) | ~_shrunk(cells.item, 2)] = 0.0
    return np.asarray(strength, np.float32)


def _colour(item: Cells, reference: Cells, both: Mask) -> Map:
    lit = _in_the_light_of(item.rgb, reference.rgb, both)
    mine, theirs = (_filled(rgb, both) for rgb in (item.rgb, lit))
    off = np.maximum(np.maximum(mine - _most(theirs), -_most(-theirs) - mine), 0.0)
    colour = np.sqrt(np.mean(np.square(off), axis=2))
    return np.where(_shrunk(both, 1), colour, np.float32(np.nan)).astype(np.float32)


def _in_the_light_of(rgb: Map, reference: Map, both: Mask) -> Map:
    """Give each channel of the reference the gain, offset and slope of light of the item."""
    rows, columns = np.nonzero(both)
    lit = reference.copy()
    if len(rows) < 30:
        return lit
    some = slice(None, None, 1 + len(rows) // _ENOUGH)
    rows, columns = rows[some], columns[some]
    y, x = (np.linspace(-1, 1, n, dtype=np.float32) for n in both.shape)
    for channel in range(3):
        old, new = reference[rows, columns, channel], rgb[rows, columns, channel]
        middle = np.median(old)
        design = np.stack([old - middle, np.ones_like(old), y[rows], x[columns]], axis=1)
        prior = np.array([_FAINT**2, 0.0, 0.1, 0.1]) * len(old)  # gain 1, no slope
        terms = np.array([1.0, np.median(new), 0.0, 0.0])
        for _ in range(_ROUNDS):
            off = np.abs(new - design @ terms)
            scale = max(2.0, 1.5 * float(np.median(off)))
            weight = (1.0 / np.square(1.0 + np.square(off / scale)))[:, None]
            normal = (design * weight).T @ design + np.diag(prior)
            right = (design * weight).T @ new + prior * np.array([1.0, 0.0, 0.0, 0.0])
            terms = np.linalg.solve(normal, right)
        slope = terms[2] * y[:, None] + terms[3] * x
        lit[..., channel] = (reference[..., channel] - middle) * terms[0] + terms[1] + slope
    return lit


def _height(item: Cells, reference: Cells, both: Mask) -> Map:
    off = item.height_m - reference.height_m
    known = both & np.isfinite(off)
    found = [
        _over(item.height_m, reference.height_m + level, known)
        for level in (lean(off, known), _level(off, known))
    ]
    least = np.where(np.abs(found[0]) < np.abs(found[1]), *found)
    return np.where(known, least, np.float32(np.nan)).astype(np.float32)


def _over(height_m: Map, reference_m: Map, known: Mask) -> Map:
    """Tell how far heights lie over (under, negative) what the reference has within the misfit."""
    high, low = (_extreme(reference_m, known, sign) for sign in (1.0, -1.0))
    return np.maximum(height_m - high, 0.0) - np.maximum(low - height_m, 0.0)


def _level(off: Map, known: Mask) -> Map | float:
    """Give the plane between two faces, which were fitted apart; a missing unit has no say."""
    rows, columns = np.nonzero(known)
    if len(rows) < 30:
        return 0.0
    some = slice(None, None, 1 + len(rows) // _ENOUGH)
    rows, columns = rows[some], columns[some]
    y, x = (CELL_M * (np.arange(n, dtype=np.float32) - (n - 1) / 2) for n in off.shape)
    values = off[rows, columns].astype(np.float64)
    design = np.stack([np.ones(len(rows)), y[rows], x[columns]], axis=1)
    prior = np.diag([0.0, 1.0, 1.0]) * (_LEVEL_M / _LEANING) ** 2
    terms = np.array([np.median(values), 0.0, 0.0])
    for _ in range(_ROUNDS):
        weight = 1.0 / np.square(1.0 + np.square((values - design @ terms) / _LEVEL_M))
        weighted = design * weight[:, None]
        terms = np.linalg.solve(weighted.T @ design + prior, weighted.T @ values)
    return np.asarray(terms[0] + terms[1] * y[:, None] + terms[2] * x, np.float32)


def _extreme(values: Map, known: Mask, sign: float) -> Map:
    """Give the largest (smallest for sign -1) value within the misfit."""
    filled = np.where(known, values * np.float32(sign), np.float32(-1e3)).astype(np.float32)
    return _most(filled, _WALLS) * np.float32(sign)


def _most(values: Map, times: float = 1.0) -> Map:
    size = 2 * max(1, round(times * _MISFIT_M / CELL_M)) + 1
    element = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return np.asarray(cv2.dilate(values, element), np.float32)


def _filled(rgb: Map, both: Mask) -> Map:
    """Put the middle colour where the two are not compared, so that borders say nothing."""
    inside = rgb[both]
    middle = np.median(inside, axis=0) if len(inside) else np.zeros(3)
    return np.where(both[..., None], rgb, middle).astype(np.float32)


def _shrunk(mask: Mask, by: int) -> Mask:
    element = np.ones((2 * by + 1, 2 * by + 1), np.uint8)
    return np.asarray(cv2.erode(mask.astype(np.uint8), element) > 0)


def _opened(mask: Mask) -> Mask:
    """Drop slivers that the misfit explains."""
    size = 2 * round(_MISFIT_M / CELL_M) + 1
    element = np.ones((size, size), np.uint8)
    return np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, element) > 0)
