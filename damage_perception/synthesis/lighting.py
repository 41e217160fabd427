"""Light: lamps with soft and hard shadows, a sky with occlusion, gloss that mirrors a room."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.noise import Field, Rng, value_noise
from damage_perception.synthesis.raymarch import Hits, sample_list
from damage_perception.synthesis.scene import SceneMap

# sRGB bytes to linear light (IEC 61966-2-1).
_BYTES = np.arange(256) / 255.0
LINEAR = np.where(_BYTES <= 0.04045, _BYTES / 12.92, ((_BYTES + 0.055) / 1.055) ** 2.4).astype(
    np.float32
)
_DARK = 55  # sRGB bytes of a bottom that gets no light
_WALL_SLOPE = 1.5  # rise over run from which a surface is a side wall


@dataclass(frozen=True)
class Lamp:
    """A far lamp: direction to it (unit, scene frame), colour times power, hardness of shadow."""

    direction: tuple[float, float, float]
    power: tuple[float, float, float]
    penumbra: float  # metres of height over which a shadow fades


@dataclass(frozen=True, eq=False)
class Light:
    """All light of a scene."""

    lamps: tuple[Lamp, ...]
    sky: tuple[float, float, float]
    room: NDArray[np.float32]  # (32, 32) what a mirror would show, by direction
    patchy: NDArray[np.float32]  # (8, 8) uneven light over the view, or shadow of a robot

    @property
    def white(self) -> float:
        """Radiance of white paper that lies flat."""
        return self.sky[1] + sum(lamp.power[1] * lamp.direction[2] for lamp in self.lamps)

    @classmethod
    def draw(cls, rng: Rng, robot: bool = False) -> Light:
        """Draw a light: one to three lamps, warm or cold, hard or soft."""
        lamps = []
        count = int(rng.choice([1, 2, 3], p=[0.55, 0.3, 0.15]))
        for index in range(count):
            turn, rise = rng.uniform(0, 2 * math.pi), math.radians(rng.uniform(28, 82))
            tint = np.array([1.0, 1.0, 1.0]) + rng.uniform(-0.12, 0.12) * np.array([1, 0.1, -1])
            power = tint * rng.uniform(0.5, 1.0) / (index + 1)
            penumbra = float(rng.choice([0.003, 0.015, 0.06], p=[0.5, 0.3, 0.2]))
            flat = math.cos(rise)
            direction = (flat * math.cos(turn), flat * math.sin(turn), math.sin(rise))
            lamps.append(Lamp(direction, tuple(power), penumbra))
        level = float(np.exp(rng.uniform(np.log(0.06), np.log(0.6))))
        room = np.clip(0.4 + 0.6 * value_noise(rng, (32, 32), 4), 0, 3)
        ramp = np.linspace(-1, 1, 8)
        fall = rng.uniform(-0.35, 0.35, 2)
        uneven = 1 + 0.07 * value_noise(rng, (8, 8), 2) + fall[0] * ramp + fall[1] * ramp[:, None]
        uneven = np.clip(uneven, 0.2, 1.8).astype(np.float32)
        if robot:
            uneven *= np.clip(1 - 0.9 * np.maximum(value_noise(rng, (8, 8), 2), 0), 0.25, 1)
        return cls(tuple(lamps), (level, level, level * rng.uniform(0.95, 1.1)), room, uneven)


def shade(scene: SceneMap, hits: Hits, light: Light, view: NDArray[np.float64]) -> Field:
    """Give the light that leaves each seen point towards the camera.

    Args:
        scene: the map.
        hits: what each pixel sees.
        light: the light.
        view: (3,) unit direction from the scene to the camera.

    Returns:
        (H, W, 3) float32 linear radiance, about 1 for white paper in full light.
    """
    slope = _slopes(scene)
    at = cv2.remap(slope, hits.col, hits.row, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    surface, at = _surface(scene, hits, at)
    colour = LINEAR[surface[..., :3]]
    gloss = surface[..., 3].astype(np.float32) * np.float32(1 / 255)
    length = 1 / np.sqrt(1 + at[..., 0] ** 2 + at[..., 1] ** 2)
    normal = (-at[..., 0] * length, -at[..., 1] * length, length)
    occlusion = _occlusion(scene, hits)
    patchy = cv2.resize(light.patchy, hits.z.shape[::-1], interpolation=cv2.INTER_CUBIC)
    facing = 0.55 + 0.45 * normal[2]
    diffuse = np.empty_like(colour)
    for channel in range(3):
        diffuse[..., channel] = light.sky[channel] * occlusion * facing
    mirror = np.zeros_like(hits.z)
    for lamp in light.lamps:
        lit = _lit(scene, hits, lamp) * patchy
        cosine = sum(n * np.float32(d) for n, d in zip(normal, lamp.direction, strict=True))
        amount = np.maximum(cosine, 0) * lit
        for channel in range(3):
            diffuse[..., channel] += np.float32(lamp.power[channel]) * amount
        half = np.asarray(lamp.direction) + view
        half /= np.linalg.norm(half)
        aligned = sum(n * np.float32(h) for n, h in zip(normal, half, strict=True))
        aligned = np.maximum(aligned, 1e-3)
        sharp = 6 + 150 * gloss * gloss
        mirror += np.exp(np.log(aligned) * sharp) * lit * gloss * np.float32(max(lamp.power))
    room = _mirrored(light.room, normal, view)
    mirror = 0.55 * mirror + 0.2 * gloss * gloss * room * sum(light.sky)
    return (colour * diffuse * (1 - 0.12 * gloss[..., None]) + mirror[..., None]).astype(np.float32)


def _slopes(scene: SceneMap) -> Field:
    """Rise per metre along x and y, (H, W, 2)."""
    scale = 1.0 / (2 * scene.mpp)
    along_x = cv2.Sobel(scene.height, cv2.CV_32F, 1, 0, ksize=1, scale=scale)
    along_y = cv2.Sobel(scene.height, cv2.CV_32F, 0, 1, ksize=1, scale=-scale)
    return np.dstack([along_x, along_y])


def _surface(scene: SceneMap, hits: Hits, at: Field) -> tuple[NDArray[np.uint8], Field]:
    """Colour and gloss at the hits, (H, W, 4); walls mirror the print above them."""
    layers = np.dstack([scene.albedo, scene.gloss])
    surface = cv2.remap(layers, hits.col, hits.row, cv2.INTER_LINEAR,
                        borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    steep = np.sqrt(at[..., 0] ** 2 + at[..., 1] ** 2)
    rim = cv2.dilate(scene.height, np.ones((5, 5), np.uint8))
    top = cv2.remap(rim, hits.col, hits.row, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)
    wall = np.flatnonzero(((steep > _WALL_SLOPE) & (top - hits.z > 0.003)).ravel())
    if len(wall) == 0:
        return surface, at
    uphill = at.reshape(-1, 2)[wall] / steep.ravel()[wall][:, None]
    below = (top - hits.z).ravel()[wall] / np.float32(scene.mpp)
    col, row = hits.col.ravel()[wall], hits.row.ravel()[wall]
    near = (col + 2 * uphill[:, 0], row - 2 * uphill[:, 1])
    far = (near[0] + below * uphill[:, 0], near[1] - below * uphill[:, 1])
    nearest = cv2.INTER_NEAREST
    same = sample_list(scene.ids, *near, nearest) == sample_list(scene.ids, *far, nearest)
    col = np.where(same, far[0], near[0])
    row = np.where(same, far[1], near[1])
    wall_colours = sample_list(layers, col, row)
    # Into an opening falls no light: its walls are as dark as its bottom, they mirror no print.
    foot = (hits.col.ravel()[wall] - 2 * uphill[:, 0], hits.row.ravel()[wall] + 2 * uphill[:, 1])
    inner = sample_list(layers, *foot, nearest)
    own = sample_list(scene.ids, *foot, nearest) == sample_list(scene.ids, *near, nearest)
    dark = own & (inner[:, :3].max(axis=1) < _DARK)
    wall_colours[dark] = inner[dark]
    surface.reshape(-1, 4)[wall] = wall_colours
    turned = at.reshape(-1, 2)
    turned[wall] = uphill * np.float32(25.0)  # upright, facing away from the item
    return surface, at


def _occlusion(scene: SceneMap, hits: Hits) -> Field:
    """Share of the sky that is not hidden: from how far the surroundings rise above a point."""
    step = max(1, round(0.004 / scene.mpp))
    small = cv2.resize(scene.height, None, fx=1 / step, fy=1 / step, interpolation=cv2.INTER_AREA)
    open_sky = np.ones_like(hits.z)
    for radius in (0.012, 0.05):
        blurred = cv2.GaussianBlur(small, (0, 0), max(0.6, radius / (scene.mpp * step)))
        around = cv2.remap(blurred, (hits.col + 0.5) / step - 0.5, (hits.row + 0.5) / step - 0.5,
                           cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
        open_sky *= 1 - np.clip((around - hits.z) / np.float32(1.6 * radius), 0, 0.62)
    return open_sky


def _lit(scene: SceneMap, hits: Hits, lamp: Lamp) -> Field:
    """Share of a lamp that reaches each hit: 0 in shadow, 1 in light."""
    step = 2 if max(scene.height.shape) > 150 else 1
    edge = scene.height[::step, ::step]
    mpp = scene.mpp * step
    x, y, z = lamp.direction
    flat = math.hypot(x, y)
    rise = z / max(flat, 1e-3)  # height gained per metre towards the lamp
    reach = (float(edge.max()) - float(edge.min())) / rise / mpp
    shadow = edge
    stride = 1.0
    # Highest thing towards the lamp, lowered by the ray's rise: each pass doubles the distance.
    while stride < 2 * reach:
        dx, dy = x / max(flat, 1e-3) * stride, -y / max(flat, 1e-3) * stride
        moved = cv2.warpAffine(
            shadow, np.array([[1, 0, -dx], [0, 1, -dy]], np.float64), edge.shape[::-1],
            flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE,
        )  # fmt: skip
        shadow = np.maximum(shadow, moved - np.float32(stride * mpp * rise))
        stride *= 2
    soft = max(0.6, lamp.penumbra / mpp / 3)
    shadow = cv2.GaussianBlur(shadow, (0, 0), soft)
    over = cv2.remap(shadow, hits.col / step, hits.row / step, cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
    bias = np.float32(0.0035 + 0.3 * lamp.penumbra)
    return np.clip(1 - (over - hits.z - bias) / np.float32(lamp.penumbra + 0.003), 0, 1)


def _mirrored(room: Field, normal: tuple[Field, ...], view: NDArray[np.float64]) -> Field:
    """What a mirror with these normals shows of the room."""
    towards = sum(n * np.float32(v) for n, v in zip(normal, view, strict=True))
    side = (room.shape[0] - 1) / 2
    col = (2 * towards * normal[0] - np.float32(view[0])) * np.float32(side) + np.float32(side)
    row = (2 * towards * normal[1] - np.float32(view[1])) * np.float32(side) + np.float32(side)
    return cv2.remap(room, col.astype(np.float32), row.astype(np.float32), cv2.INTER_LINEAR,
                     borderMode=cv2.BORDER_REFLECT_101)  # fmt: skip
