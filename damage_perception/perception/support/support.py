"""The support: the belt, tray or table that items lie on, found once and remembered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, height_image, points
from damage_perception.perception.support.plane import PlaneSettings, find_support_plane
from damage_perception.perception.support.ransac import fit_plane, warm_up
from damage_perception.perception.support.region import main_piece, map_step, outline

_REMEMBERED_POINTS = 24_000


@dataclass(frozen=True, eq=False)
class Support:
    """The plane that items lie on and the part of the picture that it fills.

    Attributes:
        plane: in the camera's optical frame.
        region: (H, W) bool, True inside the region of interest.
    """

    plane: Plane
    region: NDArray[np.bool_]


class SupportFinder:
    """Find the support in depth images and remember it until it moves.

    Args:
        settings: see `PlaneSettings`.
        alone: whether each picture was taken of one item.
    """

    def __init__(self, settings: PlaneSettings | None = None, alone: bool = False) -> None:
        self.settings = settings or PlaneSettings()
        self._alone = alone
        self._camera: CameraIntrinsics | None = None
        self.forget()
        warm_up()

    def forget(self) -> None:
        """Find the support anew in the next picture."""
        self._plane: Plane | None = None
        self._hull: NDArray[np.int32] | None = None
        self._known: NDArray[np.bool_] | None = None
        self._cloud: NDArray[np.float64] | None = None

    def update(self, depth_m: NDArray[np.float32], camera: CameraIntrinsics) -> Support | None:
        """Give the support of a depth image (H, W) float32 metres; None if there is none."""
        if camera != self._camera:
            self._camera = camera
            self.forget()
        if self._plane is None or self._moved(depth_m, camera):
            plane = find_support_plane(depth_m, camera, self.settings)
            if plane is None:
                return None
            self.forget()
            self._plane = plane
        self._refine(depth_m, camera)
        return self._support(camera)

    def _support(self, camera: CameraIntrinsics) -> Support | None:
        if self._plane is None:
            return None
        corners = np.asarray(self.settings.region, np.float64).reshape(-1, 2)
        outline = corners.round().astype(np.int32) if len(corners) else self._hull
        if outline is None:
            return None
        region = np.zeros((camera.height, camera.width), np.uint8)
        cv2.fillPoly(region, [outline.reshape(-1, 1, 2)], 1)
        if not len(corners):
            margin = self.settings.region_margin_m * camera.fx / self._plane.offset
            size = 2 * max(1, round(margin)) + 1
            region = cv2.dilate(region, cv2.getStructuringElement(cv2.MORPH_RECT, (size, size)))
        return Support(self._plane, region.astype(bool))

    def _moved(self, depth_m: NDArray[np.float32], camera: CameraIntrinsics) -> bool:
        """Tell whether the remembered plane does not fit: much lies below it, or none on it."""
        if self._plane is None or self._hull is None:
            return True
        step = map_step(camera)
        inside = np.zeros(depth_m.shape, np.uint8)
        cv2.fillConvexPoly(inside, self._hull, 1)
        height = height_image(depth_m, self._plane, camera)[::step, ::step]
        height = height[(inside[::step, ::step] > 0) & ~np.isnan(height)]
        if height.size < 50:
            return False  # nothing is seen, so nothing speaks against the memory
        below = np.mean(height < -2.0 * self.settings.tolerance_m)
        on = np.mean(np.abs(height) < self.settings.tolerance_m)
        return bool(below > 0.2 or on < 0.02)

    def _refine(self, depth_m: NDArray[np.float32], camera: CameraIntrinsics) -> None:
        """Add what this picture shows of the support: parcels hid other parts of it before."""
        assert self._plane is not None
        step = map_step(camera)
        height = height_image(depth_m, self._plane, camera)[::step, ::step]
        near = np.abs(height) < self.settings.tolerance_m
        above = height >= self.settings.tolerance_m
        on = main_piece(near, above, self._known is not None, self._alone)
        v, u = np.nonzero(on)
        if len(u) < 50:
            return
        self._known = on if self._known is None else on | self._known
        self._hull = outline(self._known, self._plane, camera)
        cloud = points(depth_m, u * step, v * step, camera)
        if self._cloud is not None:
            cloud = np.concatenate([cloud, self._cloud])
        # Enough to average over a few pictures, little enough to forget a support that sags.
        self._cloud = cloud[:_REMEMBERED_POINTS]
        self._plane = fit_plane(self._cloud)
