"""Frames of boxes on a belt with known truth, for tests of what looks at them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import RgbdFrame
from damage_perception.perception.projection import Plane
from damage_perception.perception.view.window import ItemWindow
from damage_perception.recording.scene import BELT_M, CAMERA, Box, Scene
from damage_perception.recording.sensor_noise import observe
from damage_perception.report import Roi

BELT = Plane((0.0, 0.0, -1.0), BELT_M)
SPEED_M_S = 0.3


def box(**changes: object) -> Box:
    """Make a box of 240 x 160 x 120 mm that lies before the camera at time 0."""
    values = {'name': 'box', 'size': (0.24, 0.16, 0.12), 'enters_s': -2.2, **changes}
    return Box(**values)  # type: ignore[arg-type]


def frame_of(*boxes: Box, time_s: float = 0.0, seed: int = 0, noise: bool = True) -> RgbdFrame:
    """Render boxes on the belt as a depth camera sees them."""
    rgb, depth = Scene(boxes, SPEED_M_S, 0).render(time_s)
    if noise:
        millimetres = observe(depth, np.random.default_rng([seed, 5]))
        depth = np.where(millimetres > 0, millimetres / np.float32(1000), np.nan)
    return RgbdFrame(rgb, depth.astype(np.float32), CAMERA, round(time_s * 1e9) + 1, 'camera')


def window_of(shown: Box, time_s: float = 0.0, margin: int = 40) -> ItemWindow:
    """Give the true window of a lone box: its visible top and walls."""
    _, depth = Scene((shown,), SPEED_M_S, 0).render(time_s)
    mask = depth < BELT_M - 1e-4
    x, y, width, height = cv2.boundingRect(mask.astype(np.uint8))
    x0, y0 = max(0, x - margin), max(0, y - margin)
    x1, y1 = min(CAMERA.width, x + width + margin), min(CAMERA.height, y + height + margin)
    roi = Roi(x0, y0, x1 - x0, y1 - y0)
    item: NDArray[np.bool_] = mask[roi.slices]
    return ItemWindow(roi, item, np.zeros_like(item))
