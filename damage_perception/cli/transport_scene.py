"""The made scene that transport is measured with, and the time of the bare pipeline on it."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics, RgbdFrame

WIDTH, HEIGHT, RATE_HZ = 1280, 720, 30.0
CAMERA = CameraIntrinsics(WIDTH, HEIGHT, 910.0, 910.0, 640.0, 360.0)


def made_scene() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """Make a belt with two cartons: (H, W, 3) colour and (H, W) depth in millimetres."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(60, 90, (HEIGHT, WIDTH, 3), np.uint8)
    depth = rng.normal(1200.0, 2.0, (HEIGHT, WIDTH))
    for x in (250, 750):
        part = slice(200, 500), slice(x, x + 300)
        rgb[part] = (170, 130, 90)
        depth[part] -= 150.0
    return rgb, depth.astype(np.uint16)


def compute_ms(frames: int = 15) -> list[float]:
    """Times of the bare pipeline on the made scene, after two frames to warm up."""
    from damage_perception.perception.sensor.depth import depth_in_metres
    from damage_perception.pipeline import DamagePipeline

    rgb, depth = made_scene()
    pipeline, spent = DamagePipeline(), []
    for k in range(frames + 2):
        began = time.perf_counter()
        depth_m = depth_in_metres(depth, '16UC1')
        pipeline.process(RgbdFrame(rgb, depth_m, CAMERA, k * 33_333_333, 'camera'))
        spent.append(time.perf_counter() - began)
    return [1e3 * seconds for seconds in spent[2:]]
