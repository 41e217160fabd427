"""A graph of real nodes over real DDS; a module that imports this is skipped without ROS."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip('rclpy', reason='ROS 2 is not installed')
pytest.importorskip('damage_perception.msg', reason='the package is not built; source its setup')

from rclpy.executors import SingleThreadedExecutor  # noqa: E402
from sensor_msgs.msg import CameraInfo, Image  # noqa: E402

from damage_perception.ros import qos  # noqa: E402
from damage_perception.ros.image_conversion import fill_image  # noqa: E402
from damage_perception.ros.messages import header  # noqa: E402

FRAME = 'camera_color_optical_frame'
HEIGHT, WIDTH = 48, 64


def wait_for(condition: Callable[[], Any], timeout_s: float, what: str = 'the condition') -> Any:
    """Wait until a condition holds, and give its value."""
    end = time.monotonic() + timeout_s
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    pytest.fail(f'{what} did not come within {timeout_s} s')


class Graph:
    """A node that plays the camera and listens, beside the nodes under test."""

    def __init__(self) -> None:
        self.node = rclpy.create_node('tester')
        self.received: dict[str, list[Any]] = {}
        self.nodes: list[Any] = []
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()
        self.rgb = self.node.create_publisher(Image, 'rgb/image_rect_color', qos.SENSOR)
        self.depth = self.node.create_publisher(Image, 'depth_registered/image_rect', qos.SENSOR)
        self.info = self.node.create_publisher(CameraInfo, 'rgb/camera_info', qos.SENSOR)

    def add(self, node: Any, autostart: bool = True) -> Any:
        """Serve a node under test."""
        self.nodes.append(node)
        node.start(autostart)
        self._executor.add_node(node)
        return node

    def listen(self, kind: Any, topic: str, profile: Any = qos.RESULT) -> list[Any]:
        """Collect the messages of a topic."""
        messages: list[Any] = self.received.setdefault(topic, [])
        self.node.create_subscription(kind, topic, messages.append, profile)
        return messages

    def send(self, stamp_ns: int, *, depth: bool = True, info: bool = True, **rgb: Any) -> None:
        """Send one pair and its calibration; `rgb` overrides fields of the colour image."""
        head = header(stamp_ns, FRAME)
        if info:
            k = [60.0, 0.0, 32.0, 0.0, 60.0, 24.0, 0.0, 0.0, 1.0]
            self.info.publish(CameraInfo(header=head, width=WIDTH, height=HEIGHT, k=k))
        image = fill_image(Image(header=head), np.zeros((HEIGHT, WIDTH, 3), np.uint8), 'rgb8')
        for name, value in rgb.items():
            setattr(image, name, value)
        self.rgb.publish(image)
        if depth:
            metres = np.full((HEIGHT, WIDTH), 1.2, np.float32)
            self.depth.publish(fill_image(Image(header=head), metres, '32FC1'))

    def stream(self, until: Callable[[], Any], timeout_s: float, **options: Any) -> Any:
        """Send at 30 Hz with the stamps of the clock until a condition holds; give its value."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            self.send(self.node.get_clock().now().nanoseconds, **options)
            value = until()
            if value:
                return value
            time.sleep(1 / 30)
        pytest.fail(f'no such answer within {timeout_s} s')

    def close(self) -> None:
        """Stop serving and give everything back."""
        self._executor.shutdown(timeout_sec=2.0)
        self._thread.join(2.0)
        for node in self.nodes:
            node.deactivate()
            node.cleanup()
            node.destroy_node()
        self.node.destroy_node()
