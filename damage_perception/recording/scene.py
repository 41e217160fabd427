"""A belt with boxes seen from above, rendered by casting a ray a pixel: for scenario recordings."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.recording.box import BELT_M, CAMERA, TEXEL_M, Box, top_texture

FLOOR_M = 1.5
BELT_HALF_WIDTH_M = 0.30
LIGHT = np.array([-0.45, -0.35, -0.82])  # direction to the light, optical frame


class Scene:
    """Boxes on a moving belt; everything follows from the boxes, the speed and the seed."""

    def __init__(self, boxes: tuple[Box, ...], speed: float, seed: int) -> None:
        self.boxes, self.speed = boxes, speed
        self._tops = {box.name: top_texture(box, seed) for box in boxes}
        rng = np.random.default_rng([seed, 1])
        self._belt = rng.normal(0.0, 5.0, (480, 4096)).astype(np.float32)
        self._belt = cv2.GaussianBlur(self._belt, (0, 0), 1.5)
        v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
        self._ray_x = ((u - CAMERA.cx) / CAMERA.fx).astype(np.float32)
        self._ray_y = ((v - CAMERA.cy) / CAMERA.fy).astype(np.float32)
        on_belt = np.abs(self._ray_y * BELT_M) < BELT_HALF_WIDTH_M
        self._empty_depth = np.where(on_belt, np.float32(BELT_M), np.float32(FLOOR_M))
        belt, floor = (52.0, 74.0, 60.0), (112.0, 110.0, 106.0)
        self._empty_rgb = np.where(on_belt[..., None], belt, floor).astype(np.float32)

    def render(self, time_s: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """Give colour (H, W, 3) and true depth (H, W) in metres at a time."""
        rgb, depth = self._background(time_s)
        for box in self.boxes:
            self._draw(box, time_s, rgb, depth)
        return np.clip(rgb, 0, 255).astype(np.uint8), depth

    def _background(self, time_s: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        shift = round(self.speed * time_s * CAMERA.fx / BELT_M)
        grain = self._belt[:, (np.arange(CAMERA.width) - shift) % self._belt.shape[1]]
        return self._empty_rgb + np.float32(2.0) * grain[..., None], self._empty_depth.copy()

    def _draw(
        self, box: Box, time_s: float, rgb: NDArray[np.float32], depth: NDArray[np.float32]
    ) -> None:
        """Intersect all rays with a box by its slabs, in the frame of the box."""
        length, width, height = box.size
        centre_x = box.centre_x(time_s, self.speed)
        window = _window(box, centre_x)
        rgb, depth = rgb[window], depth[window]
        if depth.size == 0:
            return
        ray_x, ray_y = self._ray_x[window], self._ray_y[window]
        cos, sin = np.cos(box.yaw), np.sin(box.yaw)
        ray = (cos * ray_x + sin * ray_y, cos * ray_y - sin * ray_x)
        origin = (
            -(cos * centre_x + sin * box.offset_m),
            -(cos * box.offset_m - sin * centre_x),
        )
        near = np.full_like(depth, BELT_M - height)
        far = np.full_like(depth, BELT_M)
        face = np.zeros(depth.shape, np.uint8)  # 0 top, 1 short sides, 2 long sides
        for axis, half in enumerate((length / 2, width / 2)):
            with np.errstate(divide='ignore', invalid='ignore'):
                first, second = ((s * half - origin[axis]) / ray[axis] for s in (-1.0, 1.0))
            enter, leave = np.fmin(first, second), np.fmax(first, second)
            face[enter > near] = axis + 1
            near, far = np.maximum(near, enter), np.minimum(far, leave)
        hit = (near < far) & (near < depth)
        u, v = (origin[axis] + ray[axis] * near for axis in (0, 1))
        self._shade(box, hit, face, u, v, near, rgb, depth)

    def _shade(
        self, box: Box, hit: NDArray[np.bool_], face: NDArray[np.uint8], u: NDArray[Any],
        v: NDArray[Any], near: NDArray[Any], rgb: NDArray[np.float32], depth: NDArray[np.float32],
    ) -> None:  # fmt: skip
        top = hit & (face == 0)
        texture = self._tops[box.name]
        rows = ((v[top] + box.size[1] / 2) / TEXEL_M).astype(int).clip(0, texture.shape[0] - 1)
        columns = ((u[top] + box.size[0] / 2) / TEXEL_M).astype(int).clip(0, texture.shape[1] - 1)
        sink, slope_u, slope_v = _dent(box, u[top], v[top])
        normal = np.stack([-slope_u, -slope_v, -np.ones_like(sink)], -1)
        light = (normal @ LIGHT) / np.linalg.norm(normal, axis=-1) / -LIGHT[2]
        rgb[top] = texture[rows, columns] * np.clip(light, 0.2, 1.4)[:, None]
        depth[top] = near[top] + sink
        for side, brightness in ((1, 0.55), (2, 0.65)):
            pixels = hit & (face == side)
            rgb[pixels] = np.array(box.colour, np.float32) * brightness
            depth[pixels] = near[pixels]


def _window(box: Box, centre_x: float) -> tuple[slice, slice]:
    """Give rows and columns that hold the whole box."""
    reach = 0.5 * float(np.hypot(*box.size[:2]))
    nearest = BELT_M - box.size[2]

    def span(centre: float, focal: float, middle: float, size: int) -> slice:
        edges = [focal * (centre + d) / z for d in (-reach, reach) for z in (nearest, BELT_M)]
        low, high = round(min(edges) + middle) - 1, round(max(edges) + middle) + 2
        return slice(max(0, low), max(0, min(size, high)))

    rows = span(box.offset_m, CAMERA.fy, CAMERA.cy, CAMERA.height)
    return rows, span(centre_x, CAMERA.fx, CAMERA.cx, CAMERA.width)


def _dent(
    box: Box, u: NDArray[Any], v: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Give how far the top sinks and its slopes: a smooth bowl."""
    du, dv = u - box.dent_at[0] * box.size[0], v - box.dent_at[1] * box.size[1]
    inside = 1.0 - (du**2 + dv**2) / box.dent_radius_m**2
    inside = np.clip(inside, 0.0, None)
    slope = -4.0 * box.dent_m * inside / box.dent_radius_m**2
    return box.dent_m * inside**2, slope * du, slope * dv
