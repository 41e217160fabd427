"""Short recordings of known situations, each made from its boxes, its time windows and a seed.

A belt runs at 0.4 m/s under a camera 1.0 m above it: 640x480, 10 Hz; an item is in view for about
2.5 s, wholly so for about 1.5 s. Depth is stamped 3 ms after colour.

    scenario           what happens, seconds from its start
    sound_box          0.0-4.0  a sound box passes
    dented_box         0.0-4.0  a box passes with a dent of 25 mm in its top
    touching_boxes     0.0-4.0  two boxes pass that touch, one 30 mm lower than the other
    printed_lookalike  0.0-4.0  a box passes with a cracked screen printed on its flat top
    depth_drops_out    0.0-1.5  a sound box comes into view
                       1.5-3.5  no depth image arrives; the box leaves
                       3.5-7.0  depth is back; a second sound box passes
    info_missing       0.0-1.0  no camera info arrives; a box comes into view
                       1.0-4.0  camera info arrives; the box leaves
    stamps_jump_back   0.0-3.5  a sound box passes
                       3.5-7.0  all stamps are 3.0 s too early; a second box passes
    out_of_order       0.0-4.0  a sound box passes
                       1.0-2.0  every second colour image arrives after the one that follows it
    new_design         0.0-20.8 eight boxes of one product pass, one each 2.4 s, each named by a
                       barcode reader: a cracked screen is printed on them and each has a bowl of
                       20 mm in its top by design, the last five another one elsewhere
    sample             0.0-1.5  the belt is empty
                       1.5-10.5 sound, dented, printed look-alike, then a touching pair
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.errors import UserError
from damage_perception.recording.box import CAMERA, Box
from damage_perception.recording.scene import Scene
from damage_perception.recording.sensor_noise import add_grain, observe
from damage_perception.recording.types import CAMERA_INFO, IDENTITY, IMAGE
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import header_dict

SPEED = 0.4  # m/s
PERIOD_NS = 100_000_000
DEPTH_DELAY_NS = 3_000_000
START_NS = 1_700_000_000_000_000_000
FRAME_ID = 'camera_color_optical_frame'
RGB_TOPIC = '/camera/color/image_raw'
DEPTH_TOPIC = '/camera/aligned_depth_to_color/image_raw'
INFO_TOPIC = '/camera/color/camera_info'
IDENTITY_TOPIC = '/item/identity'

Window = tuple[float, float]  # from (inside) and to (outside), seconds from the start


@dataclass(frozen=True)
class Scenario:
    """Boxes, and when what goes wrong."""

    boxes: tuple[Box, ...]
    duration_s: float = 4.0
    no_depth: Window = (0.0, 0.0)
    no_info: Window = (0.0, 0.0)
    out_of_order: Window = (0.0, 0.0)
    jump_back_at_s: float = float('inf')
    jump_back_s: float = 3.0


SOUND = Box('sound', (0.24, 0.18, 0.12), 0.0, offset_m=0.02, yaw=0.1)
DENTED = Box('dented', (0.26, 0.20, 0.11), 0.0, offset_m=-0.03, yaw=-0.15, dent_m=0.025)
PRINTED = Box('printed', (0.24, 0.18, 0.12), 0.0, offset_m=0.03, yaw=0.2, cracked_print=True)
PAIR = (
    Box('pair_high', (0.22, 0.14, 0.13), 0.0, offset_m=-0.07),
    Box('pair_low', (0.22, 0.14, 0.10), 0.0, offset_m=0.071, colour=(150, 106, 66)),
)


def _later(box: Box, seconds: float, name: str = '') -> Box:
    return replace(box, enters_s=box.enters_s + seconds, name=name or box.name)


def _product() -> tuple[Box, ...]:
    """Give three boxes of one design and five of the next, in steps of 2.4 s."""
    old = Box(
        'product', (0.24, 0.18, 0.12), 0.0, cracked_print=True, print_of='product',
        dent_m=0.02, by_design=True, sku='P-100',
    )  # fmt: skip
    new = replace(old, dent_at=(-0.22, 0.2), dent_radius_m=0.04, print_of='product_2')
    return tuple(
        replace(
            old if number < 3 else new,
            name=f'product_{number + 1}',
            enters_s=2.4 * number,
            offset_m=0.02 * (number % 3 - 1),
            yaw=0.05 + 0.05 * (number % 4),
        )
        for number in range(8)
    )


SCENARIOS = {
    'sound_box': Scenario((SOUND,)),
    'dented_box': Scenario((DENTED,)),
    'touching_boxes': Scenario(PAIR),
    'printed_lookalike': Scenario((PRINTED,)),
    'depth_drops_out': Scenario(
        (SOUND, _later(SOUND, 3.4, 'second')), duration_s=7.0, no_depth=(1.5, 3.5)
    ),
    'info_missing': Scenario((SOUND,), no_info=(0.0, 1.0)),
    'stamps_jump_back': Scenario(
        (SOUND, _later(SOUND, 3.4, 'second')), duration_s=7.0, jump_back_at_s=3.5
    ),
    'out_of_order': Scenario((SOUND,), out_of_order=(1.0, 2.0)),
    'new_design': Scenario(_product(), duration_s=20.8),
    'sample': Scenario(
        (
            _later(SOUND, 1.5),
            _later(DENTED, 3.1),
            _later(PRINTED, 4.7),
            *(_later(box, 6.3) for box in PAIR),
        ),
        duration_s=10.5,
    ),
}


def write_scenario(name: str, folder: Path, seed: int = 0) -> None:
    """Write a scenario as a recording, and beside it `FOLDER.truth.json`; same seed, same bytes.

    Raises:
        KeyError: if there is no such scenario.
        UserError, CallError: if the folder cannot be written or exists.
    """
    scenario = SCENARIOS[name]
    with RecordingWriter(folder) as writer:
        for arrival_ns, topic, msgtype, fields in _messages(scenario, seed):
            writer.write(topic, msgtype, fields, arrival_ns)
    truth = json.dumps(_truth(name, scenario, seed), indent=1)
    beside = folder.with_name(f'{folder.name}.truth.json')
    try:
        beside.write_text(truth + '\n', encoding='utf-8')
    except OSError as error:
        raise UserError(
            f'{beside} cannot be written ({error.strerror}); free space there'
        ) from error


def _messages(scenario: Scenario, seed: int) -> Iterator[tuple[int, str, str, dict[str, Any]]]:
    """Give (time of arrival, topic, type, fields) in order of arrival."""
    scene = Scene(scenario.boxes, SPEED, seed)
    held: list[tuple[int, str, str, dict[str, Any]]] = []
    for index in range(round(scenario.duration_s * 1e9 / PERIOD_NS)):
        time_s = index * PERIOD_NS / 1e9
        arrival_ns = START_NS + index * PERIOD_NS
        late = time_s >= scenario.jump_back_at_s
        stamp_ns = arrival_ns - (round(scenario.jump_back_s * 1e9) if late else 0)
        rng = np.random.default_rng([seed, index])
        rgb, depth = scene.render(time_s)
        colour = add_grain(rgb, rng)
        image = (RGB_TOPIC, IMAGE, _image(colour, 'rgb8', stamp_ns))
        if _inside(time_s, scenario.out_of_order) and index % 2 == 0:
            held.append((arrival_ns, *image))
        else:
            yield (arrival_ns, *image)
        for box in scenario.boxes:
            if box.sku and index == round(box.in_view_s(SPEED)[0] * 1e9 / PERIOD_NS):
                yield arrival_ns, IDENTITY_TOPIC, IDENTITY, _identity(box.sku, stamp_ns)
        if not _inside(time_s, scenario.no_info):
            yield arrival_ns, INFO_TOPIC, CAMERA_INFO, _info(stamp_ns)
        if not _inside(time_s, scenario.no_depth):
            stamp_ns += DEPTH_DELAY_NS
            measured = _image(observe(depth, rng), '16UC1', stamp_ns)
            yield arrival_ns + DEPTH_DELAY_NS, DEPTH_TOPIC, IMAGE, measured
        if held and held[0][0] < arrival_ns:
            yield (arrival_ns + 2 * DEPTH_DELAY_NS, *held.pop(0)[1:])


def _inside(time_s: float, window: Window) -> bool:
    return window[0] <= time_s < window[1]


def _image(pixels: np.ndarray[Any, Any], encoding: str, stamp_ns: int) -> dict[str, Any]:
    return {
        'header': header_dict(stamp_ns, FRAME_ID),
        'height': pixels.shape[0],
        'width': pixels.shape[1],
        'encoding': encoding,
        'is_bigendian': 0,
        'step': pixels.strides[0],
        'data': np.ascontiguousarray(pixels).view(np.uint8).reshape(-1),
    }


def _identity(sku: str, stamp_ns: int) -> dict[str, Any]:
    return {
        'header': header_dict(stamp_ns, FRAME_ID),
        'sku': sku,
        'confidence': 1.0,
        'source': 'barcode',
    }


def _info(stamp_ns: int) -> dict[str, Any]:
    fx, fy, cx, cy = CAMERA.fx, CAMERA.fy, CAMERA.cx, CAMERA.cy
    return {
        'header': header_dict(stamp_ns, FRAME_ID),
        'height': CAMERA.height,
        'width': CAMERA.width,
        'distortion_model': 'plumb_bob',
        'd': [0.0] * 5,
        'k': [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0],
        'r': [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
        'p': [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0],
        'binning_x': 0,
        'binning_y': 0,
        'roi': {'x_offset': 0, 'y_offset': 0, 'height': 0, 'width': 0, 'do_rectify': False},
    }


def _truth(name: str, scenario: Scenario, seed: int) -> dict[str, Any]:
    """Say what is damaged, and when each box is wholly in view, seconds from the start."""
    return {
        'scenario': name,
        'seed': seed,
        'duration_s': scenario.duration_s,
        'belt_speed_m_s': SPEED,
        'items': [
            {
                'name': box.name,
                'size_m': box.size,
                'sku': box.sku,
                'damaged': box.dent_m > 0.0 and not box.by_design,
                'dent_depth_mm': 1e3 * box.dent_m,
                'dent_radius_mm': 1e3 * box.dent_radius_m if box.dent_m else 0.0,
                'in_view_s': box.in_view_s(SPEED),
            }
            for box in scenario.boxes
        ],
    }
