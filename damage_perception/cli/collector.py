"""Collect what the nodes publish and keep it as lines, recording and pictures."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from damage_perception import msg
from damage_perception.recording.jsonl import to_json
from damage_perception.recording.outputs import LineFile, write_png
from damage_perception.recording.types import DECISION, IMAGE, LABELS, REPORT
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import Verdict
from damage_perception.ros import qos
from damage_perception.ros.image_conversion import image_to_rgb, stamp_ns

TOPICS = {
    '/damage/report': (msg.DamageReport, REPORT, qos.RESULT),
    '/damage/label_info': (msg.LabelInfo, LABELS, qos.LATCHED),
    '/damage/mask': (Image, IMAGE, qos.RESULT),
    '/damage/overlay': (Image, IMAGE, qos.RESULT),
    '/divert/decision': (msg.DivertDecision, DECISION, qos.DECISION),
}


class Collector:
    """Subscriptions to all results; give it to an executor in another thread."""

    def __init__(self, node: Node) -> None:
        self._lock = threading.Lock()
        self._messages: list[tuple[str, Any]] = []  # in order of arrival
        self._newest_s = time.monotonic()
        for topic, (kind, _, profile) in TOPICS.items():
            node.create_subscription(kind, topic, self._keeper(topic), profile)

    def _keeper(self, topic: str) -> Any:
        def keep(message: Any) -> None:
            with self._lock:
                self._messages.append((topic, message))
                if topic == '/divert/decision' or getattr(message, 'health', False):
                    self._newest_s = time.monotonic()

        return keep

    def of(self, topic: str) -> list[Any]:
        """Give the messages of a topic."""
        with self._lock:
            return [message for name, message in self._messages if name == topic]

    def quiet_s(self) -> float:
        """Say for how long neither a judged report nor a decision has come."""
        with self._lock:
            return time.monotonic() - self._newest_s

    def write_lines(self, path: Path) -> None:
        """Write reports and decisions as `replay` does, in order of arrival."""
        names = {'/damage/report': 'report', '/divert/decision': 'decision'}
        with LineFile(path) as lines:
            for topic, message in self._messages:
                if topic in names:
                    lines.write(to_json({'type': names[topic], **message_dict(message)}))

    def write_recording(self, folder: Path) -> None:
        """Write everything as a recording."""
        with RecordingWriter(folder) as writer:
            for topic, message in self._messages:
                data = serialize_message(message)
                latched = topic == '/damage/label_info'
                writer.write_raw(topic, TOPICS[topic][1], data, stamp_ns(message), latched)

    def write_pictures(self, folder: Path) -> dict[int, NDArray[np.uint8]]:
        """Write a picture of each decided item where it is nearest to the middle of the image."""
        overlays = {stamp_ns(image): image for image in self.of('/damage/overlay')}
        best: dict[int, tuple[float, int]] = {}
        for report in self.of('/damage/report'):
            image = overlays.get(stamp_ns(report))
            if image is None:
                continue
            for item in report.items:
                middle = item.roi.x_offset + item.roi.width / 2 - image.width / 2
                best[item.track_id] = min(
                    best.get(item.track_id, (np.inf, 0)), (abs(middle), stamp_ns(report))
                )
        pictures = {}
        for decision in self.of('/divert/decision'):
            if decision.track_id in best:
                picture = image_to_rgb(overlays[best[decision.track_id][1]])
                verdict = Verdict(decision.decision).name.lower()
                write_png(folder / f'item_{decision.track_id:03d}_{verdict}.png', picture)
                pictures[decision.track_id] = picture
        return pictures


def message_dict(message: Any) -> Any:
    """Turn a message into nested dicts of its fields."""
    if hasattr(message, 'get_fields_and_field_types'):
        names = message.get_fields_and_field_types()
        return {name: message_dict(getattr(message, name)) for name in names}
    if isinstance(message, (list, tuple)):
        return [message_dict(entry) for entry in message]
    return message
