"""A belt with boxes seen from above, rendered by casting a ray a pixel: for scenario recordings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics

CAMERA = CameraIntrinsics(width=640, height=480, fx=600.0, fy=600.0, cx=319.5, cy=239.5)
BELT_M = 1.0  # from the camera to the belt
FLOOR_M = 1.5
BELT_HALF_WIDTH_M = 0.30
TEXEL_M = 0.001
LIGHT = np.array([-0.45, -0.35, -0.82])  # direction to the light, optical frame


@dataclass(frozen=True)
class Box:
    """A carton that rides on the belt.

    Attributes:
        name: unique in its scenario.
        size: length (along the belt when yaw is 0), width, height, metres.
        enters_s: time when its front edge comes into view.
        offset_m: of its centre across the belt.
        yaw: radians about the vertical.
        colour: of its board, RGB.
        dent_m: depth of a dent in its top; 0 = none.
        dent_radius_m: half the width of that dent.
        cracked_print: whether its top shows a cracked screen, printed flat.
    """

    name: str
    size: tuple[float, float, float]
    enters_s: float
    offset_m: float = 0.0
    yaw: float = 0.0
    colour: tuple[int, int, int] = (176, 136, 92)
    dent_m: float = 0.0
    dent_radius_m: float = 0.035
    cracked_print: bool = False

    def centre_x(self, time_s: float, speed: float) -> float:
        """Give the position of its centre along the belt, metres from the optical axis."""
        reach = 0.5 * float(np.hypot(*self.size[:2]))
        edge = -BELT_M * CAMERA.cx / CAMERA.fx
        return edge - reach + (time_s - self.enters_s) * speed


    def in_view_s(self, speed: float) -> tuple[float, float]:
        """Give from when to when the whole box is seen, top and walls, seconds."""
        reach = 0.5 * float(np.hypot(*self.size[:2]))
        edge = (BELT_M - self.size[2]) * CAMERA.cx / CAMERA.fx - reach
        start_x = self.centre_x(0.0, speed)
        return round((-edge - start_x) / speed, 3), round((edge - start_x) / speed, 3)


def top_texture(box: Box, seed: int) -> NDArray[np.uint8]:
    """Paint the top of a box: board, tape, label and what is printed on it; (H, W, 3)."""
    rng = np.random.default_rng([seed, *box.name.encode()])
    height, width = (max(2, round(side / TEXEL_M)) for side in (box.size[1], box.size[0]))
    fibre = cv2.GaussianBlur(rng.normal(0.0, 14.0, (height, width)).astype(np.float32), (0, 0), 1.2)
    top = np.clip(np.array(box.colour, np.float32) + fibre[..., None], 0, 255).astype(np.uint8)
    tape = slice(height // 2 - 22, height // 2 + 22)
    top[tape] = (0.7 * top[tape] + np.array([58, 48, 36])).astype(np.uint8)
    _paint_label(top, rng)
    if box.cracked_print:
        _paint_cracked_screen(top, rng)
    return top


def _paint_label(top: NDArray[np.uint8], rng: np.random.Generator) -> None:
    height, width = top.shape[:2]
    y, x = height // 12, width - width // 3
    label = top[y : y + height // 4, x : x + width // 4]
    label[:] = 236
    bars = np.repeat(rng.random(label.shape[1] // 3 + 1) < 0.5, 3)[: label.shape[1]]
    label[8:-8, bars] = 30


def _paint_cracked_screen(top: NDArray[np.uint8], rng: np.random.Generator) -> None:
    """Print a dark screen with bright cracks: striking to the eye, flat to the depth camera."""
    height, width = top.shape[:2]
    x, y, size = width // 8, height // 6, (width // 2, 2 * height // 3)
    cv2.rectangle(top, (x, y), (x + size[0], y + size[1]), (24, 26, 34), -1)
    hub = np.array([x + 0.45 * size[0], y + 0.4 * size[1]])
    for angle in rng.uniform(0.0, 2 * np.pi, 11):
        steps = np.arange(1, 13)[:, None] * size[1] / 16
        bend = angle + np.cumsum(rng.normal(0.0, 0.12, 12))
        line = hub + steps * np.stack([np.cos(bend), np.sin(bend)], 1)
        line = np.clip(line, (x, y), (x + size[0], y + size[1]))
        cv2.polylines(top, [np.round(np.vstack([hub, line])).astype(np.int32)], False,
                      (222, 226, 232), 2, cv2.LINE_AA)  # fmt: skip


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
    """Give how far the top sinks and its slopes: a smooth bowl right of the middle of the top."""
    du, dv = u - 0.12 * box.size[0], v + 0.18 * box.size[1]
    inside = 1.0 - (du**2 + dv**2) / box.dent_radius_m**2
    inside = np.clip(inside, 0.0, None)
    slope = -4.0 * box.dent_m * inside / box.dent_radius_m**2
    return box.dent_m * inside**2, slope * du, slope * dv
