"""Which plane of a depth image is the belt, tray or table that items lie on."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, height_image, project
from damage_perception.perception.support.ransac import cloud_of, find_planes
from damage_perception.perception.support.region import along_sides, middle, surrounds
from damage_perception.setting import check_ranges, setting

_COST_OF_BELOW = 2.0  # a point below a plane speaks more against it than one on it for it
_BELOW = 0.1  # of what surrounds an item may lie below as a share: more is its own support
_FARTHEST_PX = 1e6  # a corner further off is no place in a picture
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
        pairs = len(self.region) % 2 == 0 and len(self.region) not in (2, 4)
        if not pairs or not all(abs(value) <= _FARTHEST_PX for value in self.region):
            raise ValueError(
                'region must be empty or at least 3 corners as x, y pairs of pixels, '
                f'got {self.region}'
            )


def find_support_plane(
    depth_m: NDArray[np.float32], camera: CameraIntrinsics, settings: PlaneSettings
) -> Plane | None:
    """Find the belt, tray or table in a depth image; None if there is none.

    Of all planes it is the one that shows most of itself near the middle of the picture, where a
    camera is aimed at, and has little below it: items and raised belts lie above their support,
    and what is seen of a floor beside it lies further below than an item is tall. In a crop one
    item may fill the middle: there the support is the plane that runs along the sides, or one
    close below the item that shows itself beside it.
    """
    region = np.asarray(settings.region, np.float64).reshape(-1, 1, 2)
    inside = np.zeros(depth_m.shape, np.uint8)
    if len(region):
        cv2.fillPoly(inside, [region.round().astype(np.int32)], 1)
        clouds = [cloud_of(depth_m, camera, inside)]
    else:
        inside[middle(depth_m.shape)] = 1
        clouds = [cloud_of(depth_m, camera, part) for part in (inside, np.ones_like(inside))]
    everywhere = clouds[-1]
    planes = [plane for cloud in clouds for plane in _planes_in(cloud, settings)]
    weight = _nearness(everywhere, camera)
    shares = [_shown(plane, everywhere, weight, settings.tolerance_m) for plane in planes]
    if not shares:
        return None
    best = planes[int(np.argmax(shares))]
    if len(region):
        return best
    return (
        _surrounding(depth_m, camera, settings)
        or _close_below(everywhere, best, camera, settings)
        or best
    )


def _nearness(cloud: NDArray[np.float64], camera: CameraIntrinsics) -> NDArray[np.float64]:
    """Weigh points by the nearness of their pixels to the middle of the picture, (N,) up to 1."""
    size = np.array([camera.width, camera.height])
    off = (project(cloud, camera) - size / 2) / (size / 2)
    return np.asarray(np.exp(-2.0 * np.sum(off**2, axis=1)))


def _shown(
    plane: Plane, cloud: NDArray[np.float64], weight: NDArray[np.float64], tolerance_m: float
) -> float:
    """Give the share of what is seen that lies on a plane, less what lies close below it."""
    height = plane.heights(cloud)
    below = (height < -2.0 * tolerance_m) & (height > -_TALLEST_ITEM_M)
    total = max(float(weight.sum()), 1e-9)
    on = weight[np.abs(height) < tolerance_m].sum()
    return float(on - _COST_OF_BELOW * weight[below].sum()) / total


def _planes_in(cloud: NDArray[np.float64], settings: PlaneSettings) -> list[Plane]:
    return find_planes(cloud, settings.tolerance_m, settings.max_tilt_deg)


def _surrounding(
    depth_m: NDArray[np.float32], camera: CameraIntrinsics, settings: PlaneSettings
) -> Plane | None:
    """Find the plane that runs along three sides of the picture and has little below it.

    So a crop of one item shows its support. The item fills the middle there: a plane through its
    face, or midway between a thin item and its support, shows more of itself.
    """
    for plane in _planes_in(cloud_of(depth_m, camera, along_sides(depth_m.shape)), settings):
        height = height_image(depth_m, plane, camera)
        on = np.abs(height) < settings.tolerance_m
        below = (height < -2.0 * settings.tolerance_m) & (height > -_TALLEST_ITEM_M)
        if surrounds(on) and np.count_nonzero(below) < _BELOW * np.count_nonzero(on):
            return plane
    return None


def _close_below(
    cloud: NDArray[np.float64], plane: Plane, camera: CameraIntrinsics, settings: PlaneSettings
) -> Plane | None:
    """Find a plane close below another one that shows itself on at least three sides of it."""
    height = plane.heights(cloud)
    on = cloud[np.abs(height) < settings.tolerance_m]
    below = cloud[(height < -settings.tolerance_m) & (height > -_TALLEST_ITEM_M)]
    if len(on) < 50 or 6 * len(below) < len(on):
        return None
    candidates = _planes_in(below, settings)
    if not candidates:
        return None
    candidate = candidates[0]
    place = project(on, camera)
    low, high = np.percentile(place, [2, 98], axis=0)
    around = project(below[np.abs(candidate.heights(below)) < settings.tolerance_m], camera)
    enough = max(20, len(around) // 20)
    sides = np.concatenate([(around < low).sum(axis=0), (around > high).sum(axis=0)])
    return candidate if np.count_nonzero(sides >= enough) >= 3 else None
