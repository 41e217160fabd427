"""From damage on an ItemView to damage in the image: masks, places, areas, depths."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.geometry.geometry import DamageBlob
from damage_perception.perception.geometry.severity import severity_of
from damage_perception.perception.projection import ray_products
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageInstance, Roi


class ImageMap:
    """Where on a view each pixel of an image window looks; made once an item and frame."""

    def __init__(
        self,
        view: ItemView,
        roi: Roi,
        mask: NDArray[np.bool_],
        depth_m: NDArray[np.float32],
        camera: CameraIntrinsics,
    ) -> None:
        """Take the item's window: mask (roi.height, roi.width) bool, depth_m (H, W) metres."""
        self.roi = roi
        self._mask = mask
        origin = view.to_camera[:3, 3]
        along, down, away = (view.to_camera[:3, axis] for axis in range(3))
        depth = depth_m[roi.slices]
        # Pixels without depth are taken to lie on the face.
        with np.errstate(divide='ignore', invalid='ignore'):
            face = np.float32(away @ origin) / ray_products(away, camera, roi)
        depth = np.where(np.isnan(depth), face, depth)
        rows, columns = view.item_mask.shape
        self._columns = self._place(along, origin, depth, camera, view, columns)
        self._rows = self._place(down, origin, depth, camera, view, rows)

    def _place(
        self,
        axis: NDArray[np.float64],
        origin: NDArray[np.float64],
        depth: NDArray[np.float32],
        camera: CameraIntrinsics,
        view: ItemView,
        length: int,
    ) -> NDArray[np.float32]:
        """Give the row or column of the view that each pixel looks at."""
        metres = depth * ray_products(axis, camera, self.roi) - np.float32(axis @ origin)
        place = metres / np.float32(view.resolution_m) + np.float32((length - 1) / 2)
        return np.nan_to_num(place, nan=-1.0, posinf=-1.0, neginf=-1.0)

    def bring(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give values (H, W) of the view as an image window, NaN where it sees none of them."""
        window = self._remapped(values, float('nan'))
        return np.where(self._mask, window, np.float32(np.nan))

    def bring_mask(self, mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Give a mask (H, W) of the view as one of the image window."""
        return self._remapped(mask.astype(np.uint8), 0).view(np.bool_) & self._mask

    def _remapped(self, values: NDArray[Any], outside: float) -> NDArray[Any]:
        return cv2.remap(
            values, self._columns, self._rows, cv2.INTER_NEAREST,
            borderMode=cv2.BORDER_CONSTANT, borderValue=outside,
        )  # fmt: skip


def make_instance(
    blob: DamageBlob, view: ItemView, image: ImageMap, mask_value: int
) -> DamageInstance | None:
    """Place a damage of a view in the image and in space; None if the image shows none of it."""
    window = image.bring_mask(blob.mask)
    left, top, width, height = cv2.boundingRect(window.view(np.uint8))
    if not width:
        return None
    within = Roi(left, top, width, height)
    roi = Roi(image.roi.x + left, image.roi.y + top, width, height)
    area = float(np.count_nonzero(blob.mask)) * view.resolution_m**2
    return DamageInstance(
        blob.damage_type,
        severity_of(blob.damage_type, blob.depth_m, area),
        float(blob.confidence),
        roi,
        _centroid(blob.mask, view),
        area,
        float(blob.depth_m),
        mask_value,
        window[within.slices],
    )


def _centroid(mask: NDArray[np.bool_], view: ItemView) -> tuple[float, float, float]:
    rows, columns = np.nonzero(mask)
    heights = view.height_m[rows, columns]
    known = heights[np.isfinite(heights)]
    middle = (np.array(mask.shape[::-1]) - 1) / 2
    local = (np.array([columns.mean(), rows.mean()]) - middle) * view.resolution_m
    height = float(known.mean()) if known.size else 0.0
    place = view.to_camera @ np.array([local[0], local[1], -height, 1.0])
    return float(place[0]), float(place[1]), float(place[2])
