"""From an item in a picture to its ItemView: turned square on to its face and measured."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics, MeasuredFrame
from damage_perception.perception.projection import height_image
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.view.face import Face
from damage_perception.perception.view.item_view import (
    DEFAULT_RESOLUTION_M,
    MARGIN_M,
    ItemView,
    without_whiskers,
)
from damage_perception.perception.view.parallax import look_at, sample
from damage_perception.perception.view.window import ItemWindow
from damage_perception.report import Roi

Map = NDArray[np.float32]

_MOST_PIXELS = 640  # longest side of a view; larger items are seen coarser
_RIM_M = 0.003  # rounding of an item's outline beyond its box
_WALL_M = 0.02  # what hangs lower than this and is seen at a slant is a side wall
_ASTRAY_M = 0.008  # a ray that ends so far off met something else, however good the depth


class ViewGrid:
    """The places of a face that the pixels of a view show, as seen from the camera.

    Attributes:
        resolution_m: metres per pixel.
        x_m: (W,) metres along the face's length from its middle.
        y_m: (H,) metres along its width.
    """

    def __init__(self, face: Face, resolution_m: float) -> None:
        span = face.size[:2] + 2 * MARGIN_M
        self.resolution_m = max(resolution_m, float(span.max()) / _MOST_PIXELS)
        columns, rows = (max(8, int(np.ceil(side / self.resolution_m))) for side in span)
        self.x_m = (np.arange(columns) - (columns - 1) / 2) * self.resolution_m
        self.y_m = (np.arange(rows) - (rows - 1) / 2) * self.resolution_m
        across, down = self.x_m.astype(np.float32)[None, :], self.y_m.astype(np.float32)[:, None]
        self._out = (-face.axes[:, 2]).astype(np.float32)
        # Rows and columns part, so the flat face costs one addition a pixel and coordinate.
        self._flat = [
            np.float32(face.centre[k]) + np.float32(face.axes[k, 0]) * across
            + np.float32(face.axes[k, 1]) * down
            for k in range(3)
        ]  # fmt: skip

    def depth_m(self, relief: Map) -> Map:
        """Give the depth (H, W) of the places that lie `relief` metres above the face."""
        return np.asarray(self._flat[2] + relief * self._out[2], np.float32)

    def pixels(self, relief: Map, camera: CameraIntrinsics, roi: Roi) -> tuple[Map, Map]:
        """Give the columns and rows of a window where those places are seen."""
        scale = np.float32(1.0) / np.maximum(self.depth_m(relief), np.float32(1e-3))
        u, v = (
            np.float32(focal) * (self._flat[k] + relief * self._out[k]) * scale
            + np.float32(centre - corner)
            for k, focal, centre, corner in (
                (0, camera.fx, camera.cx, roi.x),
                (1, camera.fy, camera.cy, roi.y),
            )
        )
        return u, v


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
    roi, grid = window.roi, ViewGrid(face, resolution_m)
    height = height_image(frame.depth_m, face.plane, frame.camera, roi)
    valid = np.isfinite(height)
    wall_or_belt = np.where(window.item, np.float32(0.0), np.float32(-face.size[2]))
    guess = np.where(valid, height, wall_or_belt)
    limit = max(_ASTRAY_M, 3.0 * profile.std_m(float(face.centre[2])))
    in_box = _in_box(grid, face)
    pixels = partial(grid.pixels, camera=frame.camera, roi=roi)
    sight = look_at(guess, pixels, in_box, -1.5 * float(face.size[2]) - 0.05, limit)
    map_u, map_v, hidden = sight.u, sight.v, sight.hidden
    rgb = cv2.remap(
        frame.rgb[roi.slices], map_u, map_v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT
    )
    layers = [np.where(valid, height, np.float32(0.0)), valid, window.others, window.item]
    stack = cv2.merge([np.asarray(layer, np.float32) for layer in layers])
    total, weight, other, item_share = cv2.split(sample(stack, map_u, map_v))
    inside = (map_u >= 0) & (map_v >= 0) & (map_u <= roi.width - 1) & (map_v <= roi.height - 1)
    clear = inside & (other <= 0.01)
    seen = clear & ~hidden
    measured = seen & (weight > 0.5)
    item = inside & (item_share > 0.5) & ~(hidden & (sight.relief_m < -_WALL_M))
    # What is seen instead is another part of the item a second time; only in it is colour kept,
    # since the walls of a deep hole lie where no depth says.
    rgb[~(seen | (clear & item))] = 0
    nothing = np.float32(np.nan)
    std = profile.std_m(grid.depth_m(sight.relief_m)).astype(np.float32)
    return ItemView(
        rgb,
        np.where(measured, total / np.maximum(weight, np.float32(0.5)), nothing),
        np.where(measured, std, nothing),
        without_whiskers(item & in_box, grid.resolution_m),
        seen,
        grid.resolution_m,
        face.to_camera,
        1.0,
        profile.correlation_m(float(face.centre[2]), frame.camera.fx),
    )


def _in_box(grid: ViewGrid, face: Face) -> NDArray[np.bool_]:
    """Give the face's rectangle in a view: what lies beside it is a side wall."""
    columns = np.abs(grid.x_m) < face.size[0] / 2 + _RIM_M
    rows = np.abs(grid.y_m) < face.size[1] / 2 + _RIM_M
    return np.asarray(rows[:, None] & columns[None, :])
