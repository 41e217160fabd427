"""Faces of the real sound parcels on a conveyor, outlined by eye, as ItemViews.

The frames are for tests only and never part of the project; where they are absent, `available()`
is False and tests skip. Corners are pixels (x, y) of what the camera sees of one face.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.view.item_view import DEFAULT_RESOLUTION_M, MARGIN_M, ItemView

_ROOT = Path(__file__).resolve().parents[2]
DATA = (
    Path(os.environ.get('DAMAGE_PERCEPTION_SHARED_DATA', _ROOT.parent / 'shared' / 'data'))
    / 'conveyor_parcels'
)
FX, FY, CX, CY = 643.90087890625, 643.1365356445312, 650.2113037109375, 355.79559326171875
PROFILE = SensorProfile()  # its defaults were measured on these very box tops


@dataclass(frozen=True)
class Face:
    """One outlined face: frame number, 'box' or 'soft', corners."""

    frame: int
    kind: str
    corners: tuple[tuple[int, int], ...]


FACES = (
    Face(0, 'box', ((606, 177), (727, 174), (728, 268), (690, 275), (613, 287))),
    Face(0, 'box', ((601, 315), (742, 271), (776, 386), (633, 428))),
    Face(4, 'box', ((588, 193), (737, 193), (737, 312), (588, 312))),
    Face(4, 'box', ((595, 314), (744, 314), (744, 435), (596, 434))),
    Face(10, 'box', ((701, 245), (738, 250), (729, 304), (690, 298))),
    Face(16, 'box', ((592, 387), (689, 403), (680, 455), (584, 440))),
    Face(18, 'box', ((631, 231), (685, 231), (684, 331), (630, 331))),
    Face(18, 'box', ((630, 331), (684, 331), (681, 429), (628, 429))),
    Face(20, 'box', ((521, 138), (640, 145), (650, 160), (648, 330), (512, 325))),
    Face(20, 'box', ((655, 160), (720, 165), (715, 250), (652, 245))),
    Face(20, 'box', ((726, 210), (785, 215), (780, 285), (720, 282))),
    Face(20, 'box', ((650, 285), (787, 290), (783, 355), (645, 345))),
    Face(20, 'box', ((560, 347), (637, 343), (640, 437), (560, 437))),
    Face(20, 'box', ((645, 362), (700, 355), (706, 425), (645, 430))),
    Face(20, 'box', ((490, 400), (550, 390), (563, 457), (502, 475))),
    Face(20, 'box', ((577, 442), (640, 437), (655, 497), (600, 508))),
    Face(22, 'box', ((690, 263), (742, 295), (697, 367), (647, 337))),
    Face(22, 'box', ((602, 377), (655, 395), (632, 475), (577, 455))),
    Face(24, 'box', ((750, 317), (777, 365), (703, 403), (675, 350))),
    Face(24, 'box', ((480, 355), (555, 380), (535, 445), (475, 415))),
    Face(24, 'box', ((568, 425), (640, 425), (620, 478), (545, 468))),
    Face(26, 'box', ((593, 250), (645, 222), (667, 270), (620, 298))),
    Face(
        2,
        'soft',
        (
            (620, 260),
            (650, 270),
            (690, 300),
            (795, 285),
            (795, 340),
            (785, 390),
            (772, 485),
            (600, 455),
            (612, 380),
        ),
    ),
    Face(
        2,
        'soft',
        ((645, 183), (810, 180), (814, 270), (795, 280), (700, 297), (690, 270), (645, 255)),
    ),
    Face(6, 'soft', ((524, 318), (673, 298), (695, 465), (555, 478))),
    Face(
        6,
        'soft',
        ((583, 185), (670, 203), (760, 240), (736, 340), (700, 330), (672, 298), (565, 280)),
    ),
    Face(8, 'soft', ((530, 195), (698, 297), (620, 430), (490, 340))),
    Face(8, 'soft', ((640, 250), (740, 245), (770, 375), (640, 410), (700, 300))),
    Face(
        10,
        'soft',
        (
            (575, 275),
            (590, 263),
            (660, 285),
            (710, 310),
            (714, 355),
            (700, 365),
            (650, 350),
            (577, 305),
        ),
    ),
    Face(12, 'soft', ((590, 195), (690, 320), (587, 395), (500, 285))),
    Face(12, 'soft', ((695, 163), (805, 210), (780, 272), (662, 237))),
    Face(12, 'soft', ((713, 262), (795, 265), (800, 380), (763, 375), (720, 340))),
    Face(12, 'soft', ((715, 322), (816, 423), (733, 497), (635, 425))),
    Face(14, 'soft', ((605, 188), (682, 190), (690, 315), (622, 315))),
    Face(14, 'soft', ((687, 200), (780, 200), (775, 317), (692, 315))),
    Face(14, 'soft', ((660, 320), (778, 320), (778, 397), (652, 392))),
    Face(
        16,
        'soft',
        ((560, 150), (625, 160), (700, 210), (665, 355), (635, 370), (515, 325), (535, 210)),
    ),
    Face(22, 'soft', ((485, 150), (660, 220), (655, 245), (630, 330), (490, 303))),
    Face(26, 'soft', ((610, 335), (660, 300), (745, 365), (690, 430))),
    Face(28, 'soft', ((588, 218), (680, 350), (570, 440), (525, 370), (530, 300))),
    Face(28, 'soft', ((500, 190), (645, 145), (700, 255), (650, 275), (590, 215))),
)
BOXES = tuple(face for face in FACES if face.kind == 'box')
SOFT = tuple(face for face in FACES if face.kind == 'soft')


def available() -> bool:
    """Tell whether the real frames lie on this machine."""
    return (DATA / 'depth').is_dir()


@lru_cache(maxsize=16)
def load(frame: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Give rgb (720, 1280, 3) uint8 and depth (720, 1280) float32 metres, NaN invalid."""
    bgr = cv2.imread(str(DATA / 'rgb' / f'{frame:04d}.png'))
    depth = cv2.imread(str(DATA / 'depth' / f'{frame:04d}.png'), cv2.IMREAD_UNCHANGED)
    metres = depth.astype(np.float32) / 1000.0
    metres[depth == 0] = np.nan
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), metres


