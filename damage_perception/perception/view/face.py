"""The face of an item that the camera sees best, as an oriented box."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from damage_perception.frame import CameraIntrinsics, MeasuredFrame
from damage_perception.perception.projection import (
    Plane,
    plane_axes,
    project,
    rays,
    window_points,
)
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.support.ransac import fit_plane
from damage_perception.quantiles import median
from damage_perception.report import Pose, Roi

_FEWEST_POINTS = 30
_MOST_POINTS = 20_000  # noise is correlated, so more points say no more
_RANSAC_TRIES = 96
_RANSAC_POINTS = 500
_THIN_M2 = 1e-9  # twice the area of a triangle that tells no plane
_STRAYS_M = 0.05  # by which the middle of a face may lie beyond what was measured of it
_RELIEF_M = 0.0012  # of sound cardboard: however little a camera's noise is, no face is flatter


@dataclass(frozen=True, eq=False)
class Face:
    """The face of an item that the camera sees best, as an oriented box.

    Attributes:
        plane: the face, in the camera's optical frame.
        axes: (3, 3) columns: along the length, along the width, away from the camera.
        centre: (3,) metres, the middle of the face.
        size: (3,) metres: length, width, height above the support.
    """

    plane: Plane
    axes: NDArray[np.float64]
    centre: NDArray[np.float64]
    size: NDArray[np.float64]

    @property
    def to_camera(self) -> NDArray[np.float64]:
        """(4, 4) from view coordinates (x, y, away from the camera), metres, to the camera."""
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = self.axes, self.centre
        return matrix

    def like(self, axis: NDArray[np.float64]) -> Face:
        """Turn by quarters so that the length runs next to `axis` (3,), as in an earlier frame."""
        axes, size = self.axes, self.size
        if abs(axes[:, 1] @ axis) > abs(axes[:, 0] @ axis):
            axes = np.stack([axes[:, 1], -axes[:, 0], axes[:, 2]], axis=1)
            size = size[[1, 0, 2]]
        if axes[:, 0] @ axis < 0.0:
            axes = axes * [-1.0, -1.0, 1.0]
        return Face(self.plane, axes, self.centre, size)

    @property
    def pose(self) -> Pose:
        """The pose of the oriented box: x length, y width, z out of the face, origin its centre."""
        out = -self.axes[:, 2]
        turn = np.stack([self.axes[:, 0], np.cross(out, self.axes[:, 0]), out], axis=1)
        centre = self.centre - out * self.size[2] / 2
        return Pose(tuple(map(float, centre)), _quaternion(turn))  # type: ignore[arg-type]


def find_face(
    frame: MeasuredFrame,
    mask: NDArray[np.bool_],
    roi: Roi,
    support: Plane,
    profile: SensorProfile,
) -> Face | None:
    """Find the face of an item that the camera sees best.

    Args:
        frame: colour, depth and camera.
        mask: (roi.height, roi.width) bool, the item.
        roi: where the mask lies.
        support: what the item lies on.
        profile: the noise of the depth.

    Returns:
        The face; None where the item shows too little depth.
    """
    measured = np.flatnonzero(mask & np.isfinite(frame.depth_m[roi.slices]))
    if len(measured) < _FEWEST_POINTS:
        return None
    some = measured[:: 1 + len(measured) // _MOST_POINTS]
    cloud = window_points(frame.depth_m, some, frame.camera, roi)
    noise_m = profile.std_m(median(cloud[:, 2]))
    plane = _face_plane(cloud, max(noise_m, _RELIEF_M))
    if abs(np.asarray(plane.normal) @ np.asarray(support.normal)) >= 0.5:
        face = _oriented(plane, _footprint(plane, frame, mask, roi, support), support)
        if _is_there(face, cloud):
            return face
    # A side wall, or one along the line of sight, on which its outline would lie far away: the
    # face seen is too oblique to be turned; look square on to the support.
    top = float(np.percentile(support.heights(cloud), 80))
    plane = Plane(support.normal, support.offset - top)
    return _oriented(plane, _footprint(plane, frame, mask, roi, support), support)


def _is_there(face: Face, cloud: NDArray[np.float64]) -> bool:
    """Tell whether a face lies where its points do, (N, 3) metres."""
    low, high = cloud.min(axis=0), cloud.max(axis=0)
    off = np.linalg.norm(face.centre - 0.5 * (low + high))
    return bool(off < np.linalg.norm(high - low) + _STRAYS_M)


def _face_plane(cloud: NDArray[np.float64], noise_m: float) -> Plane:
    """Fit the plane that most points lie on, then all its points by least squares."""
    generator = np.random.default_rng(0)
    some = cloud[:: max(1, len(cloud) // _RANSAC_POINTS)]
    corners = some[generator.integers(0, len(some), (_RANSAC_TRIES, 3))]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    normals /= np.maximum(lengths, _THIN_M2)
    distance = normals @ some.T - np.sum(normals * corners[:, 0], axis=1)[:, None]
    distance /= 3.0 * noise_m
    # A soft vote: a dent or a bulge costs its points a part of their vote, not all of it.
    votes = np.sum(np.maximum(0.0, 1.0 - np.square(distance, out=distance)), axis=1)
    votes[lengths[:, 0] < _THIN_M2] = -1.0  # three points on a line lie on every plane through it
    best = int(np.argmax(votes))
    plane = Plane.through(normals[best] + [0.0, 0.0, 1e-12], corners[best, 0])
    for _ in range(3):
        near = np.flatnonzero(np.abs(plane.heights(cloud)) < 3.0 * noise_m)
        if len(near) < 10:
            break
        plane = fit_plane(np.take(cloud.T, near, axis=1).T)
    return plane


def _footprint(
    plane: Plane, frame: MeasuredFrame, mask: NDArray[np.bool_], roi: Roi, support: Plane
) -> NDArray[np.float64]:
    """Give the places (N, 3) in the axes of the plane over which the item's outline stands.

    Looked at straight down on the face, not along the rays: so the side walls that an item off
    the middle of the picture shows do not make it longer. Where an outline has no depth, it is
    the foot of a wall on the side that faces the camera, and the edge of the face elsewhere.
    """
    inside = mask.astype(np.uint8)
    rim = mask & (cv2.erode(inside, np.ones((5, 5), np.uint8), borderValue=0) == 0)
    v, u = np.divmod(np.flatnonzero(rim), roi.width)
    ray = rays(u + roi.x, v + roi.y, frame.camera)
    depth = frame.depth_m[v + roi.y, u + roi.x].astype(np.float64)
    edge = -plane.offset / (ray @ np.asarray(plane.normal))
    foot = -support.offset / (ray @ np.asarray(support.normal))
    guess = np.where(_faces_camera(inside, u, v, roi, support, frame.camera), foot, edge)
    known = np.isfinite(depth)
    # Depth bleeds at edges: a point outside the box between face and foot is none of the item's.
    depth = np.clip(np.where(known, depth, guess), np.minimum(edge, foot), np.maximum(edge, foot))
    places: NDArray[np.float64] = (ray * depth[:, None]) @ plane_axes(plane)
    return places


def _faces_camera(
    inside: NDArray[np.uint8],
    u: NDArray[np.int64],
    v: NDArray[np.int64],
    roi: Roi,
    support: Plane,
    camera: CameraIntrinsics,
) -> NDArray[np.bool_]:
    """Tell at which pixels of the outline the item turns a wall to the camera.

    There the outline's normal points to where the camera stands over: its foot on the support.
    """
    soft = cv2.GaussianBlur(inside.astype(np.float32), (0, 0), 3.0)
    out_u, out_v = -cv2.Sobel(soft, cv2.CV_32F, 1, 0), -cv2.Sobel(soft, cv2.CV_32F, 0, 1)
    below = project(-np.asarray(support.normal), camera) - [roi.x, roi.y]
    towards = out_u[v, u] * (below[0] - u) + out_v[v, u] * (below[1] - v)
    return np.asarray(towards > 0.0)


def _oriented(plane: Plane, places: NDArray[np.float64], support: Plane) -> Face:
    frame = plane_axes(plane)
    (x, y), (length, width), angle = cv2.minAreaRect(places[:, :2].astype(np.float32))
    if length < width:
        length, width, angle = width, length, angle + 90.0
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    axes = frame @ turn
    centre = frame @ np.array([x, y, plane.offset])
    height = float(support.heights(centre))
    return Face(plane, axes, centre, np.array([length, width, max(height, 0.0)]))


def _quaternion(turn: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Give the quaternion (x, y, z, w) of a rotation matrix (3, 3)."""
    x, y, z, w = (float(value) for value in Rotation.from_matrix(turn).as_quat())
    return x, y, z, w
