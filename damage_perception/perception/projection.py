"""Pinhole geometry between pixels and metres, for whole images at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.report import Roi

Pixels = NDArray[np.floating] | NDArray[np.integer]


@dataclass(frozen=True)
class Plane:
    """A plane in the camera's optical frame: `normal @ p + offset` is the height of p, metres.

    The normal has length 1 and points to the camera's side, so the camera's own height is
    `offset`.
    """

    normal: tuple[float, float, float]
    offset: float

    def heights(self, points_m: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give the height of points (..., 3) above the plane, metres."""
        heights: NDArray[np.float64] = points_m @ np.asarray(self.normal) + self.offset
        return heights

    @classmethod
    def through(cls, normal: NDArray[np.float64], point_m: NDArray[np.float64]) -> Plane:
        """Make the plane through a point, its normal (3,) turned to the camera's side."""
        unit = normal / np.linalg.norm(normal)
        offset = -float(unit @ point_m)
        sign = -1.0 if offset < 0.0 else 1.0
        x, y, z = (float(value) for value in sign * unit)
        return cls((x, y, z), sign * offset)


@lru_cache(maxsize=8)
def _ray_slopes(camera: CameraIntrinsics) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    columns = (np.arange(camera.width, dtype=np.float32) - camera.cx) / camera.fx
    rows = (np.arange(camera.height, dtype=np.float32) - camera.cy) / camera.fy
    return columns.astype(np.float32), rows.astype(np.float32)


def rays(u: Pixels, v: Pixels, camera: CameraIntrinsics) -> NDArray[np.float64]:
    """Give the viewing rays of pixels: (..., 3) float64 with z = 1."""
    x = (np.asarray(u, np.float64) - camera.cx) / camera.fx
    y = (np.asarray(v, np.float64) - camera.cy) / camera.fy
    return np.stack([x, y, np.ones_like(x)], axis=-1)


def ray_products(
    axis: NDArray[np.float64], camera: CameraIntrinsics, roi: Roi
) -> NDArray[np.float32]:
    """Give the products of an axis (3,) with the rays (z = 1) of a window's pixels.

    Times depth this is the coordinate of each pixel's point along the axis. Rows and columns
    part, so it costs one addition a pixel.
    """
    columns, rows = _ray_slopes(camera)
    x, y, z = (np.float32(value) for value in axis)
    down, across = y * rows[roi.slices[0]] + z, x * columns[roi.slices[1]]
    return np.asarray(down[:, None] + across[None, :], np.float32)


def height_image(
    depth_m: NDArray[np.float32], plane: Plane, camera: CameraIntrinsics, roi: Roi | None = None
) -> NDArray[np.float32]:
    """Give the height above a plane of each pixel of a depth image, or of a window of it.

    Args:
        depth_m: (H, W) float32, metres, NaN = invalid.
        plane: the plane.
        camera: the camera of the image.
        roi: the window; None = the whole image.

    Returns:
        float32 metres of the window's shape, NaN where depth is invalid.
    """
    roi = roi or Roi(0, 0, camera.width, camera.height)
    slope = ray_products(np.asarray(plane.normal), camera, roi)
    return depth_m[roi.slices] * slope + np.float32(plane.offset)


def points(
    depth_m: NDArray[np.float32],
    u: NDArray[np.integer],
    v: NDArray[np.integer],
    camera: CameraIntrinsics,
) -> NDArray[np.float64]:
    """Give the points (N, 3), metres, of the pixels (u, v) of a depth image."""
    return rays(u, v, camera) * depth_m[v, u].astype(np.float64)[:, None]


def window_points(
    depth_m: NDArray[np.float32], places: NDArray[np.integer], camera: CameraIntrinsics, roi: Roi
) -> NDArray[np.float64]:
    """Give the points (N, 3), metres, of some pixels of a window of a depth image.

    Args:
        depth_m: (H, W) float32, metres.
        places: (N,) numbers of the window's pixels, row by row.
        camera: the camera of the image.
        roi: the window.

    Returns:
        One coordinate after the other in memory, so that each is quickly gone through.
    """
    depth = depth_m[roi.slices].astype(np.float64)
    x = (np.arange(roi.x, roi.x + roi.width) - camera.cx) / camera.fx
    y = (np.arange(roi.y, roi.y + roi.height) - camera.cy) / camera.fy
    return np.stack([axis.ravel()[places] for axis in (x * depth, y[:, None] * depth, depth)]).T


def on_plane(u: Pixels, v: Pixels, plane: Plane, camera: CameraIntrinsics) -> NDArray[np.float64]:
    """Give where the rays of pixels meet a plane: (..., 3) metres, NaN if behind the camera."""
    ray = rays(u, v, camera)
    slope = ray @ np.asarray(plane.normal)
    with np.errstate(divide='ignore', invalid='ignore'):
        depth = np.where(slope < -1e-9, -plane.offset / slope, np.nan)
    met: NDArray[np.float64] = ray * depth[..., None]
    return met


def project(points_m: NDArray[np.float64], camera: CameraIntrinsics) -> NDArray[np.float64]:
    """Give the pixels (..., 2) as u, v of points (..., 3), metres, in the optical frame."""
    z = np.maximum(points_m[..., 2], 1e-6)
    u = camera.fx * points_m[..., 0] / z + camera.cx
    v = camera.fy * points_m[..., 1] / z + camera.cy
    return np.stack([u, v], axis=-1)


def plane_axes(plane: Plane) -> NDArray[np.float64]:
    """Give axes (3, 3) as columns: x and y in the plane (x as near to the camera's x), -normal.

    Right-handed; z points away from the camera, so x and y run as the picture's columns and rows.
    """
    z = -np.asarray(plane.normal)
    x = np.array([1.0, 0.0, 0.0]) - z[0] * z
    if np.linalg.norm(x) < 0.1:  # the plane is seen edge on from the side: take the camera's y
        x = np.cross(np.array([0.0, 1.0, 0.0]), z)
    x /= np.linalg.norm(x)
    return np.stack([x, np.cross(z, x), z], axis=1)
