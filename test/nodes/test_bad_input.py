"""Input that cannot be used, sent to the real pipeline over real DDS: UNKNOWN, then back to normal.

One node takes all of it, one case after the other, as from a camera that goes wrong in many ways.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from made_frames import CAMERA, box, frame_of
from ros_graph import FRAME, Graph, rclpy, wait_for
from sensor_msgs.msg import CameraInfo, Image

from damage_perception import msg
from damage_perception.nodes.damage_segmentation_node import DamageSegmentationNode
from damage_perception.report import Health
from damage_perception.ros import qos
from damage_perception.ros.image_conversion import fill_image, stamp_ns
from damage_perception.ros.messages import header
from damage_perception.ros.throttle import Throttle

MOST_S = 20.0  # for one answer, on a machine that does other work too


class Cell:
    """A camera over a belt with one box, and the node that watches it."""

    def __init__(self, graph: Graph) -> None:
        self.graph, self.stamp = graph, 10**12
        self.node = DamageSegmentationNode()
        self.reports = graph.listen(msg.DamageReport, 'damage/report', qos.DECISION)
        graph.add(self.node)
        frame = frame_of(box())
        self.rgb, self.depth_m = np.ascontiguousarray(frame.rgb), frame.depth_m
        wait_for(lambda: graph.rgb.get_subscription_count(), MOST_S, 'the node')

    def send(
        self, rgb: Any = None, depth: Any = None, step_ns: int = 100_000_000, **fields: Any
    ) -> int:
        """Send one pair and its calibration.

        `rgb__step=5` sets a field of the message `rgb`, and so on.
        """
        self.stamp += step_ns
        rgb = self.rgb if rgb is None else rgb
        depth = self.depth_m if depth is None else depth
        k = [CAMERA.fx, 0.0, CAMERA.cx, 0.0, CAMERA.fy, CAMERA.cy, 0.0, 0.0, 1.0]
        messages = {
            'info': CameraInfo(width=rgb.shape[1], height=rgb.shape[0], k=k),
            'depth': fill_image(Image(), depth, '32FC1'),
            'rgb': fill_image(Image(), rgb, 'rgb8'),
        }
        for name, message in messages.items():
            message.header = header(self.stamp, fields.pop(f'{name}__frame', FRAME))
        for place, value in fields.items():
            name, _, field = place.partition('__')
            setattr(messages[name], field, value)
        for name, message in messages.items():
            getattr(self.graph, name).publish(message)
        return self.stamp

    def answer(self, stamp: int) -> Any:
        """Wait for the report of a frame."""

        def heard() -> list[Any]:
            return [r for r in self.reports if stamp_ns(r) == stamp and 'silent' not in r.reason]

        return wait_for(heard, MOST_S, 'the report')[0]

    def is_normal(self) -> bool:
        """Tell whether a good frame is judged, its box with it."""
        report = self.answer(self.send())
        return report.health == Health.OK and len(report.items) == 1


@pytest.fixture(scope='module')
def cell() -> Iterator[Cell]:
    domain = 1 + (os.getpid() * 11 + 7) % 100
    rclpy.init(args=[], domain_id=domain)
    graph = Graph()
    yield Cell(graph)
    graph.close()
    rclpy.try_shutdown()


ZEROS = np.zeros((480, 640), np.float32)
BROKEN: dict[str, tuple[dict[str, Any], str]] = {
    'colour in an unknown encoding': ({'rgb__encoding': 'yuv422_x'}, 'yuv422_x.*cv_bridge'),
    'depth on the colour topic': ({'rgb__encoding': '32FC1'}, 'swap the topics'),
    'depth without a unit': ({'depth__encoding': 'mono16'}, 'no defined unit'),
    'another size': ({'depth': ZEROS[:240, :320] + 1}, r'depth must be \(H, W\) like'),
    'another frame': ({'depth__frame': 'other'}, "depth is in frame 'other'"),
    'too small a step': ({'rgb__step': 5}, 'step must be at least 1920'),
    'a depth step that does not fit': ({'depth__step': 2600}, 'image data must be'),
    'truncated colour': ({'rgb__data': bytes(1000)}, 'image data must be .* got 1000'),
    'truncated depth': ({'depth__data': bytes(1000)}, 'image data must be .* got 1000'),
    'no data at all': ({'rgb__data': b''}, 'image data must be'),
    'no depth anywhere': ({'depth': ZEROS}, 'no valid pixel'),
    'depth NaN everywhere': ({'depth': ZEROS * np.float32(np.nan)}, 'no valid pixel'),
    'depth infinite everywhere': ({'depth': ZEROS + np.float32(np.inf)}, 'no valid pixel'),
    'depth negative everywhere': ({'depth': ZEROS - 1}, 'no valid pixel'),
    'zero calibration': ({'info__k': [0.0] * 9}, 'not calibrated'),
    'infinite calibration': ({'info__k': [np.inf] * 9}, 'fx must be a positive'),
    'calibration of another size': ({'info__width': 64}, 'camera info is for 64x480'),
    'one pixel': (
        {'rgb': np.zeros((1, 1, 3), np.uint8), 'depth': ZEROS[:1, :1] + 1}, 'no belt or tray'
    ),
}  # fmt: skip


@pytest.mark.parametrize('case', BROKEN)
def test_it_is_unknown_said_once_and_over_with_the_next_good_frame(cell: Cell, case: str) -> None:
    changes, sentence = BROKEN[case]
    said: list[str] = []
    cell.node.warn = Throttle(said.append)
    for _ in range(2):
        report = cell.answer(cell.send(**changes))
        assert report.health == Health.UNKNOWN
        assert not report.items
        assert re.search(sentence, report.reason), report.reason
    assert len(said) == 1
    assert cell.is_normal()


def test_half_of_the_depth_nan_infinite_or_zero_leaves_the_rest_judged(cell: Cell) -> None:
    depth = cell.depth_m.copy()
    for bad, value in enumerate((np.nan, np.inf, -np.inf, 0.0)):
        depth[bad::8] = value
    report = cell.answer(cell.send(depth=depth))
    assert report.health == Health.OK
    assert len(report.items) == 1


def test_a_stamp_that_comes_twice_or_late_is_judged_once(cell: Cell) -> None:
    first = cell.send()
    cell.answer(first)
    cell.send(step_ns=0)
    cell.send(step_ns=-50_000_000)
    cell.stamp = first
    assert cell.is_normal()
    stamps = [stamp_ns(report) for report in cell.reports if 'silent' not in report.reason]
    assert stamps.count(first) == 1
    assert first - 50_000_000 not in stamps[-2:]


def test_an_empty_belt_has_no_items(cell: Cell) -> None:
    empty = frame_of()
    report = cell.answer(cell.send(empty.rgb, empty.depth_m))
    assert (report.health, len(report.items)) == (Health.OK, 0)
    assert cell.is_normal()


def test_a_hundred_items(cell: Cell) -> None:
    empty = frame_of()
    rgb, depth = empty.rgb.copy(), empty.depth_m.copy()
    for y in range(10):
        for x in range(10):
            place = slice(90 + 31 * y, 112 + 31 * y), slice(20 + 60 * x, 62 + 60 * x)
            rgb[place], depth[place] = (180, 140, 90), depth[place] - np.float32(0.06)
    report = cell.answer(cell.send(rgb, depth))
    assert report.health == Health.OK
    assert len(report.items) == 100
    assert cell.is_normal()


def test_a_picture_of_4096_by_3072(cell: Cell) -> None:
    """Check that it is answered; at six times the resolution the box is the same box."""
    rgb = cv2.resize(cell.rgb, (4096, 3072))
    depth = cv2.resize(cell.depth_m, (4096, 3072), interpolation=cv2.INTER_NEAREST)
    scale = 4096 / 640
    k = [CAMERA.fx * scale, 0.0, 2047.5, 0.0, CAMERA.fy * scale, 1535.5, 0.0, 0.0, 1.0]
    report = cell.answer(cell.send(rgb, depth, info__k=k))
    assert report.health == Health.OK
    assert len(report.items) == 1
    assert cell.is_normal()