def rays(u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give viewing rays (..., 3) with z = 1."""
    return np.stack([(u - CX) / FX, (v - CY) / FY, np.ones_like(u, np.float64)], -1)


def face_plane(face: Face) -> tuple[NDArray[np.float64], float]:
    """Fit the face's plane robustly: (normal to the camera, offset), height = n @ p + offset."""
    _, depth = load(face.frame)
    inside = np.zeros(depth.shape, np.uint8)
    cv2.fillPoly(inside, [np.array(face.corners, np.int32)], 1)
    inside = cv2.erode(inside, np.ones((7, 7), np.uint8))
    v, u = np.nonzero((inside > 0) & np.isfinite(depth))
    cloud = rays(u.astype(float), v.astype(float)) * depth[v, u][:, None]
    weight = np.ones(len(cloud))
    for _ in range(10):
        design = np.column_stack([cloud[:, 0], cloud[:, 1], np.ones(len(cloud))])
        a, b, c = np.linalg.lstsq(design * weight[:, None], cloud[:, 2] * weight, rcond=None)[0]
        off = cloud[:, 2] - design @ (a, b, c)
        scale = 1.4826 * np.median(np.abs(off)) + 1e-4
        weight = 1.0 / np.maximum(1.0, np.abs(off) / (2.0 * scale))
    normal = np.array([a, b, -1.0])
    length = np.linalg.norm(normal)
    return normal / length, float(c / length)


def build_view(
    face: Face,
    rgb: NDArray[np.uint8] | None = None,
    depth_m: NDArray[np.float32] | None = None,
    resolution_m: float = DEFAULT_RESOLUTION_M,
) -> ItemView:
    """Rectify a face by its plane; `rgb` and `depth_m` replace those of the frame."""
    real_rgb, real_depth = load(face.frame)
    rgb = real_rgb if rgb is None else rgb
    depth_m = real_depth if depth_m is None else depth_m
    normal, offset = face_plane(face)
    corners = np.array(face.corners, np.float64)
    ray = rays(corners[:, 0], corners[:, 1])
    met = ray * (-offset / (ray @ normal))[:, None]
    x_axis = np.array([1.0, 0.0, 0.0]) - normal[0] * normal
    x_axis /= np.linalg.norm(x_axis)
    y_axis = np.cross(-normal, x_axis)
    flat = np.stack([met @ x_axis, met @ y_axis], -1).astype(np.float32)
    centre, size, angle = cv2.minAreaRect(flat)
    if size[0] < size[1]:
        size, angle = (size[1], size[0]), angle + 90.0
    turn = np.radians(angle)
    along = np.cos(turn) * x_axis + np.sin(turn) * y_axis
    across = np.cross(-normal, along)
    origin = centre[0] * x_axis + centre[1] * y_axis - offset * normal
    width = round((size[0] + 2 * MARGIN_M) / resolution_m)
    height = round((size[1] + 2 * MARGIN_M) / resolution_m)
    x = (np.arange(width) - (width - 1) / 2) * resolution_m
    y = (np.arange(height) - (height - 1) / 2) * resolution_m
    place = origin + x[None, :, None] * along + y[:, None, None] * across
    u = (place[..., 0] / place[..., 2] * FX + CX).astype(np.float32)
    v = (place[..., 1] / place[..., 2] * FY + CY).astype(np.float32)
    colour = cv2.remap(rgb, u, v, cv2.INTER_LINEAR)
    depth = cv2.remap(depth_m, u, v, cv2.INTER_NEAREST, borderValue=np.nan)
    points = rays(u.astype(float), v.astype(float)) * depth[..., None]
    lift = (points @ normal + offset).astype(np.float32)
    inside = np.zeros(depth_m.shape, np.uint8)
    cv2.fillPoly(inside, [np.array(face.corners, np.int32)], 1)
    mask = cv2.remap(inside, u, v, cv2.INTER_NEAREST) > 0
    to_camera = np.eye(4)
    to_camera[:3, :4] = np.column_stack([along, across, -normal, origin])
    range_m = float(origin[2])
    deviation = np.where(np.isnan(lift), np.nan, PROFILE.std_m(range_m)).astype(np.float32)
    return ItemView(
        colour,
        lift,
        deviation,
        mask,
        np.ones_like(mask),
        resolution_m,
        to_camera,
        1.0,
        PROFILE.correlation_m(range_m, FX),
    )
