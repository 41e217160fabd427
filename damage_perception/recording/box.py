"""A carton for scenario recordings: where it is on the belt, and what is printed on it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics

CAMERA = CameraIntrinsics(width=640, height=480, fx=600.0, fy=600.0, cx=319.5, cy=239.5)
BELT_M = 1.0  # from the camera to the belt
TEXEL_M = 0.001


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
        dent_at: where it is, shares of length and width from the middle of the top.
        cracked_print: whether its top shows a cracked screen, printed flat.
        sku: what a barcode reader says it is; '' = nothing.
        by_design: whether the dent is part of the product.
        print_of: the name whose label is printed on it, as all of a product have; '' = its own.
    """

    name: str
    size: tuple[float, float, float]
    enters_s: float
    offset_m: float = 0.0
    yaw: float = 0.0
    colour: tuple[int, int, int] = (176, 136, 92)
    dent_m: float = 0.0
    dent_radius_m: float = 0.035
    dent_at: tuple[float, float] = (0.12, -0.18)
    cracked_print: bool = False
    sku: str = ''
    by_design: bool = False
    print_of: str = ''

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
    rng = np.random.default_rng([seed, *(box.print_of or box.name).encode()])
    height, width = (max(2, round(side / TEXEL_M)) for side in (box.size[1], box.size[0]))
    fibre = cv2.GaussianBlur(rng.normal(0.0, 14.0, (height, width)).astype(np.float32), (0, 0), 1.2)
    top = np.clip(np.array(box.colour, np.float32) + fibre[..., None], 0, 255).astype(np.uint8)
    tape = slice(height // 2 - 22, height // 2 + 22)
    top[tape] = (0.7 * top[tape] + np.array([58, 48, 36])).astype(np.uint8)
    _paint_label(top, rng)
    if box.cracked_print:
        _paint_cracked_screen(top, rng)
    return np.asarray(top)


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
