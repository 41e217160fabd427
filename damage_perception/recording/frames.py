"""From the messages of a recording to frames in order of time, with what is wrong said in place."""

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
    MAX_SIDE,
    camera_intrinsics,
    image_to_depth,
    image_to_rgb,
    stamp_ns,
)
from damage_perception.ros.synchronizer import Match, Synchronizer

SLOP_S = 0.02
QUEUE = 10


@dataclass(frozen=True)
class TimeJump:
    """Time went back: tracks and queues are to be forgotten."""


Entry = RgbdFrame | DamageReport | TimeJump


class FrameReader:
    """Iterate over the frames of a recording.

    A colour image that finds no depth, or that cannot be read, comes as a report of health
    UNKNOWN; time going back comes as a `TimeJump`. `unreadable` counts messages that could not
    be decoded at all, `late` colour images that came after a newer one had been given.
    """

    def __init__(self, recording: Recording, topics: Topics, slop_s: float = SLOP_S) -> None:
        self._recording, self._topics, self._slop_s = recording, topics, slop_s
        self.unreadable = self.late = 0

    def __iter__(self) -> Iterator[Entry]:
        self._synchronizer = Synchronizer(('rgb', 'depth'), self._slop_s, QUEUE)
        self._camera: CameraIntrinsics | None = None
        self._no_camera = 'no camera info has arrived'
        self._identity: ItemIdentity | None = None
        self._waiting: dict[int, Any] = {}  # stamp -> colour image that has no depth yet
        self._given_ns = -1
        self.unreadable = self.late = 0
        for raw in self._recording.messages(self._topics.names):
            try:
                message = typestore().deserialize_cdr(raw.data, raw.msgtype)
            except Exception:  # the typestore meets damage with whatever its parsers raise
                self.unreadable += 1
                continue
            yield from self._take(raw, message)
        yield from self._settle(self._synchronizer.flush())
        yield from self._give_up(0)

    def _take(self, raw: RawMessage, message: Any) -> Iterator[Entry]:
        if raw.topic == self._topics.camera_info:
            self._take_camera(message)
        elif raw.topic == self._topics.identity:
            self._identity = ItemIdentity(message.sku, message.confidence, message.source)
        elif raw.topic == self._topics.rgb:
            yield from self._add('rgb', raw, message)
        else:
            yield from self._add('depth', raw, message)

    def _take_camera(self, message: Any) -> None:
        try:
            self._camera = camera_intrinsics(message)
        except FrameError as error:
            self._camera, self._no_camera = None, str(error)

    def _add(self, stream: str, raw: RawMessage, message: Any) -> Iterator[Entry]:
        stamp, jumps = stamp_ns(message), self._synchronizer.jumps
        matches = self._synchronizer.add(stream, stamp, message, raw.time_ns / 1e9)
        if self._synchronizer.jumps != jumps:
            yield from self._give_up(0)
            self._given_ns = -1
            yield TimeJump()
        if stream == 'rgb' and stamp > self._given_ns:
            self._waiting[stamp] = message
        elif stream == 'rgb':
            self.late += 1
        yield from self._settle(matches)
        yield from self._give_up(QUEUE)

    def _settle(self, matches: list[Match]) -> Iterator[Entry]:
        """Give the matched frames, and before each the older images that stayed alone."""
        for match in matches:
            for stamp in sorted(self._waiting):
                if stamp < match.stamp_ns:
                    yield self._alone(stamp)
            self._waiting.pop(match.stamp_ns, None)
            self._given_ns = match.stamp_ns
            yield self._frame(match.messages['rgb'], match.messages['depth'])

    def _give_up(self, keep: int) -> Iterator[DamageReport]:
        """Report the oldest images that wait, until `keep` are left."""
        for stamp in sorted(self._waiting)[: max(0, len(self._waiting) - keep)]:
            yield self._alone(stamp)

    def _alone(self, stamp: int) -> DamageReport:
        self._given_ns = stamp
        return _unknown(self._waiting.pop(stamp), 'no depth has arrived for this colour image')

    def _frame(self, rgb: Any, depth: Any) -> RgbdFrame | DamageReport:
        if self._camera is None:
            return _unknown(rgb, self._no_camera)
        try:
            if rgb.header.frame_id != depth.header.frame_id:
                raise FrameError(
                    f'depth is in frame {depth.header.frame_id!r}, colour in '
                    f'{rgb.header.frame_id!r}; use the depth that is registered to colour'
                )
            return RgbdFrame(
                image_to_rgb(rgb),
                image_to_depth(depth),
                self._camera,
                stamp_ns(rgb),
                rgb.header.frame_id,
                self._identity,
            )
        except FrameError as error:
            return _unknown(rgb, str(error))


def _unknown(rgb: Any, reason: str) -> DamageReport:
    """Say that nothing was judged; a size that makes no sense is given as 0x0."""
    sane = 0 < rgb.width <= MAX_SIDE and 0 < rgb.height <= MAX_SIDE
    width, height = (int(rgb.width), int(rgb.height)) if sane else (0, 0)
    frame_id = rgb.header.frame_id
    return DamageReport(stamp_ns(rgb), frame_id, width, height, Health.UNKNOWN, reason)
