"""From damage on an ItemView to damage in the image: masks, places, areas, depths."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.geometry import DamageBlob
from damage_perception.perception.item_view import ItemView
from damage_perception.perception.projection import Plane, on_plane, rays
from damage_perception.report import DamageInstance, Roi, Severity

_MAJOR_DEPTH_M = 0.012  # deeper dents reach what is inside
_MAJOR_AREA_M2 = 0.0025  # 5 cm x 5 cm


def severity_of(depth_m: float, area_m2: float) -> Severity:
    """Grade a damage by its depth (metres, NaN unknown) and area (square metres)."""
    deep = abs(depth_m) >= _MAJOR_DEPTH_M  # False for NaN
    return Severity.MAJOR if deep or area_m2 >= _MAJOR_AREA_M2 else Severity.MINOR


class ImageMap:
    """Which pixel of a view each pixel of an image window sees; made once an item and frame."""

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
        self._rows, self._columns = np.nonzero(mask)
        depth = depth_m[self._rows + roi.y, self._columns + roi.x].astype(np.float64)
        u, v = self._columns + roi.x, self._rows + roi.y
        out = -view.to_camera[:3, 2]
        face = Plane.through(out, view.to_camera[:3, 3])
        met = on_plane(u, v, face, camera)
        near = np.isfinite(depth)
        met[near] = rays(u[near], v[near], camera) * depth[near, None]
        local = (met - view.to_camera[:3, 3]) @ view.to_camera[:3, :2] / view.resolution_m
        shape = view.item_mask.shape
        # Pixels behind the horizon of the face have no place on it; -1 marks them.
        local = np.nan_to_num(local, nan=-1e6)
        column = np.round(local[:, 0] + (shape[1] - 1) / 2).astype(np.int64)
        row = np.round(local[:, 1] + (shape[0] - 1) / 2).astype(np.int64)
        self._known = (column >= 0) & (row >= 0) & (column < shape[1]) & (row < shape[0])
        self._view_rows = row[self._known]
        self._view_columns = column[self._known]

    def bring(self, values: NDArray, fill: float) -> NDArray:
        """Give values (H, W) of the view as an image window (roi.height, roi.width)."""
        window = np.full((self.roi.height, self.roi.width), fill, values.dtype)
        at = (self._rows[self._known], self._columns[self._known])
        window[at] = values[self._view_rows, self._view_columns]
        return window


def make_instance(
    blob: DamageBlob, view: ItemView, image: ImageMap, mask_value: int
) -> DamageInstance | None:
    """Place a damage of a view in the image and in space; None if the image shows none of it."""
    window = image.bring(blob.mask, False)
    rows, columns = np.nonzero(window)
    if not len(rows):
        return None
    top, left = int(rows.min()), int(columns.min())
    bottom, right = int(rows.max()) + 1, int(columns.max()) + 1
    roi = Roi(image.roi.x + left, image.roi.y + top, right - left, bottom - top)
    area = float(np.count_nonzero(blob.mask)) * view.resolution_m**2
    return DamageInstance(
        blob.damage_type,
        severity_of(blob.depth_m, area),
        float(blob.confidence),
        roi,
        _centroid(blob.mask, view),
        area,
        float(blob.depth_m),
        mask_value,
        window[top:bottom, left:right],
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
