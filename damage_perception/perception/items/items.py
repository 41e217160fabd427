"""Find the items that lie on the support: one mask each, with what is doubtful about it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects, median

from damage_perception.perception.items.flat import add_flat
from damage_perception.perception.items.foreground import Scene, find_standing
from damage_perception.perception.items.seams import split_seams
from damage_perception.perception.items.sets import join_sets
from damage_perception.perception.items.split import split_creases
from damage_perception.perception.items.status import item_status
from damage_perception.report import Roi, Status
from damage_perception.setting import check_ranges, setting

_LOW = 0.4  # of the height from which something counts; what is lower stains or shades the support
_FINEST_M = 0.0018  # finer pixels show items no better, only later


@dataclass(frozen=True)
class ItemsSettings:
    """How items are told from the support and from each other."""

    min_height_m: float = setting(
        0.012,
        'Metres above the support from which something counts as an item.',
        low=0.001,
        high=1.0,
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
    window = np.s_[rows[0] : rows[-1] + 1 : step, columns[0] : columns[-1] + 1 : step]
    scene = Scene(rgb[window], height_m[window], region[window], pixel_m * step)
    standing = find_standing(scene, settings.min_height_m, settings.min_size_m)
    labels = np.zeros(standing.shape, np.int32)
    doubts: dict[int, float] = {}
    if standing.any():
        labels, doubts = split_creases(
            scene, standing, settings.min_height_m, settings.min_size_m, settings.crease_m
        )
        labels = split_seams(labels, scene.grey, scene.pixel_m, settings.min_size_m)
    labels = join_sets(labels, scene.smooth_m, scene.pixel_m)
    labels = _standing_out(labels, scene.smooth_m, _LOW * settings.min_height_m)
    standing_labels = int(labels.max())
    labels = add_flat(scene, labels, settings.min_height_m, settings.min_size_m)
    corner = (int(rows[0]), int(columns[0]))
    found = []
    for label, box in enumerate(find_objects(labels), start=1):
        if box is None:
            continue
        labels[box] = _one_piece(labels[box], label)
        status = item_status(
            labels[box],
            label,
            scene.smooth_m[box],
            scene.rim[box],
            doubts.get(label, 0.0),
            0.75 * settings.min_height_m if label <= standing_labels else -np.inf,
            scene.pixel_m,
        )
        mask = np.repeat(np.repeat(labels[box] == label, step, axis=0), step, axis=1)
        found.append(_placed(mask, box, step, corner, region.shape, status))
    return sorted(found, key=lambda item: (item.roi.y, item.roi.x))


def _standing_out(
    labels: NDArray[np.int32], height_m: NDArray[np.float32], low_m: float
) -> NDArray[np.int32]:
    """Give back to the support what colour alone took for an item."""
    count = int(labels.max())
    if not count:
        return labels
    seen = np.where(np.isnan(height_m), 0, labels)
    middle = median(np.nan_to_num(height_m), seen, np.arange(count + 1))
    low = np.asarray(middle) < low_m  # False where nothing was measured
    low[0] = False
    return np.where(low[labels], 0, labels)


def _one_piece(labels: NDArray[np.int32], label: int) -> NDArray[np.int32]:
    """Give the crumbs of a label back to the support: an item hangs together."""
    mask = (labels == label).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count <= 2:
        return labels
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where((mask > 0) & (pieces != largest), 0, labels)


def _placed(
    mask: NDArray[np.bool_],
    box: tuple[slice, slice],
    step: int,
    corner: tuple[int, int],
    shape: tuple[int, ...],
    status: Status,
) -> FoundItem:
    """Give a mask its place in the whole picture."""
    y, x = (corner[k] + step * box[k].start for k in (0, 1))
    mask = np.ascontiguousarray(mask[: shape[0] - y, : shape[1] - x])
    return FoundItem(Roi(x, y, mask.shape[1], mask.shape[0]), mask, status)
