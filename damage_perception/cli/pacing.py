"""Keep a played recording no faster than the nodes judge it."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from damage_perception import msg
from damage_perception.ros import qos
from damage_perception.ros.frame_source import DEPTH, RGB
from damage_perception.ros.image_conversion import stamp_ns
from damage_perception.ros.node_settings import InputSettings
from damage_perception.ros.synchronizer import Synchronizer

PATIENCE_S = 3.0  # a pair that has no report by then will get none


class Pacer:
    """Wait for the report of each pair of images that was sent.

    Args:
        node: one that nobody else spins.
        spaces: what stands before the topics of each camera, such as `left/`.
    """

    def __init__(self, node: Node, spaces: Sequence[str] = ('',)) -> None:
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._syncs = {
            space: Synchronizer([RGB, DEPTH], InputSettings().slop_s) for space in spaces
        }
        self._awaited: set[tuple[str, int]] = set()
        for space in spaces:
            node.create_subscription(
                msg.DamageReport, f'{space}damage/report', partial(self._note, space), qos.DECISION
            )

    def hold_s(self, topic: str, data: bytes) -> float:
        """Wait before a message (CDR) is sent on a topic of the nodes; give how long it took.

        A colour image waits until all pairs that were sent before it have their reports.
        """
        began = time.monotonic()
        name = next((name for name in (RGB, DEPTH) if topic.endswith(name)), '')
        if name == RGB:
            self._wait(began + PATIENCE_S)
        if name:
            space = topic.removesuffix(name)
            sync = self._syncs[space]
            matches = sync.add(name, header_stamp_ns(data), None) + sync.flush()
            self._awaited |= {(space, match.stamp_ns) for match in matches}
        return time.monotonic() - began

    def _wait(self, until_s: float) -> None:
        while self._awaited and time.monotonic() < until_s and rclpy.ok():
            self._executor.spin_once(timeout_sec=0.05)
        self._awaited.clear()

    def _note(self, space: str, report: Any) -> None:
        self._awaited.discard((space, stamp_ns(report)))


def header_stamp_ns(data: bytes) -> int:
    """Read the stamp of a serialized message that begins with a header, nanoseconds."""
    order = '<' if data[1] & 1 else '>'
    seconds, nanoseconds = struct.unpack_from(f'{order}iI', data, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
