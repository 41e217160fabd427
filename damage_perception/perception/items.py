"""Find the items that lie on the support: one mask each, with what is doubtful about it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items_creases import basins, colour_edges, concavity
from damage_perception.perception.items_foreground import (
    Scene,
    fill_nearest,
    find_standing,
    flood,
)
from damage_perception.perception.items_pieces import Pieces
from damage_perception.perception.items_seams import split_seams
from damage_perception.perception.items_status import item_status
from damage_perception.report import Roi, Status
from damage_perception.setting import check_ranges, setting

_FINEST_M = 0.0018  # finer pixels show items no better, only later
_CELL_M = 0.0037  # of the crease image
_REACH_M = 0.018  # from a crease to its sides
_CREASE_LENGTH_M = 0.045  # over which a crease is averaged
_SMOOTH_M = 0.0055
_LEVELS = (0.3, 0.45, 0.6, 0.75, 0.9, 1.1, 1.4)  # of the crease that is needed


@dataclass(frozen=True)
class ItemsSettings:
    """How items are told from the support and from each other."""

    min_height_m: float = setting(
        0.012, 'Metres above the support from which something counts as an item.',
        low=0.001, high=1.0,
    )
    min_size_m: float = setting(
        0.03, 'Metres across below which something is no item.', low=0.001, high=1.0
    )
    crease_m: float = setting(
        0.0045, 'Metres that a crease between two items lies below its sides.', low=0.0005, high=0.1
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True, eq=False)
class FoundItem:
    """One item of a picture.

    Attributes:
        roi: its bounding box, pixels.
        mask: (roi.height, roi.width) bool, its pixels, those without depth too.
        status: TRUNCATED, OCCLUDED, MERGED, or 0.
    """

    roi: Roi
    mask: NDArray[np.bool_]
    status: Status


def find_items(
    rgb: NDArray[np.uint8],
    height_m: NDArray[np.float32],
    region: NDArray[np.bool_],
    pixel_m: float,
    settings: ItemsSettings,
) -> list[FoundItem]:
    """Find the items of a picture, those that start highest and leftmost first.

    Args:
        rgb: (H, W, 3) uint8.
        height_m: (H, W) float32, metres above the support, NaN = no depth.
        region: (H, W) bool, the region of interest.
        pixel_m: metres that a pixel spans on the support.
        settings: what counts as an item.
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not len(rows):
        return []
    step = max(1, int(_FINEST_M / pixel_m))
    window = np.s_[rows[0]:rows[-1] + 1:step, columns[0]:columns[-1] + 1:step]
    scene = Scene(rgb[window], height_m[window], region[window], pixel_m * step)
    standing = find_standing(scene, settings.min_height_m, settings.min_size_m)
    if not standing.any():
        return []
    labels, doubts = _split(scene, standing, settings)
    labels = split_seams(labels, scene.grey, scene.pixel_m, settings.min_size_m)
    found = []
    for label in np.unique(labels[labels > 0]).tolist():
        status = item_status(labels, label, scene, doubts.get(label, 0.0))
        mask = np.repeat(np.repeat(labels == label, step, axis=0), step, axis=1)
        found.append(_placed(mask, (int(rows[0]), int(columns[0])), region.shape, status))
    return sorted(found, key=lambda item: (item.roi.y, item.roi.x))


def _placed(
    mask: NDArray[np.bool_], corner: tuple[int, int], shape: tuple[int, ...], status: Status
) -> FoundItem:
    """Give a mask its place in the whole picture."""
    mask = mask[: shape[0] - corner[0], : shape[1] - corner[1]]
    x, y, width, height = cv2.boundingRect(mask.view(np.uint8))
    cut = np.ascontiguousarray(mask[y:y + height, x:x + width])
    return FoundItem(Roi(x + corner[1], y + corner[0], width, height), cut, status)


def _split(
    scene: Scene, standing: NDArray[np.bool_], settings: ItemsSettings
) -> tuple[NDArray[np.int32], dict[int, float]]:
    """Label the items, 0 = support; and tell of each how doubtful it is that it is one."""
    factor = min(1.0, scene.pixel_m / _CELL_M)
    cell = scene.pixel_m / factor
    known = standing & (scene.smooth_m > 0.5 * settings.min_height_m)
    height = scene.smooth_m if known.any() else np.zeros_like(scene.smooth_m)
    height = fill_nearest(height, known if known.any() else ~known)
    height = cv2.GaussianBlur(height, (0, 0), _SMOOTH_M / scene.pixel_m)
    size = (max(1, round(standing.shape[1] * factor)), max(1, round(standing.shape[0] * factor)))
    small = cv2.resize(height, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(standing.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    relief = concavity(small, max(1, round(_REACH_M / cell)), round(_CREASE_LENGTH_M / cell))
    colour = cv2.resize(scene.lab, size, interpolation=cv2.INTER_AREA)
    crease = settings.crease_m
    edges = relief + 0.4 * crease * colour_edges(colour)
    labels = basins(edges, inside, tuple(crease * level for level in _LEVELS))
    pieces = Pieces(labels, relief, colour, crease, 2.0 * (settings.min_size_m / cell) ** 2)
    labels, doubts = pieces.join_weak()
    whole = cv2.resize(
        labels.astype(np.float32), standing.shape[::-1], interpolation=cv2.INTER_NEAREST
    )
    return _along_colour(scene, whole.astype(np.int32), standing), doubts


def _along_colour(
    scene: Scene, labels: NDArray[np.int32], standing: NDArray[np.bool_]
) -> NDArray[np.int32]:
    """Move borders between items to the colour edge nearby; creases are blurred, edges are not."""
    if not labels.any():
        return labels
    near = fill_nearest(labels.astype(np.float32), labels > 0)
    close, wide = (_near_border(near, reach / scene.pixel_m) for reach in (0.008, 0.025))
    sure = standing & ~close & ~(wide & np.isnan(scene.smooth_m))
    kept = np.isin(near, np.unique(near[sure]))
    seeds = np.where(sure | (standing & ~kept), near + 1, 0).astype(np.int32)
    seeds[~standing] = 1
    grown = flood(scene.lab, seeds) - 1
    return np.where(standing, np.where(grown > 0, grown, near.astype(np.int32)), 0)


def _near_border(labels: NDArray[np.float32], reach_px: float) -> NDArray[np.bool_]:
    size = 2 * max(1, round(reach_px)) + 1
    square = np.ones((size, size), np.uint8)
    near: NDArray[np.bool_] = cv2.dilate(labels, square) != cv2.erode(labels, square)
    return near
