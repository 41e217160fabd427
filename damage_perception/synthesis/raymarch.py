"""Where the rays of a camera meet the scene map: relief marching on arrays."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.noise import Field
from damage_perception.synthesis.scene import SceneMap

_ROW = 512  # lists of points are folded into rows for cv2.remap, whose images are below 32767 wide
_MOST_STEPS = 64


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
    height = _march(scene.height, col0, row0, slope_col, slope_row)
    col, row = col0 + height * slope_col, row0 + height * slope_row
    return Hits(col, row, height, (height - np.float32(z)) / down)


def _march(surface: Field, col0: Field, row0: Field, slope_col: Field, slope_row: Field) -> Field:
    top, floor = float(surface.max()), float(surface.min())
    steep = float(np.sqrt(slope_col**2 + slope_row**2).max())
    high, low = _bounds(surface, col0, row0, slope_col, slope_row, top, floor, steep)
    start = cv2.remap(surface, col0 + high * slope_col, row0 + high * slope_row,
                      cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    found = np.minimum(start, high)
    active = np.flatnonzero((high - low).ravel() > 0.0004)
    if len(active) == 0:
        return found
    parts = [np.ascontiguousarray(a.ravel()[active]) for a in (col0, row0, slope_col, slope_row)]
    upper, lower = high.ravel()[active], low.ravel()[active]
    found.ravel()[active] = _search(surface, *parts, upper, lower)
    return found


def _bounds(
    surface: Field, col0: Field, row0: Field, slope_col: Field, slope_row: Field,
    top: float, floor: float, steep: float,
) -> tuple[Field, Field]:  # fmt: skip
    """Highest and lowest surface along each ray's way, from a coarse pyramid of the map."""
    cell = 4
    middle = np.float32((top + floor) / 2)
    reach = int(np.ceil(steep * (top - floor) / 2 / cell)) + 1
    rows, cols = (-(-side // cell) * cell for side in surface.shape)
    padded = cv2.copyMakeBorder(surface, 0, rows - surface.shape[0], 0, cols - surface.shape[1],
                                cv2.BORDER_REPLICATE)  # fmt: skip
    blocks = padded.reshape(rows // cell, cell, cols // cell, cell)
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    ceiling = cv2.dilate(np.ascontiguousarray(blocks.max(axis=(1, 3))), kernel)
    bottom = cv2.erode(np.ascontiguousarray(blocks.min(axis=(1, 3))), kernel)
    at_col = (col0 + middle * slope_col) / cell - np.float32(0.375)
    at_row = (row0 + middle * slope_row) / cell - np.float32(0.375)
    near = cv2.INTER_NEAREST
    high = cv2.remap(ceiling, at_col, at_row, near, borderMode=cv2.BORDER_REPLICATE)
    low = cv2.remap(bottom, at_col, at_row, near, borderMode=cv2.BORDER_REPLICATE)
    return high, low


def _search(
    surface: Field, col0: Field, row0: Field, slope_col: Field, slope_row: Field,
    high: Field, low: Field,
) -> Field:  # fmt: skip
    """March down each ray until it is below the surface, then bisect; all are (N,) float32."""
    above, below = high.copy(), low.copy()
    way = (high - low) * np.sqrt(slope_col**2 + slope_row**2)
    alive = np.flatnonzero(way > 2.0)  # shorter ways cannot jump over anything
    if len(alive):
        steps = int(np.clip(np.ceil(float(way.max()) / 1.8), 2, _MOST_STEPS))
        rays = np.stack([col0, row0, slope_col, slope_row, high, (high - low) / steps])[:, alive]
        for _ in range(steps):
            z = rays[4] - rays[5]
            hit = sample_list(surface, rays[0] + z * rays[2], rays[1] + z * rays[3]) >= z
            rays[4] = z
            if not hit.any():
                continue
            done, keep = np.flatnonzero(hit), np.flatnonzero(~hit)
            below[alive[done]] = z[done]
            above[alive[done]] = z[done] + rays[5, done]
            alive, rays = alive[keep], rays[:, keep]
            if len(alive) == 0:
                break
        above[alive] = low[alive]
    for _ in range(6):
        z = (above + below) * np.float32(0.5)
        hit = sample_list(surface, col0 + z * slope_col, row0 + z * slope_row) >= z
        np.copyto(below, z, where=hit)
        np.copyto(above, z, where=~hit)
    return (above + below) * np.float32(0.5)


def sample_list(image: NDArray, cols: Field, rows: Field, flag: int = cv2.INTER_LINEAR) -> NDArray:
    """Look an image up at (N,) columns and rows."""
    count = len(cols)
    padded = -(-count // _ROW) * _ROW
    maps = np.zeros((2, padded), np.float32)
    maps[0, :count], maps[1, :count] = cols, rows
    values = cv2.remap(image, maps[0].reshape(-1, _ROW), maps[1].reshape(-1, _ROW), flag,
                       borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    return values.reshape(padded, *image.shape[2:])[:count]
