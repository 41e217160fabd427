"""From the messages of a recording to frames in order of time, faults included."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from damage_perception.frame import CameraIntrinsics, FrameError, ItemIdentity, RgbdFrame
from damage_perception.recording.reader import RawMessage, Recording
from damage_perception.recording.topics import Topics
from damage_perception.recording.types import typestore
from damage_perception.report import DamageReport, Health
from damage_perception.ros.image_conversion import (
    camera_intrinsics,
    image_to_depth,
    image_to_rgb,
    stamp_ns,
)


@dataclass(frozen=True)
class TimeJump:
    """Time went back by so many seconds: tracks and queues are to be forgotten."""

    seconds: float


def read_frames(
    recording: Recording, topics: Topics, slop_s: float = 0.02
) -> Iterator[RgbdFrame | DamageReport | TimeJump]:
    """Pair colour and depth; what cannot be paired or read becomes a report of health UNKNOWN."""
    camera: CameraIntrinsics | None = None
    reason = ''
    rgbs: list[Any] = []
    depths: list[Any] = []
    for raw in recording.messages(topics.names):
        message = typestore().deserialize_cdr(raw.data, raw.msgtype)
        if raw.topic == topics.camera_info:
            camera = camera_intrinsics(message)
        elif raw.topic == topics.rgb:
            rgbs.append(message)
        elif raw.topic == topics.depth:
            depths.append(message)
        while rgbs and depths:
            rgb, depth = rgbs.pop(0), depths.pop(0)
            yield RgbdFrame(
                image_to_rgb(rgb),
                image_to_depth(depth),
                camera,
                stamp_ns(rgb),
                rgb.header.frame_id,
            )
