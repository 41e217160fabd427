"""From the messages of a recording to frames in order of time, with what is wrong said in place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from damage_perception.frame import FrameError, RgbdFrame
from damage_perception.recording.reader import RawMessage, Recording
from damage_perception.recording.topics import Topics
from damage_perception.recording.types import typestore
from damage_perception.report import DamageReport, Health
from damage_perception.ros.frame_source import DEPTH, INFO, RGB, FrameSource, Job
from damage_perception.ros.image_conversion import stamp_ns
from damage_perception.ros.node_settings import InputSettings


@dataclass(frozen=True)
class TimeJump:
    """Time went back: tracks and queues are to be forgotten."""


Entry = RgbdFrame | DamageReport | TimeJump


class FrameReader:
    """Iterate over the frames of a recording, paired as the node pairs them.

    A colour image that finds no depth, or that cannot be read, comes as a report of health
    UNKNOWN; time going back comes as a `TimeJump`. `unreadable` counts messages that could not
    be decoded at all, `late` colour images that came after a newer one had been given.
    """

    def __init__(
        self, recording: Recording, topics: Topics, settings: InputSettings | None = None
    ) -> None:
        self._recording, self._topics = recording, topics
        self._settings = settings or InputSettings()
        self.unreadable = self.late = 0

    def __iter__(self) -> Iterator[Entry]:
        topics = self._topics
        names = {RGB: topics.rgb, DEPTH: topics.depth, INFO: topics.camera_info}
        self._source = FrameSource(self._settings, 0.0, names)
        self._waiting: dict[int, Any] = {}  # stamp -> colour image that has no depth yet
        self._given_ns = -1
        self.unreadable = self.late = 0
        for raw in self._recording.messages(topics.names):
            try:
                message = typestore().deserialize_cdr(raw.data, raw.msgtype)
            except Exception:  # the typestore meets damage with whatever its parsers raise
                self.unreadable += 1
                continue
            yield from self._take(raw, message)
        yield from self._settle(self._source.poll(float('inf')))
        yield from self._give_up(0)

    def _take(self, raw: RawMessage, message: Any) -> Iterator[Entry]:
        if raw.topic == self._topics.camera_info:
            self._source.add_info(message, raw.time_ns / 1e9)
        elif raw.topic == self._topics.identity:
            self._source.add_identity(message)
        else:
            yield from self._add_image(
                RGB if raw.topic == self._topics.rgb else DEPTH, raw, message
            )

    def _add_image(self, name: str, raw: RawMessage, message: Any) -> Iterator[Entry]:
        stamp, jumps = stamp_ns(message), self._source.sync.jumps
        jobs = self._source.add_image(name, message, raw.time_ns / 1e9)
        if self._source.sync.jumps != jumps:
            yield from self._give_up(0)
            self._given_ns = -1
            yield TimeJump()
        if name == RGB and stamp > self._given_ns:
            self._waiting[stamp] = message
        elif name == RGB:
            self.late += 1
        yield from self._settle(jobs)
        yield from self._give_up(self._settings.queue_size)

    def _settle(self, jobs: list[Job]) -> Iterator[Entry]:
        """Give the matched frames, and before each the older images that stayed alone."""
        for job in jobs:
            matched_ns = stamp_ns(job.rgb)
            for stamp in sorted(self._waiting):
                if stamp < matched_ns:
                    yield self._alone(stamp)
            self._waiting.pop(matched_ns, None)
            self._given_ns = matched_ns
            try:
                yield job.frame()
            except FrameError as error:
                yield _unknown(job.rgb, str(error))

    def _give_up(self, keep: int) -> Iterator[DamageReport]:
        """Report the oldest images that wait, until `keep` are left."""
        for stamp in sorted(self._waiting)[: max(0, len(self._waiting) - keep)]:
            yield self._alone(stamp)

    def _alone(self, stamp: int) -> DamageReport:
        self._given_ns = stamp
        return _unknown(self._waiting.pop(stamp), 'no depth has arrived for this colour image')


def _unknown(rgb: Any, reason: str) -> DamageReport:
    """Say that nothing was judged; an image that nobody read has no size, as in the node."""
    return DamageReport(stamp_ns(rgb), rgb.header.frame_id, 0, 0, Health.UNKNOWN, reason)
