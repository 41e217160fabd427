"""Where the rays of a camera meet the scene map: relief marching on arrays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.noise import Field
from damage_perception.synthesis.scene import SceneMap

_ROW = 512  # lists of points are folded into rows for cv2.remap, whose images are below 32767 wide
_MOST_STEPS = 64
_STEP_PX = 2.0  # of a march over the map
_CLEAR_EVERY = 4  # steps after which rays that have met something are put aside
_TILE = 256  # pixels of the picture whose rays run much alike
_CELL = 4  # pixels of the map per cell of the coarse bounds
_LOOKUPS = 3
_EASY_PX = 1.5  # a ray that moves less than this over the map cannot jump over anything


@dataclass(frozen=True, eq=False)
class CameraPose:
    """A camera over the scene: rotation (3, 3) optical frame to scene, position (3,) metres."""

    rotation: NDArray[np.float64]
    position: NDArray[np.float64]

    def project(self, points: NDArray[np.float64], camera: CameraIntrinsics) -> NDArray[np.float64]:
        """Give pixels (N, 2) of scene points (N, 3)."""
        local = (points - self.position) @ self.rotation
        u = camera.fx * local[:, 0] / local[:, 2] + camera.cx
        v = camera.fy * local[:, 1] / local[:, 2] + camera.cy
        return np.stack([u, v], axis=1)


@dataclass(frozen=True, eq=False)
class Hits:
    """What each pixel sees, all (H, W) float32: map column and row, height, depth (metres)."""

    col: Field
    row: Field
    z: Field
    depth: Field


def cast(scene: SceneMap, pose: CameraPose, camera: CameraIntrinsics) -> Hits:
    """Find where each pixel's ray first meets the scene from above."""
    u = ((np.arange(camera.width) - camera.cx) / camera.fx).astype(np.float32)[None, :]
    v = ((np.arange(camera.height) - camera.cy) / camera.fy).astype(np.float32)[:, None]
    r = pose.rotation.astype(np.float32)
    down = r[2, 0] * u + r[2, 1] * v + r[2, 2]
    slope_col = (r[0, 0] * u + r[0, 1] * v + r[0, 2]) / down * np.float32(1 / scene.mpp)
    slope_row = (r[1, 0] * u + r[1, 1] * v + r[1, 2]) / down * np.float32(-1 / scene.mpp)
    x, y, z = (float(value) for value in pose.position)
    # On a ray, map column and row are linear in height: col = col0 + z * slope_col.
    col0 = np.float32((x - scene.left) / scene.mpp) - np.float32(z) * slope_col
    row0 = np.float32((scene.top - y) / scene.mpp) - np.float32(z) * slope_row
    height = np.empty_like(col0)
    for top in range(0, camera.height, _TILE):
        for left in range(0, camera.width, _TILE):
            tile = (slice(top, top + _TILE), slice(left, left + _TILE))
            parts = [part[tile] for part in (col0, row0, slope_col, slope_row)]
            height[tile] = _march_tile(scene.height, *parts)
    col, row = col0 + height * slope_col, row0 + height * slope_row
    return Hits(col, row, height, (height - np.float32(z)) / down)


def _march_tile(
    surface: Field, col0: Field, row0: Field, slope_col: Field, slope_row: Field
) -> Field:
    """March the rays of a tile over the part of the map that they can meet."""
    ends = (float(surface.min()), float(surface.max()))
    cols = [edge(col0 + z * slope_col) for z in ends for edge in (np.min, np.max)]
    rows = [edge(row0 + z * slope_row) for z in ends for edge in (np.min, np.max)]
    left, right = (int(np.clip(side, 0, surface.shape[1] - 2)) for side in (min(cols), max(cols)))
    top, bottom = (int(np.clip(side, 0, surface.shape[0] - 2)) for side in (min(rows), max(rows)))
    # A margin, since the map goes on as its border and a cell looks at its neighbours.
    left, top = max(0, left - 2 * _CELL), max(0, top - 2 * _CELL)
    part = np.ascontiguousarray(surface[top : bottom + 2 * _CELL, left : right + 2 * _CELL])
    return _march(part, col0 - np.float32(left), row0 - np.float32(top), slope_col, slope_row)


