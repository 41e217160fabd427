"""Which plane of a depth image is the belt, tray or table that items lie on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, points, project
from damage_perception.perception.support_region import middle
from damage_perception.setting import check_ranges, setting

_MOST_PLANES = 5  # belts, a floor, large box tops: candidates in one picture
_MOST_POINTS = 12_000  # for RANSAC; more points give no better plane, only a slower one
_TALLEST_ITEM_M = 0.6  # what lies deeper than this below a plane is a floor, not its support


@dataclass(frozen=True)
class PlaneSettings:
    """How the support is found."""

    tolerance_m: float = setting(
        0.012,
        'Metres that a point may lie off the support and still belong to it.',
        low=0.001,
        high=0.1,
    )
    max_tilt_deg: float = setting(
        60.0,
        'Largest angle between the optical axis and the normal of the support, degrees.',
        low=0.0,
        high=85.0,
    )
    region: tuple[float, ...] = setting(
        (), 'Corners of the region of interest as x, y, x, y, ... pixels; empty = found by itself.'
    )
    region_margin_m: float = setting(
        0.015, 'Metres by which a found region of interest is grown.', low=0.0, high=0.5
    )

    def __post_init__(self) -> None:
        check_ranges(self)
        if len(self.region) % 2 or len(self.region) in (2, 4):
            raise ValueError(
                f'region must be empty or at least 3 corners as x, y pairs, got {self.region}'
            )


def find_support_plane(
    depth_m: NDArray[np.float32], camera: CameraIntrinsics, settings: PlaneSettings
) -> Plane | None:
    """Find the lowest large plane in the middle of the picture; None if there is none.

    Lowest, since items and raised belts lie above the support; large, since anything below it
    (a gap, the floor) shows little of itself in the middle half of the picture. In a crop the
    item alone may fill the middle: then a plane close below that surrounds it is the support.
    """
    region = np.asarray(settings.region, np.float64).reshape(-1, 1, 2)
    inside = np.zeros(depth_m.shape, np.uint8)
    if len(region):
        cv2.fillPoly(inside, [region.round().astype(np.int32)], 1)
        return _lowest_large(_cloud(depth_m, camera, inside), settings)
    inside[middle(depth_m.shape)] = 1
    everywhere = _cloud(depth_m, camera, np.ones_like(inside))
    plane = _lowest_large(_cloud(depth_m, camera, inside), settings)
    if plane is None:
        return _lowest_large(everywhere, settings)
    below = _surrounding(everywhere, plane, camera, settings)
    return below or plane


def _lowest_large(cloud: NDArray[np.float64], settings: PlaneSettings) -> Plane | None:
    enough = max(50, len(cloud) // 20)
    candidates: list[tuple[int, Plane]] = []
    while len(cloud) > enough and len(candidates) < _MOST_PLANES:
        plane, inliers = _ransac(cloud, settings.tolerance_m)
        if len(inliers) < enough:
            break
        if abs(plane.normal[2]) >= np.cos(np.radians(settings.max_tilt_deg)):
            candidates.append((len(inliers), plane))
        cloud = np.delete(cloud, inliers, axis=0)
    if not candidates:
        return None
    most = max(count for count, _ in candidates)
    large = [plane for count, plane in candidates if 6 * count >= most]
    return max(large, key=lambda plane: plane.offset)


def _surrounding(
    cloud: NDArray[np.float64], plane: Plane, camera: CameraIntrinsics, settings: PlaneSettings
) -> Plane | None:
    """Find a plane close below another one that shows itself on at least three sides of it."""
    height = plane.heights(cloud)
    on = cloud[np.abs(height) < settings.tolerance_m]
    below = cloud[(height < -2.0 * settings.tolerance_m) & (height > -_TALLEST_ITEM_M)]
    if len(on) < 50 or 6 * len(below) < len(on):
        return None
    candidate = _lowest_large(below, settings)
    if candidate is None:
        return None
    place = project(on, camera)
    low, high = np.percentile(place, [2, 98], axis=0)
    around = project(below[np.abs(candidate.heights(below)) < settings.tolerance_m], camera)
    enough = max(20, len(around) // 20)
    sides = np.concatenate([(around < low).sum(axis=0), (around > high).sum(axis=0)])
    return candidate if np.count_nonzero(sides >= enough) >= 3 else None


def _cloud(
    depth_m: NDArray[np.float32], camera: CameraIntrinsics, inside: NDArray[np.uint8]
) -> NDArray[np.float64]:
    """Give points of a part of the picture, as many as RANSAC needs."""
    v, u = np.nonzero((inside > 0) & np.isfinite(depth_m))
    step = max(1, len(u) // _MOST_POINTS)
    return points(depth_m, u[::step], v[::step], camera)


def warm_up() -> None:
    """Load what finding a plane needs, so that the first frame need not wait for it."""
    import open3d  # noqa: F401


def _ransac(cloud: NDArray[np.float64], tolerance_m: float) -> tuple[Plane, NDArray[np.int64]]:
    import open3d  # heavy: two seconds, so only who seeks planes loads it

    open3d.utility.random.seed(0)
    cloud3d = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(cloud))
    _, inliers = cloud3d.segment_plane(tolerance_m, 3, 300)
    chosen = cloud[np.asarray(inliers, np.int64)]
    if len(chosen) < 3:
        return Plane((0.0, 0.0, -1.0), 0.0), np.zeros(0, np.int64)
    return fit_plane(chosen), np.asarray(inliers, np.int64)


def fit_plane(cloud: NDArray[np.float64]) -> Plane:
    """Fit a plane to points (N, 3), metres, by least squares across the plane."""
    centre = cloud.mean(axis=0)
    centred = cloud - centre
    _, vectors = np.linalg.eigh(centred.T @ centred)
    return Plane.through(vectors[:, 0], centre)
