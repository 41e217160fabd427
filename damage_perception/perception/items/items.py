"""Find the items that lie on the support: one mask each, with what is doubtful about it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items.cut import Cut, ItemsSettings, cut_pieces
from damage_perception.perception.items.each import of_each
from damage_perception.perception.items.flat import add_flat
from damage_perception.perception.items.join_model import shipped_joins
from damage_perception.perception.items.joins import join_pieces
from damage_perception.perception.items.status import item_status
from damage_perception.report import Roi, Status

_FILLS = 0.4  # of the longer side of a picture that was taken of one item
_STRIP = 1.25  # of the size of an item: so much of it must be seen where the region ends
_LOW = 0.4  # of the height from which something counts; what is lower stains or shades the support


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
    alone: bool = False,
) -> list[FoundItem]:
    """Find the items of a picture, those that start highest and leftmost first.

    Args:
        rgb: (H, W, 3) uint8.
        height_m: (H, W) float32, metres above the support, NaN = no depth.
        region: (H, W) bool, the region of interest.
        pixel_m: metres that a pixel spans on the support.
        settings: what counts as an item.
        alone: whether the picture was taken of one item.
    """
    cut = cut_pieces(rgb, height_m, region, pixel_m, settings)
    if cut is None:
        return []
    scene = cut.scene
    filled_m = _FILLS * max(region.shape) * pixel_m if alone else math.inf
    labels, doubts = join_pieces(scene, cut.labels, cut.doubts, shipped_joins(), filled_m)
    labels = _standing_out(labels, scene.smooth_m, _LOW * settings.min_height_m)
    size = settings.min_height_m, settings.min_size_m
    found = _listed(cut, add_flat(scene, labels, *size), labels, doubts, settings, region.shape)
    if alone and not found:  # one is there, so it is what looks unlike the support
        flat = add_flat(scene, labels, *size, unproved=True)
        found = _listed(cut, flat, labels, doubts, settings, region.shape)
    return found


def _listed(
    cut: Cut,
    labels: NDArray[np.int32],
    standing: NDArray[np.int32],
    doubts: Mapping[int, float],
    settings: ItemsSettings,
    shape: tuple[int, ...],
) -> list[FoundItem]:
    """List what is labelled; labels that are not of what is `standing` are of flat things."""
    scene, highest = cut.scene, int(standing.max())
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
            0.75 * settings.min_height_m if label <= highest else -np.inf,
            scene.pixel_m,
        )
        if status & Status.TRUNCATED and _is_strip(
            labels[box] == label, _STRIP * settings.min_size_m / scene.pixel_m
        ):
            continue
        mask = np.repeat(np.repeat(labels[box] == label, cut.step, axis=0), cut.step, axis=1)
        found.append(_placed(mask, box, cut.step, cut.corner, shape, status))
    return sorted(found, key=lambda item: (item.roi.y, item.roi.x))


def _standing_out(
    labels: NDArray[np.int32], height_m: NDArray[np.float32], low_m: float
) -> NDArray[np.int32]:
    """Give back to the support what colour alone took for an item."""
    low = of_each(np.median, height_m, labels) < low_m  # False where nothing was measured
    return np.where(low[labels], 0, labels)


def _one_piece(labels: NDArray[np.int32], label: int) -> NDArray[np.int32]:
    """Give the crumbs of a label back to the support: an item hangs together."""
    mask = (labels == label).astype(np.uint8)
    count, pieces, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
    if count <= 2:
        return labels
    largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
    return np.where((mask > 0) & (pieces != largest), 0, labels)


def _is_strip(mask: NDArray[np.bool_], least_px: float) -> bool:
    """Tell whether too little is seen of something to be an item, such as the edge of a belt."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    return min(cv2.minAreaRect(np.concatenate(outlines))[1]) < least_px


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
