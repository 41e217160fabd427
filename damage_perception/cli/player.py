"""Publish a recording on the topics of the nodes, in its own time."""

from __future__ import annotations

import importlib
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from damage_perception.cli.pacing import Pacer
from damage_perception.errors import CallError
from damage_perception.recording.reader import RawMessage, Recording
from damage_perception.recording.topics import Topics, list_topics
from damage_perception.ros.frame_source import DEPTH, IDENTITY, INFO, RGB

# Reliable serves reliable and best-effort subscribers alike; the depth bridges a slow moment.
PLAY_QOS = QoSProfile(depth=30, reliability=ReliabilityPolicy.RELIABLE)
CLOCK_PERIOD_S = 0.025
CLOCK_QOS = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE)


def node_topics(topics: Topics) -> dict[str, str]:
    """Say where each topic of a recording is published: recorded name -> name of the nodes."""
    names = {
        topics.rgb: RGB,
        topics.depth: DEPTH,
        topics.camera_info: INFO,
        topics.identity: IDENTITY,
    }
    return {recorded: name for recorded, name in names.items() if recorded}


def booth_topics(recording: Recording, cameras: Sequence[str]) -> dict[str, str]:
    """Say the same of a recording of several cameras, each with the names of the nodes below its.

    Raises:
        CallError: if a topic of a camera is missing.
    """
    names: dict[str, str] = {}
    for camera in cameras:
        for topic in (RGB, DEPTH, INFO, IDENTITY):
            recorded = f'/{camera}/{topic}'
            if recorded in recording.topics:
                names[recorded] = f'{camera}/{topic}'
            elif topic != IDENTITY:
                raise CallError(
                    f'{recorded} is not in {recording.path}, which holds {list_topics(recording)}'
                )
    return names


def message_class(msgtype: str) -> Any:
    """Give the class of a type such as `sensor_msgs/msg/Image`."""
    package, _, name = msgtype.split('/')
    return getattr(importlib.import_module(f'{package}.msg'), name)


class Player:
    """Publishers for a recording; `play` runs through it once, held up by `pacer` where given.

    Messages go out as the bytes that were recorded, stamps included, so whoever listens sees what
    was recorded, time going back at each repetition included.
    """

    def __init__(
        self,
        node: Node,
        recording: Recording,
        names: dict[str, str],
        pacer: Pacer | None = None,
    ) -> None:
        self._recording, self._names, self._pacer = recording, names, pacer
        self._images = recording.topics[next(iter(names))].count
        self._publishers: dict[str, Publisher] = {
            recorded: node.create_publisher(
                message_class(recording.topics[recorded].msgtype), name, PLAY_QOS
            )
            for recorded, name in names.items()
        }
        self._clock = node.create_publisher(Clock, '/clock', CLOCK_QOS)
        self.sent: Counter[str] = Counter()

    def wait_for_listeners(self, timeout_s: float) -> bool:
        """Wait until every image topic has a subscriber; tell whether it came to that."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end and rclpy.ok():
            if all(p.get_subscription_count() for p in self._publishers.values()):
                time.sleep(0.3)  # the other side may have yet to match our publishers
                return True
            time.sleep(0.05)
        return False

    def play(self, rate: float = 1.0) -> Iterator[RawMessage]:
        """Publish each message when its time has come, and give it.

        Ends one interval of the images after the last one, when a next one could come: time that
        goes back at once would overtake what is still under way.
        """
        start_s, first_ns, last_ns = time.monotonic(), -1, -1
        for message in self._recording.messages(tuple(self._names)):
            first_ns, last_ns = message.time_ns if first_ns < 0 else first_ns, message.time_ns
            self._wait(start_s + (last_ns - first_ns) / 1e9 / rate, last_ns, rate)
            if not rclpy.ok():
                return
            self._tell(last_ns)
            if self._pacer is not None:
                start_s += self._pacer.hold_s(self._names[message.topic], message.data)
            self._publishers[message.topic].publish(bytes(message.data))
            self.sent[message.topic] += 1
            yield message
        end_ns = last_ns + (last_ns - first_ns) // max(1, self._images - 1)
        self._wait(start_s + (end_ns - first_ns) / 1e9 / rate, end_ns, rate)

    def _wait(self, due_s: float, due_ns: int, rate: float) -> None:
        """Let time pass on the clock too: one that stands still counts as stopped."""
        while (left_s := due_s - time.monotonic()) > CLOCK_PERIOD_S and rclpy.ok():
            self._tell(due_ns - round(left_s * rate * 1e9))
            time.sleep(CLOCK_PERIOD_S)
        time.sleep(max(0.0, due_s - time.monotonic()))

    def _tell(self, time_ns: int) -> None:
        seconds, nanoseconds = divmod(time_ns, 1_000_000_000)
        self._clock.publish(Clock(clock=Time(sec=seconds, nanosec=nanoseconds)))

    def drain(self, timeout_s: float = 2.0) -> None:
        """Wait until what was sent has arrived."""
        for publisher in self._publishers.values():
            publisher.wait_for_all_acked(Duration(seconds=timeout_s))
        time.sleep(0.2)  # best-effort subscribers acknowledge nothing
