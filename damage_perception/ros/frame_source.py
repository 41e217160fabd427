"""From input messages to frames: pairing, the newest calibration and identity, and who is late.

No ROS here; messages are duck-typed and time is given.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from damage_perception.frame import CameraIntrinsics, FrameError, ItemIdentity, RgbdFrame
from damage_perception.ros.image_conversion import (
    camera_intrinsics,
    image_to_depth,
    image_to_rgb,
    stamp_ns,
)
from damage_perception.ros.node_settings import InputSettings
from damage_perception.ros.synchronizer import Match, Synchronizer
from damage_perception.ros.topic_watch import TopicWatch, describe_silence

RGB, DEPTH, INFO = 'rgb/image_rect_color', 'depth_registered/image_rect', 'rgb/camera_info'
IDENTITY = 'item/identity'


@dataclass(frozen=True, eq=False)
class Job:
    """A matched pair that is not converted yet; that is left to the thread that works on it."""

    rgb: Any
    depth: Any
    info: Any | None
    identity: ItemIdentity | None
    epoch: int  # jumps back in time so far

    def frame(self) -> RgbdFrame:
        """Convert the messages.

        Raises:
            FrameError: if they cannot be used together.
        """
        frames = self.rgb.header.frame_id, self.depth.header.frame_id
        if all(frames) and frames[0] != frames[1]:
            raise FrameError(
                f'depth is in frame {frames[1]!r}, colour in {frames[0]!r}; '
                'use the depth topic that is registered to colour'
            )
        return RgbdFrame(
            rgb=image_to_rgb(self.rgb),
            depth_m=image_to_depth(self.depth),
            camera=None if self.info is None else self._camera(),
            stamp_ns=stamp_ns(self.rgb),
            frame_id=frames[0],
            identity=self.identity,
        )

    def _camera(self) -> CameraIntrinsics:
        return camera_intrinsics(self.info)


class FrameSource:
    """Collect messages, give jobs, and know why there are none.

    Args:
        settings: how to pair and when a topic is silent.
        now_s: the time of a clock that does not go back.
        topics: the resolved names of `RGB`, `DEPTH`, `INFO` for people.
    """

    def __init__(self, settings: InputSettings, now_s: float, topics: dict[str, str]) -> None:
        self.settings = settings
        self.sync = Synchronizer([RGB, DEPTH], settings.slop_s, settings.queue_size)
        self.watches = {name: TopicWatch(topics[name], now_s) for name in (RGB, DEPTH, INFO)}
        self.newest_rgb: Any | None = None
        self.skew_ns = 0  # of the newest pair
        self._info: Any | None = None
        self._identity: ItemIdentity | None = None
        self._matched_s = now_s

    def add_image(self, name: str, message: Any, now_s: float) -> list[Job]:
        """Take a colour or depth image; give the pairs that are complete now."""
        stamp = stamp_ns(message)
        self.watches[name].note(stamp, now_s)
        if name == RGB:
            self.newest_rgb = message
        return self._jobs(self.sync.add(name, stamp, message, now_s), now_s)

    def poll(self, now_s: float) -> list[Job]:
        """Give the pairs that waited long enough for a closer partner."""
        return self._jobs(self.sync.poll(now_s), now_s)

    def add_info(self, message: Any, now_s: float) -> None:
        """Take a calibration; it holds until another one comes."""
        self.watches[INFO].note(stamp_ns(message), now_s)
        self._info = message

    def add_identity(self, message: Any) -> None:
        """Take what an item is said to be; without a stamp, as typed by hand, it is said now."""
        stamp = stamp_ns(message)
        if not stamp and self.newest_rgb is not None:
            stamp = stamp_ns(self.newest_rgb)
        self._identity = ItemIdentity(message.sku, float(message.confidence), message.source, stamp)

    def silence(self, now_s: float) -> str:
        """Say why no pair has come for `stale_after_s`, naming the topics; empty = all is well."""
        if now_s - self._matched_s <= self.settings.stale_after_s:
            return ''
        silent = [
            watch
            for name, watch in self.watches.items()
            if watch.age_s(now_s) > self.settings.stale_after_s and not self._holds(name)
        ]
        return describe_silence(silent, now_s) or self._mismatch()

    def _holds(self, name: str) -> bool:
        return name == INFO and self._info is not None

    def _mismatch(self) -> str:
        lag = self.sync.lags_s().get(DEPTH, 0.0)
        if abs(lag) <= self.settings.slop_s:
            return (
                f'the stamps of {self.watches[RGB].topic} and {self.watches[DEPTH].topic} do not '
                'advance; let the driver stamp its images with the time of exposure'
            )
        order = 'behind' if lag >= 0 else 'ahead of'
        return (
            f'{self.watches[DEPTH].topic} is {abs(lag) * 1e3:.0f} ms {order} '
            f'{self.watches[RGB].topic}, more than slop_s allows'
        )

    def _jobs(self, matches: list[Match], now_s: float) -> list[Job]:
        if matches:
            self._matched_s, self.skew_ns = now_s, matches[-1].skew_ns
        return [
            Job(
                match.messages[RGB],
                match.messages[DEPTH],
                self._info,
                self._identity_at(match.stamp_ns),
                self.sync.jumps,
            )
            for match in matches
        ]

    def _identity_at(self, stamp: int) -> ItemIdentity | None:
        said = self._identity
        valid_ns = self.settings.identity_valid_s * 1e9
        return said if said is not None and abs(stamp - said.stamp_ns) <= valid_ns else None
