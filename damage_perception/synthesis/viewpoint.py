"""Cameras: how they hang over an item, and which part of the picture is kept."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.raymarch import CameraPose
from damage_perception.synthesis.spec import SynthesisSpec

Bounds = tuple[float, float, float, float]  # low x, low y, high x, high y, metres

_PICTURES = ((640, 480), (848, 480), (1280, 720), (1280, 800), (1920, 1080))


@dataclass(frozen=True, eq=False)
class View:
    """A camera over the scene and the crop that is rendered.

    Attributes:
        pose: the camera.
        camera: intrinsics of the crop.
        full: intrinsics of the whole picture.
        corner: column and row of the crop in the picture.
        scale: pixels of the crop per pixel of the picture.
    """

    pose: CameraPose
    camera: CameraIntrinsics
    full: CameraIntrinsics
    corner: tuple[int, int]
    scale: float


def draw_camera(rng: Rng) -> CameraIntrinsics:
    """Draw the intrinsics of a camera of 480p to 1080p, 55 to 90 degrees wide."""
    width, height = _PICTURES[int(rng.integers(len(_PICTURES)))]
    focal = width / 2 / math.tan(math.radians(rng.uniform(55, 90)) / 2)
    cx, cy = (np.array([width, height]) - 1) / 2 + rng.normal(0, 6, 2)
    return CameraIntrinsics(width, height, focal, focal * rng.uniform(0.998, 1.002), cx, cy)


def look_at(
    target: NDArray[np.float64], distance: float, tilt: float, heading: float, roll: float
) -> CameraPose:
    """Hang a camera `distance` metres from a target, tilted (radians) from straight down."""
    flat = math.sin(tilt)
    away = np.array([flat * math.cos(heading), flat * math.sin(heading), math.cos(tilt)])
    forward = -away
    right = np.array([math.cos(roll), math.sin(roll), 0.0])
    right -= forward * float(right @ forward)
    right /= np.linalg.norm(right)
    return CameraPose(
        np.stack([right, np.cross(forward, right), forward], axis=1), target + distance * away
    )


def draw_view(
    rng: Rng, spec: SynthesisSpec, size: tuple[float, float, float], plain: bool = False
) -> View:
    """Draw a camera that sees an item of `size` metres at the origin; `plain`: as for enrolling."""
    full = draw_camera(rng)
    diagonal = math.hypot(size[0], size[1]) + 0.06
    needed = diagonal * full.fx / min(full.width, full.height) * 1.05 + size[2]
    low = max(spec.distance[0] + size[2], needed)
    distance = float(rng.uniform(low, max(low * 1.02, spec.distance[1])))
    oblique = not plain and rng.random() < spec.oblique
    tilt = math.radians(rng.uniform(15, 42) if oblique else rng.uniform(0, 9))
    cut = not plain and rng.random() < spec.truncated
    room = np.array([full.width, full.height]) / full.fx * (distance - size[2]) / 2 - diagonal / 2
    offset = rng.uniform(-0.85, 0.85, 2) * np.maximum(room, 0)
    if cut:
        axis = int(rng.integers(2))
        offset[axis] = max(room[axis], 0) + 0.5 * diagonal * rng.uniform(0.3, 0.9)
    heading, roll = rng.uniform(0, 2 * math.pi, 2)
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    target = np.append(turn @ offset, 0.0)
    pose = look_at(target, distance, tilt, heading, roll)
    margin = rng.uniform(0.03, 0.06)
    if spec.frames == 'whole' and not plain:
        return View(pose, full, full, (0, 0), 1.0)
    return crop_view(pose, full, size, spec.crop, margin)


def crop_view(
    pose: CameraPose, full: CameraIntrinsics, size: tuple[float, float, float], longest: int,
    margin: float,
) -> View:  # fmt: skip
    """Cut the picture around an item at the origin with `margin` metres around it."""
    half_x, half_y = size[0] / 2 + margin, size[1] / 2 + margin
    corners = np.array([(sx * half_x, sy * half_y, z) for sx in (-1, 1) for sy in (-1, 1)
                        for z in (0.0, size[2])])  # fmt: skip
    pixels = pose.project(corners, full)
    low = np.clip(np.floor(pixels.min(axis=0)), 0, (full.width - 32, full.height - 32)).astype(int)
    high = np.clip(np.ceil(pixels.max(axis=0)) + 1, low + 32, (full.width, full.height)).astype(int)
    extent = high - low
    scale = min(1.0, longest / float(extent.max()))
    width, height = (max(16, round(side * scale)) for side in extent)
    return View(pose, cut_camera(full, low, scale, width, height), full,
                (int(low[0]), int(low[1])), scale)  # fmt: skip


def cut_camera(
    full: CameraIntrinsics, corner: NDArray[np.int64], scale: float, width: int, height: int
) -> CameraIntrinsics:
    """Give the intrinsics of a scaled crop (pixel centres at whole numbers)."""
    cx = (full.cx - corner[0] + 0.5) * scale - 0.5
    cy = (full.cy - corner[1] + 0.5) * scale - 0.5
    return CameraIntrinsics(width, height, full.fx * scale, full.fy * scale, float(cx), float(cy))


def seen_bounds(view: View, height: float) -> Bounds:
    """Give what the crop sees of the space between the support and `height`."""
    camera, pose = view.camera, view.pose
    corners = np.array([(u, v) for u in (-1, camera.width) for v in (-1, camera.height)], float)
    rays = np.stack([(corners[:, 0] - camera.cx) / camera.fx,
                     (corners[:, 1] - camera.cy) / camera.fy, np.ones(4)], 1)  # fmt: skip
    ways = rays @ pose.rotation.T
    ways[:, 2] = np.minimum(ways[:, 2], -0.15)  # a view over the horizon ends somewhere
    points = [pose.position + ways * ((z - pose.position[2]) / ways[:, 2])[:, None]
              for z in (0.0, height)]  # fmt: skip
    flat = np.concatenate(points)[:, :2]
    low, high = flat.min(axis=0) - 0.01, flat.max(axis=0) + 0.01
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
