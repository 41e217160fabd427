"""What is known of an item that is not decided yet: its clean looks, where it is, how it moves."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.decision.settings import DecisionSettings
from damage_perception.report import DamageReport, Health, ItemReport, Status

IN_THE_WAY = {
    Status.MERGED: 'it could not be told apart from its neighbours',
    Status.TRUNCATED: 'it was never wholly in view',
    Status.OCCLUDED: 'another item lay on it',
    Status.DEPTH_POOR: 'too little of it had depth',
    Status.PARTLY_JUDGED: 'only a part of it could be judged',
}


class Versions(NamedTuple):
    """What a judgement came from; see `DamageReport`."""

    detector: str = ''
    calibration: str = ''
    gallery: str = ''


NOT_SAID = Versions()
_KEPT = 31  # looks that rest on the same number of frames; more would tell no more


@dataclass(eq=False)
class ItemHistory:
    """The looks at one item, newest last.

    Attributes:
        newest: the newest look.
        stamp_ns: its stamp.
        frame_id: its frame.
        frames: clean judgements so far.
        versions: what the clean judgement, or else the newest look, came from.
        best: the clean judgement that decides; None = there was none.
        judged_by: P(damaged) from which it counted as damaged where it was judged, so that a bite
            out of its outline was excused (see `Judge`); infinite = nobody said.
        unhealthy: why the newest look cannot be trusted; empty = it can.
        missed: reports that could judge and did not show it since it was last seen.
        certain: independent looks in a row that were far above (> 0) or below (< 0) the threshold.
    """

    newest: ItemReport
    stamp_ns: int
    frame_id: str
    frames: int = 0
    versions: Versions = NOT_SAID
    best: ItemReport | None = None
    judged_by: float = math.inf
    unhealthy: str = ''
    missed: int = 0
    certain: int = 0
    _looks: deque[tuple[ItemReport, Versions, float]] = field(
        default_factory=lambda: deque(maxlen=_KEPT)
    )
    _named: tuple[str, float] = ('', 0.0)  # the surest that was said of its product, and how sure
    _at_m: NDArray[np.float64] | None = None  # where it was last located
    _at_ns: int = -1  # a stamp may be 0
    _velocity_m_s: NDArray[np.float64] | None = None
    _counted_at_m: NDArray[np.float64] | None = None

    def see(
        self,
        item: ItemReport,
        report: DamageReport,
        threshold: float,
        settings: DecisionSettings,
        judged_by: float = math.inf,
    ) -> None:
        """Take the next look, newer than the one before.

        Args:
            item: the look.
            report: of which it is a part.
            threshold: P(damaged) from which it counts as damaged.
            settings: when to decide.
            judged_by: see the attribute.
        """
        self._locate(item, report.stamp_ns)
        self.newest, self.stamp_ns, self.frame_id = item, report.stamp_ns, report.frame_id
        self.missed = 0
        self.unhealthy = '' if report.health is Health.OK else report.reason or 'poor evidence'
        in_the_way = any(item.status & flag for flag in IN_THE_WAY)
        if item.sku and (not self._named[0] or item.sku_confidence > self._named[1]):
            self._named = item.sku, item.sku_confidence
        judged = Versions(report.detector, report.calibration, report.gallery)
        self.versions = self.versions if self.best else judged
        if not (self.unhealthy or in_the_way or math.isnan(item.confidence)):
            self.frames += 1
            self._weigh(item, judged, judged_by)
            self._count(item, threshold, settings)
        self._name()

    def join(self, earlier: ItemHistory) -> None:
        """Take over what was seen of the item while it was followed under another id."""
        self.frames += earlier.frames
        for item, judged, judged_by in earlier._looks:
            self._weigh(replace(item, track_id=self.newest.track_id), judged, judged_by)
        if earlier._named[0] and earlier._named[1] > self._named[1]:
            self._named = earlier._named
        self._name()

    def reaches(self, settings: DecisionSettings, now_ns: int) -> bool:
        """Tell whether the item is at the line or will be there within the lead."""
        if not settings.line or self._at_m is None:
            return False
        *normal, distance = settings.line
        seconds = (now_ns - self._at_ns) * 1e-9 + settings.line_lead_s
        moved = 0.0 if self._velocity_m_s is None else float(self._velocity_m_s @ normal) * seconds
        # Seen there already counts, whatever the belt did meanwhile.
        return float(self._at_m @ normal) + max(moved, 0.0) >= distance

    def comes(self, settings: DecisionSettings) -> bool:
        """Tell whether the item was on its way to the line when it was last seen."""
        if not settings.line or self._at_m is None or self._velocity_m_s is None:
            return False
        *normal, distance = settings.line
        return float(self._velocity_m_s @ normal) > 0.0 and float(self._at_m @ normal) < distance

    def why_unjudged(self) -> str:
        """Say why there is no clean judgement."""
        reasons = [text for flag, text in IN_THE_WAY.items() if self.newest.status & flag]
        if self.unhealthy:
            reasons.append(self.unhealthy)
        return ' and '.join(reasons) or 'no depth of it could be judged'

    def _name(self) -> None:
        """Let the look that decides bear the product: one item is one, whichever look it is."""
        if self.best and self._named[0]:
            sku, confidence = self._named
            self.best = replace(self.best, sku=sku, sku_confidence=confidence)

    def _weigh(self, item: ItemReport, judged: Versions, judged_by: float) -> None:
        """Let the look decide that rests on the most frames.

        Fused views get better with frames, so one clear view of a damage is enough, and what a
        worse view misses does not excuse it. Looks that rest on as many frames are equals, as all
        are whose views cannot be fused: their median decides, the worse of two in the middle, so
        that neither one noisy look among many diverts an item nor one that misses it passes it.
        """
        most = self._looks[-1][0].frames if self._looks else 0
        if item.frames < most:
            return
        if item.frames > most:
            self._looks.clear()
        self._looks.append((item, judged, judged_by))
        ordered = sorted(self._looks, key=lambda look: look[0].confidence)
        self.best, self.versions, self.judged_by = ordered[len(ordered) // 2]

    def _locate(self, item: ItemReport, stamp_ns: int) -> None:
        at, seconds = _position(item), (stamp_ns - self._at_ns) * 1e-9
        if not np.isfinite(at).all() or seconds <= 0.0:
            return
        if self._at_m is not None:
            velocity, known = (at - self._at_m) / seconds, self._velocity_m_s
            self._velocity_m_s = velocity if known is None else 0.5 * (known + velocity)
        self._at_m, self._at_ns = at, stamp_ns

    def _count(self, item: ItemReport, threshold: float, settings: DecisionSettings) -> None:
        """Count a look as evidence of its own only where the item has moved over the noise."""
        margin = settings.certain_margin
        side = int(item.confidence >= threshold + margin * (1.0 - threshold)) - int(
            item.confidence <= threshold * (1.0 - margin)
        )
        at = _position(item)
        if side * self.certain <= 0:
            self.certain, self._counted_at_m = side, at
        elif (
            self._counted_at_m is not None
            and np.linalg.norm(at - self._counted_at_m) >= settings.independent_m
        ):
            self.certain, self._counted_at_m = self.certain + side, at


def _position(item: ItemReport) -> NDArray[np.float64]:
    return np.asarray(item.pose.position, np.float64)
