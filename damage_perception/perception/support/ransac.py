"""Planes in clouds of points, found by RANSAC, and the clouds of a depth image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, points

_MOST_PLANES = 5  # belts, a floor, large box tops: candidates in one picture
_MOST_POINTS = 12_000  # more give no better plane, only a slower one


def find_planes(cloud: NDArray[np.float64], tolerance_m: float, max_tilt_deg: float) -> list[Plane]:
    """Find planes in points (N, 3), metres, one after the other in what the former ones leave.

    Args:
        cloud: the points.
        tolerance_m: metres that a point may lie off its plane.
        max_tilt_deg: largest angle between the optical axis and the normal, degrees.
    """
    enough = max(50, len(cloud) // 20)
    found: list[Plane] = []
    for _ in range(_MOST_PLANES):
        if len(cloud) <= enough:
            break
        plane, inliers = _ransac(cloud, tolerance_m)
        if len(inliers) < enough:
            break
        if abs(plane.normal[2]) >= np.cos(np.radians(max_tilt_deg)):
            found.append(plane)
        cloud = np.delete(cloud, inliers, axis=0)
    return found


def cloud_of(
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
