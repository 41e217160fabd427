"""From reports, frame by frame, to one decision an item."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass

from damage_perception.report import (
    DamageReport,
    Decision,
    ItemReport,
    Status,
    Verdict,
)
from damage_perception.setting import check_ranges, setting

_IN_THE_WAY = {
    Status.MERGED: 'it could not be told apart from its neighbours',
    Status.TRUNCATED: 'it was never wholly in view',
    Status.OCCLUDED: 'another item lay on it',
    Status.DEPTH_POOR: 'too little of it had depth',
    Status.PARTLY_JUDGED: 'only a part of it could be judged',
}


_REMEMBERED = 1000  # decided items whose late reports are told from new ones


@dataclass(frozen=True)
class DecisionSettings:
    """When a judged item is diverted."""

    threshold: float = setting(0.5, 'P(damaged) from which an item is diverted.', low=0.0, high=1.0)
    min_frames: int = setting(1, 'Frames an item must be seen in to be judged.', low=1, high=1000)
    lost_after_s: float = setting(
        0.6, 'Seconds unseen after which an item has left and is decided.', low=0.05, high=60.0
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass
class _Open:
    """What is known of an item that is not decided yet."""

    newest: ItemReport
    stamp_ns: int
    frame_id: str
    frames: int = 0
    best: ItemReport | None = None  # the clean judgement that rests on most


class DecisionMaker:
    """Collect what was reported of each track and say once what to do with the item.

    Pure: time is that of the reports, so a replay and a node decide alike. An item is decided
    when it has left, or when the stream ends. Reports that are repeated or come late change
    nothing that was said.
    """

    def __init__(self, settings: DecisionSettings | None = None) -> None:
        self.settings = settings or DecisionSettings()
        self._open: dict[int, _Open] = {}
        self._decided: deque[int] = deque(maxlen=_REMEMBERED)
        self._newest_ns: int | None = None

    def update(self, report: DamageReport) -> list[Decision]:
        """Take the next report; give the decisions on items that have left since."""
        if self._newest_ns is not None and report.stamp_ns <= self._newest_ns:
            return []
        self._newest_ns = report.stamp_ns
        for item in report.items:
            if item.track_id not in self._decided:
                self._see(item, report)
        limit = self.settings.lost_after_s * 1e9
        # Not in this report: a gap between reports alone says nothing about the item.
        left = [
            track
            for track, item in self._open.items()
            if item.stamp_ns != report.stamp_ns and report.stamp_ns - item.stamp_ns > limit
        ]
        return [self._decide(track) for track in left]

    def flush(self) -> list[Decision]:
        """Decide on all items that are still open: the stream ended, went stale or jumped.

        Afterwards reports of any stamp are taken again.
        """
        decisions = [self._decide(track) for track in list(self._open)]
        self._newest_ns = None
        return decisions

    def _see(self, item: ItemReport, report: DamageReport) -> None:
        known = self._open.setdefault(item.track_id, _Open(item, report.stamp_ns, report.frame_id))
        known.newest, known.stamp_ns, known.frame_id = item, report.stamp_ns, report.frame_id
        known.frames += 1
        clean = not any(item.status & flag for flag in _IN_THE_WAY)
        if not clean or math.isnan(item.confidence):
            return
        if known.best is None or item.frames >= known.best.frames:
            known.best = item

    def _decide(self, track_id: int) -> Decision:
        known = self._open.pop(track_id)
        self._decided.append(track_id)
        judged = known.best or known.newest
        verdict, reason = self._verdict(known)
        return Decision(
            stamp_ns=known.stamp_ns,
            frame_id=known.frame_id,
            track_id=track_id,
            sku=judged.sku,
            decision=verdict,
            confidence=judged.confidence if known.best else math.nan,
            threshold=self.settings.threshold,
            frames=known.frames,
            reason=reason,
            pose=known.newest.pose,
        )

    def _verdict(self, known: _Open) -> tuple[Verdict, str]:
        if known.best is None:
            return Verdict.UNKNOWN, _why_unjudged(known.newest)
        if known.frames < self.settings.min_frames:
            need = self.settings.min_frames
            return Verdict.UNKNOWN, f'seen in {known.frames} frames, {need} are needed'
        if known.best.confidence >= self.settings.threshold:
            return Verdict.DIVERT, _worst(known.best)
        return Verdict.PASS, 'no damage found'


def _why_unjudged(item: ItemReport) -> str:
    reasons = [text for flag, text in _IN_THE_WAY.items() if item.status & flag]
    return ' and '.join(reasons) or 'no depth of it could be judged'


def _worst(item: ItemReport) -> str:
    if not item.damages:
        return 'damage'
    worst = max(item.damages, key=lambda damage: damage.confidence)
    text = worst.damage_type.name.lower().replace('_', ' ')
    if not math.isnan(worst.depth):
        text += f' {abs(worst.depth) * 1e3:.0f} mm {"deep" if worst.depth >= 0 else "high"}'
    return f'{text}, {worst.area * 1e4:.0f} cm2'
