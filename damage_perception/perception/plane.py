"""The support: the belt, tray or table that items lie on, found once and remembered."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, height_image, on_plane, plane_axes, points, project
from damage_perception.setting import check_ranges, setting

_MOST_PLANES = 5  # belts, a floor, large box tops: candidates in one picture
_MAP_COLUMNS = 320  # width of the map of the support
_MOST_POINTS = 12_000  # for RANSAC; more points give no better plane, only a slower one


@dataclass(frozen=True)
class PlaneSettings:
    """How the support is found."""

    tolerance_m: float = setting(
        0.012, 'Metres that a point may lie off the support and still belong to it.',
        low=0.001, high=0.1,
    )
    max_tilt_deg: float = setting(
        60.0, 'Largest angle between the optical axis and the normal of the support, degrees.',
        low=0.0, high=85.0,
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
    """Find the support in depth images and remember it until it moves."""

    def __init__(self, settings: PlaneSettings | None = None) -> None:
        self.settings = settings or PlaneSettings()
        self._camera: CameraIntrinsics | None = None
        self._forget()

    def _forget(self) -> None:
        self._plane: Plane | None = None
        self._hull: NDArray[np.int32] | None = None
        self._known: NDArray[np.bool_] | None = None
        self._cloud: NDArray[np.float64] | None = None

    def update(self, depth_m: NDArray[np.float32], camera: CameraIntrinsics) -> Support | None:
        """Give the support of a depth image (H, W) float32 metres; None if there is none."""
        if camera != self._camera:
            self._camera = camera
            self._forget()
        if self._plane is None or self._moved(depth_m, camera):
            plane = find_support_plane(depth_m, camera, self.settings)
            if plane is None:
                return None
            self._forget()
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
        step = _stride(depth_m.shape)
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
        step = _map_step(camera)
        height = height_image(depth_m, self._plane, camera)[::step, ::step]
        near = np.abs(height) < self.settings.tolerance_m
        on = _main_piece(near, height >= self.settings.tolerance_m)
        v, u = np.nonzero(on)
        if len(u) < 50:
            return
        self._known = on if self._known is None else on | self._known
        self._hull = _outline(self._known, self._plane, camera)
        cloud = points(depth_m, u * step, v * step, camera)
        if self._cloud is not None:
            cloud = np.concatenate([cloud, self._cloud])
        # Enough to average over a few pictures, little enough to forget a support that sags.
        self._cloud = cloud[: 2 * _MOST_POINTS]
        self._plane = fit_plane(self._cloud)


def find_support_plane(
    depth_m: NDArray[np.float32], camera: CameraIntrinsics, settings: PlaneSettings
) -> Plane | None:
    """Find the lowest large plane in the middle of the picture; None if there is none.

    Lowest, since items and raised belts lie above the support; large, since anything below it
    (a gap, the floor) shows little of itself in the middle half of the picture.
    """
    cloud = _cloud(depth_m, camera, settings)
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


def _stride(shape: tuple[int, ...]) -> int:
    return max(1, int(np.sqrt(shape[0] * shape[1] / (4 * _MOST_POINTS))))


def _middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Give rows and columns of the middle half of a picture, where a camera is aimed at."""
    h, w = shape
    return slice(h // 4, h - h // 4), slice(w // 4, w - w // 4)


def _cloud(
    depth_m: NDArray[np.float32], camera: CameraIntrinsics, settings: PlaneSettings
) -> NDArray[np.float64]:
    """Give points of the region of interest, or of the middle half of the picture."""
    inside = np.zeros(depth_m.shape, np.uint8)
    corners = np.asarray(settings.region, np.float64).reshape(-1, 1, 2)
    if len(corners):
        cv2.fillPoly(inside, [corners.round().astype(np.int32)], 1)
    else:
        inside[_middle(depth_m.shape)] = 1
    v, u = np.nonzero(inside.astype(bool) & np.isfinite(depth_m))
    step = max(1, len(u) // _MOST_POINTS)
    return points(depth_m, u[::step], v[::step], camera)


def _ransac(cloud: NDArray[np.float64], tolerance_m: float) -> tuple[Plane, NDArray[np.int64]]:
    import open3d  # heavy: half of the start-up time, needed only when a plane is sought

    open3d.utility.random.seed(0)
    cloud3d = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(cloud))
    model, inliers = cloud3d.segment_plane(tolerance_m, 3, 300)
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


def _map_step(camera: CameraIntrinsics) -> int:
    return max(1, camera.width // _MAP_COLUMNS)


def _main_piece(on: NDArray[np.bool_], above: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Keep the support in the middle of the picture, also where parcels cut it into pieces.

    Not the largest piece: the floor may happen to lie in the same plane.
    """
    count, pieces = cv2.connectedComponents(_dense(on), connectivity=4)
    inside = np.bincount(pieces[_middle(on.shape)].ravel(), minlength=count)
    whole = np.bincount(pieces.ravel(), minlength=count)
    central = 6 * inside >= whole  # one that fills the whole picture has a quarter there
    central[0] = False
    piece = central[pieces]
    joined = piece.astype(np.uint8) | _dense(above)
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=4)
    middle = np.bincount(labels[piece], minlength=count)
    middle[0] = 0
    main: NDArray[np.bool_] = piece & (labels == int(np.argmax(middle)))
    return main


def _dense(on: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Keep what has company: rails are thinner than a belt, drop-outs leave most of it."""
    share = cv2.blur(on.astype(np.float32), (5, 5), borderType=cv2.BORDER_REPLICATE)
    return (on & (share > 0.6)).astype(np.uint8)


def _outline(
    on: NDArray[np.bool_], plane: Plane, camera: CameraIntrinsics
) -> NDArray[np.int32]:
    """Give the rectangle on the plane that holds a map of the support, (N, 1, 2) pixels.

    Belts, trays and tables are rectangles; the outermost hundredth on each side is cut off, since
    rails and cables touch them here and there.
    """
    v, u = np.nonzero(on)
    step = _map_step(camera)
    frame = plane_axes(plane)
    flat = on_plane(u * step, v * step, plane, camera) @ frame[:, :2]
    (_, _), _, angle = cv2.minAreaRect(cv2.convexHull(flat.astype(np.float32)))
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s], [s, c]])
    low, high = np.percentile(flat @ turn, [0.5, 99.5], axis=0)
    corners = np.array([low, (low[0], high[1]), high, (high[0], low[1])]) @ turn.T
    foot = -plane.offset * np.asarray(plane.normal)
    return project(corners @ frame[:, :2].T + foot, camera).round().astype(np.int32)[:, None]
