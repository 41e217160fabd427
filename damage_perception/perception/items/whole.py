"""Join again what a dent has split: flat pieces with no seam between them are one item.

A deep dent is a crease in the height image as the gap between two items is. But a gap is dark, or
an edge of colour, all along; a dent only shades the surface, and beyond it the face goes on.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items.foreground import Scene
from damage_perception.perception.items.plane_fit import plane_through
from damage_perception.perception.items.seams import dark_lines

Box = tuple[slice, slice]

_STRONG = 2.2  # so strong a crease is no dent
_DARK = 0.28  # share of a seam that is a thin dark line at least,
_EDGE = 30.0  # or the change of colour (CIELAB over a pixel) that most of a seam shows
_EDGE_SHARE = 0.7
_BESIDE_M = 0.014  # so far from its deepest line a dent has ended
_FLAT_M = 0.002  # median deviation of a board from its plane; soft packs have thrice that
_STEP_M = 0.02  # what lies so far off the plane is another item
_LEVEL_M = 0.004  # what lies so near goes on with it
_FEWEST = 40  # pixels that tell where a surface lies
_MOST = 800
_RECTANGLE = 0.88  # share of its smallest rectangle that a box fills


def join_dented(
    scene: Scene,
    labels: NDArray[np.int32],
    strength: dict[tuple[int, int], float],
    doubts: dict[int, float],
) -> tuple[NDArray[np.int32], dict[int, float]]:
    """Join the pieces (H, W), 0 = support, that a dent has split.

    Args:
        scene: the picture.
        labels: the pieces.
        strength: of the creases between them, 1 = just kept.
        doubts: of each piece, 1 = it may be more than one item.

    Returns:
        The items and their doubts. Where the surface beyond a dent is off the plane and what was
        joined is no rectangle, one item is only a guess: its doubt is 1.
    """
    weak = sorted((s, pair) for pair, s in strength.items() if s < _STRONG)
    if not weak:
        return labels, doubts
    boxes = dict(enumerate(find_objects(labels), start=1))
    labels, doubts = labels.copy(), dict(doubts)
    kept = {label: label for label in boxes}
    guessed: set[int] = set()
    for _, pair in weak:
        one, other = (kept.get(label, 0) for label in pair)
        if one == other or not (boxes.get(one) and boxes.get(other)):
            continue
        box = _around(boxes[one], boxes[other])
        off = _beyond_dent(scene, labels[box], box, (one, other))
        if off is None:
            continue
        labels[box][labels[box] == other] = one
        boxes[one] = box
        doubts[one] = max(doubts.get(one, 0.0), doubts.get(other, 0.0))
        kept = {label: one if now == other else now for label, now in kept.items()}
        if abs(off) > _LEVEL_M or other in guessed:
            guessed.add(one)
    for label in guessed & set(kept.values()):
        if not _is_rectangle(labels[boxes[label]] == label):
            doubts[label] = 1.0
    return labels, doubts


def _around(one: Box, other: Box) -> Box:
    y, x = (
        slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(one, other, strict=True)
    )
    return y, x


def _beyond_dent(
    scene: Scene, labels: NDArray[np.int32], box: Box, pair: tuple[int, int]
) -> float | None:
    """Give how far the smaller piece lies off the plane of the larger, metres; None = apart."""
    one, other = (labels == label for label in pair)
    if np.count_nonzero(one) < np.count_nonzero(other):
        one, other = other, one
    border = (cv2.dilate(one.view(np.uint8), np.ones((3, 3), np.uint8)) > 0) & other
    if not border.any() or _is_seam(scene, box, border):
        return None
    near = cv2.distanceTransform((~border).view(np.uint8), cv2.DIST_L2, 3)
    beside = (near > _BESIDE_M / scene.pixel_m) & ~np.isnan(scene.smooth_m[box])
    off = _off_plane(scene.smooth_m[box], one & beside, other & beside)
    return None if off is None or abs(off) > _STEP_M else off


def _is_seam(scene: Scene, box: Box, border: NDArray[np.bool_]) -> bool:
    if dark_lines(scene.grey[box], scene.pixel_m)[border].mean() > _DARK:
        return True
    across, down = (
        cv2.Sobel(scene.lab[box], cv2.CV_32F, dx, dy, scale=0.25) for dx, dy in ((1, 0), (0, 1))
    )
    change = np.sqrt(np.sum(across**2 + down**2, axis=2))
    beside = cv2.dilate(change, np.ones((3, 3), np.uint8))[border]
    return bool(np.quantile(beside, 1.0 - _EDGE_SHARE) > _EDGE)


def _off_plane(
    height_m: NDArray[np.float32], one: NDArray[np.bool_], other: NDArray[np.bool_]
) -> float | None:
    """Tell how far one surface lies above the plane of another, metres; None if that is no board.

    The plane is one of least absolute deviations.
    """
    v, u = np.nonzero(one)
    if len(v) < _FEWEST:
        return None
    some = np.s_[:: 1 + len(v) // _MOST]
    terms, off = plane_through(u[some], v[some], height_m[v[some], u[some]], rounds=6)
    if off > _FLAT_M:
        return None
    v, u = np.nonzero(other)
    if len(v) < _FEWEST:
        return _STEP_M
    return float(np.median(height_m[v, u] - (terms[0] * u + terms[1] * v + terms[2])))


def _is_rectangle(mask: NDArray[np.bool_]) -> bool:
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    _, (length, width), _ = cv2.minAreaRect(np.concatenate(outlines))
    return np.count_nonzero(mask) > _RECTANGLE * length * width
