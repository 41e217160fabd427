"""A moving belt as a rosbag2 recording, with the truth of every item beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.recording.types import CAMERA_INFO, IDENTITY, IMAGE
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import Severity, header_dict
from damage_perception.synthesis.moving import Belt, Shot
from damage_perception.synthesis.records import depth_to_millimetres, encode_mask, write_whole

FRAME_ID = 'camera_color_optical_frame'
RGB_TOPIC = '/camera/color/image_raw'
DEPTH_TOPIC = '/camera/aligned_depth_to_color/image_raw'
INFO_TOPIC = '/camera/color/camera_info'
IDENTITY_TOPIC = '/item/identity'
_START_NS = 1_700_000_000_000_000_000
_DEPTH_DELAY_NS = 3_000_000
_CLOCK = 'rosgraph_msgs/msg/Clock'


def write_sequence(belt: Belt, folder: Path) -> Iterator[int]:
    """Write a belt as a recording and `FOLDER.truth.json`; yield after each picture.

    Colour, depth (16UC1), camera info and clock come with every picture; the identity of an item
    comes when its middle passes below the camera, as a barcode reader there would give it.

    Raises:
        CallError: if the folder exists.
        UserError: if it cannot be written.
    """
    truth: dict[str, dict[str, Any]] = {}
    told: set[str] = set()
    with RecordingWriter(folder) as writer:
        for number, shot in enumerate(belt.shots()):
            now = _START_NS + round(shot.time_s * 1e9)
            header = header_dict(now, FRAME_ID)
            writer.write('/clock', _CLOCK, {'clock': header['stamp']}, now)
            writer.write(INFO_TOPIC, CAMERA_INFO, _info(belt.camera, header), now)
            writer.write(RGB_TOPIC, IMAGE, _image(shot.rgb, 'rgb8', header), now)
            for item in shot.items:
                if item.item_id not in told and item.start + belt.speed * shot.time_s >= 0:
                    told.add(item.item_id)
                    identity = {'header': header, 'sku': item.product.sku, 'confidence': 1.0,
                                'source': 'barcode'}  # fmt: skip
                    writer.write(IDENTITY_TOPIC, IDENTITY, identity, now)
            later = now + _DEPTH_DELAY_NS
            depth = depth_to_millimetres(shot.depth_m)
            header = header_dict(later, FRAME_ID)
            writer.write(DEPTH_TOPIC, IMAGE, _image(depth, '16UC1', header), later)
            _note(truth, shot, now)
            yield number
    about = {
        'belt_speed_m_s': belt.speed, 'rate_hz': belt.rate, 'seed': belt.seed,
        'items': [truth[name] for name in sorted(truth)],
    }  # fmt: skip
    path = folder.with_name(f'{folder.name}.truth.json')
    write_whole(path, (json.dumps(about, indent=1) + '\n').encode())


def _note(truth: dict[str, dict[str, Any]], shot: Shot, stamp_ns: int) -> None:
    """Note what is true of each item, and in which pictures it is wholly seen."""
    rows, cols = shot.ids.shape
    for number, (item, offset) in enumerate(zip(shot.items, shot.offsets, strict=True), start=1):
        mask = shot.ids == number
        if not mask.any():
            continue
        entry = truth.setdefault(item.item_id, {
            'item_id': item.item_id, 'sku': item.product.sku, 'size_m': [*item.product.size],
            'tags': item.patch.tags, 'damaged': bool(item.patch.damages),
            'damages': [], 'whole_from_ns': None, 'whole_to_ns': None, 'best': None,
        })  # fmt: skip
        v, u = np.nonzero(mask)
        if u.min() == 0 or v.min() == 0 or u.max() == cols - 1 or v.max() == rows - 1:
            continue
        if entry['whole_from_ns'] is None:
            entry['whole_from_ns'] = stamp_ns
        entry['whole_to_ns'] = stamp_ns
        off_centre = abs(float(u.mean()) - cols / 2)
        if entry['best'] is None or off_centre < entry['best']['off_centre_px']:
            entry['best'] = {'stamp_ns': stamp_ns, 'off_centre_px': off_centre,
                             'item': encode_mask(mask)}  # fmt: skip
            entry['damages'] = [
                {
                    'damage_type': damage.damage_type.name.lower(), 'kind': damage.kind,
                    'severity': Severity(damage.severity).name.lower(),
                    'depth_mm': round(1000 * damage.depth_m, 2),
                    'area_cm2': round(1e4 * damage.area_m2, 2),
                    'segmentation': encode_mask(shot.marks == damage.mark + offset),
                }
                for damage in item.patch.damages
            ]  # fmt: skip


def _image(pixels: NDArray[Any], encoding: str, header: dict[str, Any]) -> dict[str, Any]:
    flat = np.ascontiguousarray(pixels)
    return {
        'header': header, 'height': flat.shape[0], 'width': flat.shape[1], 'encoding': encoding,
        'is_bigendian': 0, 'step': flat.strides[0], 'data': flat.view(np.uint8).reshape(-1),
    }  # fmt: skip


def _info(camera: CameraIntrinsics, header: dict[str, Any]) -> dict[str, Any]:
    fx, fy, cx, cy = camera.fx, camera.fy, camera.cx, camera.cy
    return {
        'header': header, 'height': camera.height, 'width': camera.width,
        'distortion_model': 'plumb_bob', 'd': [0.0] * 5,
        'k': [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        'r': [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        'p': [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        'binning_x': 0, 'binning_y': 0,
        'roi': {'x_offset': 0, 'y_offset': 0, 'height': 0, 'width': 0, 'do_rectify': False},
    }  # fmt: skip
