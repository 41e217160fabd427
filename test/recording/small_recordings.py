"""Small recordings for tests: a few frames of a few pixels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.recording.types import CAMERA_INFO, IMAGE
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import header_dict

RGB, DEPTH, INFO = '/cam/color/image_raw', '/cam/aligned_depth/image_raw', '/cam/color/camera_info'
START_NS = 1_000_000_000_000
PERIOD_NS = 100_000_000
WIDTH, HEIGHT = 16, 12


def image(
    stamp_ns: int, encoding: str, seed: int = 0, frame_id: str = 'optical', **changes: Any
) -> dict[str, Any]:
    """Make the fields of an image of random pixels; `changes` spoil them."""
    bytes_per_pixel = {'rgb8': 3, '16UC1': 2, '32FC1': 4, 'mono8': 1}.get(encoding, 1)
    rng = np.random.default_rng(seed)
    step = WIDTH * bytes_per_pixel
    fields = {
        'header': header_dict(stamp_ns, frame_id),
        'height': HEIGHT,
        'width': WIDTH,
        'encoding': encoding,
        'is_bigendian': 0,
        'step': step,
        'data': rng.integers(0, 256, step * HEIGHT, np.uint8),
    }
    return fields | changes


def camera_info(stamp_ns: int, focal: float = 20.0) -> dict[str, Any]:
    """Make the fields of a calibration."""
    return {
        'header': header_dict(stamp_ns, 'optical'),
        'height': HEIGHT,
        'width': WIDTH,
        'distortion_model': 'plumb_bob',
        'd': [0.0] * 5,
        'k': [focal, 0, 8, 0, focal, 6, 0, 0, 1],
        'r': [1, 0, 0, 0, 1, 0, 0, 0, 1],
        'p': [focal, 0, 8, 0, 0, focal, 6, 0, 0, 0, 1, 0],
        'binning_x': 0,
        'binning_y': 0,
        'roi': {'x_offset': 0, 'y_offset': 0, 'height': 0, 'width': 0, 'do_rectify': False},
    }


def write_small(folder: Path, frames: int = 12, chunk: int = 2_000) -> Path:
    """Write a whole recording of `frames` triples in chunks of about `chunk` bytes."""
    with RecordingWriter(folder, chunk_bytes=chunk) as writer:
        for index in range(frames):
            stamp = START_NS + index * PERIOD_NS
            writer.write(RGB, IMAGE, image(stamp, 'rgb8', index), stamp)
            writer.write(DEPTH, IMAGE, image(stamp, '16UC1', index), stamp + 1000)
            writer.write(INFO, CAMERA_INFO, camera_info(stamp), stamp + 2000)
    return folder
