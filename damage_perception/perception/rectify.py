"""From an item in a picture to its ItemView: turned square on to its face and measured."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics, MeasuredFrame
from damage_perception.perception.face import Face
from damage_perception.perception.item_view import DEFAULT_RESOLUTION_M, MARGIN_M, ItemView
from damage_perception.perception.projection import height_image, project
from damage_perception.perception.sensor import SensorProfile
from damage_perception.perception.window import ItemWindow
from damage_perception.report import Roi

_MOST_PIXELS = 640  # longest side of a view; larger items are seen coarser
_RIM_M = 0.003  # rounding of an item's outline beyond its box
_WALL_M = 0.02  # what hangs lower than this and is seen at a slant is a side wall
_LOOKUPS = 3  # fixed-point steps that undo parallax; 20 mm of relief at 45 degrees needs two


def rectify(
    frame: MeasuredFrame,
    window: ItemWindow,
    face: Face,
    profile: SensorProfile,
    resolution_m: float = DEFAULT_RESOLUTION_M,
) -> ItemView:
    """Look at an item square on to its face.

    Args:
        frame: colour, depth and camera.
        window: the item with some support around it; its neighbours are blanked out.
        face: the item's face.
        profile: the noise of the depth.
        resolution_m: metres per pixel of the view.
    """
    roi, mask, others = window.roi, window.item, window.others
    span = face.size[:2] + 2 * MARGIN_M
    resolution_m = max(resolution_m, float(span.max()) / _MOST_PIXELS)
    columns, rows = (max(8, int(np.ceil(side / resolution_m))) for side in span)
    height = height_image(frame.depth_m, face.plane, frame.camera, roi)
    guess = np.where(np.isnan(height), np.where(mask, 0.0, -face.size[2]), height)
    guess = guess.astype(np.float32)
    x = (np.arange(columns) - (columns - 1) / 2) * resolution_m
    y = (np.arange(rows) - (rows - 1) / 2) * resolution_m
    flat = face.centre + x[None, :, None] * face.axes[:, 0] + y[:, None, None] * face.axes[:, 1]
    out = -face.axes[:, 2]
    relief = np.zeros((rows, columns), np.float32)
    for _ in range(_LOOKUPS):
        map_u, map_v = _lookup(flat + relief[..., None] * out, frame.camera, roi)
        met = _sample(guess, map_u, map_v, cv2.INTER_LINEAR)
        step = np.clip(met, -1.5 * face.size[2] - 0.05, 0.15) - relief
        relief = (relief + step).astype(np.float32)
    map_u, map_v = _lookup(flat + relief[..., None] * out, frame.camera, roi)
    rgb = cv2.remap(
        frame.rgb[roi.slices], map_u, map_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    inside = (map_u >= 0) & (map_v >= 0) & (map_u <= roi.width - 1) & (map_v <= roi.height - 1)
    other = _sample(others.astype(np.float32), map_u, map_v, cv2.INTER_LINEAR) > 0.01
    # Behind an edge the ray ends on something else than the place that was asked for.
    met = _sample(guess, map_u, map_v, cv2.INTER_LINEAR)
    hidden = np.abs(met - relief) > max(0.008, 3.0 * profile.std_m(float(face.centre[2])))
    seen = inside & ~other & ~hidden
    view_height = _sample_valid(height, map_u, map_v)
    view_height[~seen] = np.nan
    rgb[~inside | other] = 0
    item = inside & (_sample(mask.astype(np.float32), map_u, map_v, cv2.INTER_LINEAR) > 0.5)
    # What lies beside the box, or hangs down and is seen at a slant, is a side wall.
    item &= (np.abs(x) < face.size[0] / 2 + _RIM_M)[None, :]
    item &= (np.abs(y) < face.size[1] / 2 + _RIM_M)[:, None]
    item &= ~(hidden & (relief < -_WALL_M))
    distance = flat[..., 2] + relief * out[2]
    std = np.where(np.isnan(view_height), np.nan, profile.std_m(distance)).astype(np.float32)
    return ItemView(
        rgb,
        view_height,
        std,
        item,
        seen,
        resolution_m,
        face.to_camera,
        1.0,
        profile.correlation_m(float(face.centre[2]), frame.camera.fx),
    )


def _lookup(
    points_m: NDArray[np.float64], camera: CameraIntrinsics, roi: Roi
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    pixels = project(points_m, camera) - [roi.x, roi.y]
    return pixels[..., 0].astype(np.float32), pixels[..., 1].astype(np.float32)


def _sample(
    image: NDArray[np.float32],
    map_u: NDArray[np.float32],
    map_v: NDArray[np.float32],
    interpolation: int,
) -> NDArray[np.float32]:
    return cv2.remap(image, map_u, map_v, interpolation, borderMode=cv2.BORDER_REPLICATE)


def _sample_valid(
    height: NDArray[np.float32], map_u: NDArray[np.float32], map_v: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Interpolate heights among valid neighbours only; NaN where most are missing."""
    valid = np.isfinite(height)
    total = _sample(np.where(valid, height, 0.0).astype(np.float32), map_u, map_v, cv2.INTER_LINEAR)
    weight = _sample(valid.astype(np.float32), map_u, map_v, cv2.INTER_LINEAR)
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(weight > 0.5, total / weight, np.nan).astype(np.float32)