def _march(surface: Field, col0: Field, row0: Field, slope_col: Field, slope_row: Field) -> Field:
    high, low = _bounds(surface, col0, row0, slope_col, slope_row)
    z = high
    for _ in range(_LOOKUPS):  # enough where little parallax is left
        met = cv2.remap(surface, col0 + z * slope_col, row0 + z * slope_row, cv2.INTER_LINEAR,
                        borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        z = np.clip(met, low, high)
    way = (high - low) * np.sqrt(slope_col**2 + slope_row**2)
    hard = np.flatnonzero(way.ravel() > _EASY_PX)
    if len(hard):
        rays = np.stack([part.ravel()[hard] for part in (col0, row0, slope_col, slope_row)])
        z.ravel()[hard] = _search(surface, rays, high.ravel()[hard], low.ravel()[hard])
    return z


def _bounds(
    surface: Field, col0: Field, row0: Field, slope_col: Field, slope_row: Field
) -> tuple[Field, Field]:
    """Highest and lowest surface along each ray's way, from a coarse pyramid of the map."""
    top, floor = float(surface.max()), float(surface.min())
    middle, half = np.float32((top + floor) / 2), (top - floor) / 2
    rows, cols = (-(-side // _CELL) * _CELL for side in surface.shape)
    padded = cv2.copyMakeBorder(surface, 0, rows - surface.shape[0], 0, cols - surface.shape[1],
                                cv2.BORDER_REPLICATE)  # fmt: skip
    cell = np.ones((_CELL, _CELL), np.uint8)
    last = (slice(_CELL - 1, None, _CELL), slice(_CELL - 1, None, _CELL))
    corner = (_CELL - 1, _CELL - 1)
    kernel = _way_kernel(slope_col, slope_row, half)
    most = np.ascontiguousarray(cv2.dilate(padded, cell, anchor=corner)[last])
    least = np.ascontiguousarray(cv2.erode(padded, cell, anchor=corner)[last])
    ceiling, bottom = cv2.dilate(most, kernel), cv2.erode(least, kernel)
    shift = np.float32(0.5 - 0.5 / _CELL)
    at_col = (col0 + middle * slope_col) / _CELL - shift
    at_row = (row0 + middle * slope_row) / _CELL - shift
    near = cv2.INTER_NEAREST
    high = cv2.remap(ceiling, at_col, at_row, near, borderMode=cv2.BORDER_REPLICATE)
    low = cv2.remap(bottom, at_col, at_row, near, borderMode=cv2.BORDER_REPLICATE)
    return high, low


def _way_kernel(slope_col: Field, slope_row: Field, half: float) -> NDArray[np.uint8]:
    """The cells that a ray crosses between top and floor: a stroke in the rays' mean direction."""
    mean = float(slope_col.mean()), float(slope_row.mean())
    spread = max(float(np.abs(slope_col - mean[0]).max()), float(np.abs(slope_row - mean[1]).max()))
    ends = [component * half / _CELL for component in mean]
    thick = int(np.ceil(spread * half / _CELL)) + 1
    reach = int(np.ceil(max(abs(end) for end in ends))) + thick
    kernel = np.zeros((2 * reach + 1, 2 * reach + 1), np.uint8)
    first, last = ((round(reach + sign * ends[0]), round(reach + sign * ends[1]))
                   for sign in (-1, 1))  # fmt: skip
    cv2.line(kernel, first, last, 1, 1)
    return cv2.dilate(kernel, np.ones((2 * thick + 1, 2 * thick + 1), np.uint8))


def _search(surface: Field, rays: Field, high: Field, low: Field) -> Field:
    """March down each ray until it is below the surface, then bisect.

    Args:
        surface: (H, W) float32 heights.
        rays: (4, N) map column and row at height 0, and their change per metre of height.
        high: (N,) where the march begins.
        low: (N,) where it ends.
    """
    count = len(high)
    fill = _full_rows(count)  # whole rows for cv2.remap; what is doubled does no harm
    rays, high, low = rays[:, fill], high[fill], low[fill]
    above, below = high.copy(), low.copy()
    way = (high - low) * np.sqrt(rays[2] ** 2 + rays[3] ** 2)
    steps = int(np.clip(np.ceil(float(way.max()) / _STEP_PX), 2, _MOST_STEPS))
    which, moving = np.arange(len(high)), rays
    z, drop = high, (high - low) / np.float32(steps)
    for step in range(1, steps + 1):
        z = z - drop
        hit = _below_surface(surface, moving, z)
        found = which[hit]
        below[found] = z[hit]
        above[found] = z[hit] + drop[hit]
        if step % _CLEAR_EVERY and step < steps:
            z = np.where(hit, np.float32(9.0), z)  # in the air for good: it hits nothing any more
            continue
        keep = np.flatnonzero(~hit & (z < 8.0))
        if len(keep) == 0 or step == steps:
            above[which[keep]] = low[which[keep]]
            break
        keep = keep[_full_rows(len(keep))]
        which, moving, z, drop = which[keep], moving[:, keep], z[keep], drop[keep]
    for _ in range(5):
        middle = (above + below) * np.float32(0.5)
        hit = _below_surface(surface, rays, middle)
        np.copyto(below, middle, where=hit)
        np.copyto(above, middle, where=~hit)
    return ((above + below) * np.float32(0.5))[:count]


def _full_rows(count: int) -> NDArray[np.int64]:
    """Give indices of `count` things, the last one repeated up to a whole number of rows."""
    return np.minimum(np.arange(-(-count // _ROW) * _ROW), count - 1)


def _below_surface(surface: Field, rays: Field, z: Field) -> NDArray[np.bool_]:
    col = (rays[0] + z * rays[2]).reshape(-1, _ROW)
    row = (rays[1] + z * rays[3]).reshape(-1, _ROW)
    met = cv2.remap(surface, col, row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return met.ravel() >= z


def sample_list(
    image: NDArray[Any], cols: Field, rows: Field, flag: int = cv2.INTER_LINEAR
) -> NDArray[Any]:
    """Look an image up at (N,) columns and rows."""
    count = len(cols)
    padded = -(-count // _ROW) * _ROW
    maps = np.zeros((2, padded), np.float32)
    maps[0, :count], maps[1, :count] = cols, rows
    values = cv2.remap(image, maps[0].reshape(-1, _ROW), maps[1].reshape(-1, _ROW), flag,
                       borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return values.reshape(padded, *image.shape[2:])[:count]
