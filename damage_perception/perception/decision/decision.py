"""From reports, frame by frame, to one decision an item."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol

from damage_perception.perception.decision.belt_places import BeltPlaces
from damage_perception.perception.decision.calibration import UNCALIBRATED
from damage_perception.perception.decision.item_history import NOT_SAID, ItemHistory, Versions
from damage_perception.perception.decision.policy import Policy
from damage_perception.perception.decision.settings import DecisionSettings
from damage_perception.perception.decision.verdict import verdict_on
from damage_perception.report import DamageReport, Decision, Health, ItemReport

__all__ = ['CUT_SHORT', 'REMEMBERED', 'DecisionMaker', 'DecisionSettings', 'JudgedDecision']

CUT_SHORT = 'nothing could be judged since it was last seen'  # so it is not passed as sound
LIES_ON = 'it lies on another item, which could not be judged'
_NOT_THERE_S = 1.0  # more for what is lost on its way to the line: it may be seen again as another
REMEMBERED = 1000  # decided items whose late reports are told from new ones


@dataclass(frozen=True)
class JudgedDecision(Decision):
    """A decision with the report of the item that it rests on, and what judged it."""

    evidence: ItemReport | None = field(default=None, compare=False, repr=False)
    versions: Versions = field(default=NOT_SAID, compare=False)


class Places(Protocol):
    """What tells items from their parts, see `BeltPlaces`."""

    def decide(self, track_id: int, /) -> None: ...
    def rule_out(self, track_id: int, /) -> None: ...
    def clear(self) -> None: ...
    def is_no_item(self, track_id: int, now_ns: int, /) -> bool: ...
    def may_be_passing(self, track_id: int, now_ns: int, /) -> bool: ...
    def goes_on_as(self, track_id: int, now_ns: int, /) -> int: ...
    def lies_on_another(self, track_id: int, now_ns: int, /) -> bool: ...


class DecisionMaker:
    """Collect what was reported of each track and say once what to do with the item.

    Pure: time is that of the reports, so a replay and a node decide alike. An item is decided
    when it reaches the line, earlier when enough independent looks agree, else when it has left
    or the stream ends. Reports that are repeated or come late change nothing that was said.

    Args:
        settings: when to decide, and from which P(damaged) an item counts as damaged.
        policy: what to do with an item that counts as damaged.
        decided: tracks that were decided before, as by a node that was started anew.
    """

    def __init__(
        self,
        settings: DecisionSettings | None = None,
        policy: Policy | None = None,
        decided: Iterable[int] = (),
    ) -> None:
        self.settings = settings or DecisionSettings()
        self.policy = policy or Policy()
        self._open: dict[int, ItemHistory] = {}
        self._decided = dict.fromkeys(decided)  # in order of time
        self._newest_ns: int | None = None
        self._calibrated = UNCALIBRATED.point.threshold
        self._belt = BeltPlaces()
        self._places: Places = self._belt

    @property
    def threshold(self) -> float:
        """P(damaged) from which an item counts as damaged, unless it costs more than it saves."""
        return self.settings.threshold or self._calibrated

    def threshold_of(self, sku: str) -> float:
        """P(damaged) from which an item of a product counts as damaged."""
        return self.policy.threshold(self.threshold, sku)

    def judged_by(self, report: DamageReport, sku: str) -> float:
        """P(damaged) from which a product counted as damaged where it was judged."""
        return self.policy.threshold(report.threshold, sku) if report.threshold else math.inf

    def update(self, report: DamageReport, camera: str = '') -> list[JudgedDecision]:
        """Take the next report; give the decisions that are due with it.

        Args:
            report: what was seen.
            camera: who saw it; of use where there are several, as for all methods.
        """
        if self._newest_ns is not None and report.stamp_ns <= self._newest_ns:
            return []
        self._newest_ns = report.stamp_ns
        self._calibrated = report.threshold or self._calibrated
        if report.health is not Health.UNKNOWN:
            for known in self._open.values():
                known.missed += 1
        self._belt.see(report.items, report.stamp_ns)
        for item in report.items:
            if self._is_left_of_decided(item, report.stamp_ns):
                self._remember(item.track_id)
            if item.track_id not in self._decided:
                self._see(item, report)
        due = [track for track in self._open if self._due(track, report.stamp_ns)]
        # One by one: two that are due together may be one item, which the first one decides.
        return [
            self._decide(track, self._cut_short(track, report.stamp_ns))
            for track in due
            if self._is_own(track, report.stamp_ns)
        ]

    def flush(self, cut_short: str = '') -> list[JudgedDecision]:
        """Decide on all items that are still open: the stream ended, went stale or jumped.

        Afterwards reports of any stamp are taken again.

        Args:
            cut_short: why the stream broke off; an item in view then is not passed as sound.
        """
        decisions = [
            self._decide(track, '' if self._open[track].missed else cut_short)
            for track in list(self._open)
            if self._is_own(track, self._newest_ns or 0)
        ]
        self._newest_ns = None
        self._places.clear()
        return decisions

    def go_back(self, camera: str, stamp_ns: int, cut_short: str) -> list[JudgedDecision]:
        """Decide on what is open when time goes back to a stamp; `cut_short` as in `flush`."""
        return self.flush(cut_short)

    def restart(self, camera: str, decided: Iterable[int]) -> list[JudgedDecision]:
        """Decide on what is open and take tracks for new ones, but for those decided before."""
        decisions = self.flush('the reports began anew while it was in view')
        self._decided = dict.fromkeys(decided)
        return decisions

    def _is_left_of_decided(self, item: ItemReport, stamp_ns: int) -> bool:
        """Tell whether a new track shows what is left of an item that was decided."""
        new = item.track_id not in self._open and item.track_id not in self._decided
        return new and self._belt.is_left_of_decided(item, stamp_ns)

    def _is_own(self, track_id: int, now_ns: int) -> bool:
        """Tell whether a track is an item of its own; what is known of it goes to the one it is."""
        goes_on_as = 0
        if not self._places.is_no_item(track_id, now_ns):
            goes_on_as = self._places.goes_on_as(track_id, now_ns)
            if not goes_on_as:
                return True
        self._give_up(track_id, goes_on_as)
        return False

    def _give_up(self, track_id: int, goes_on_as: int) -> None:
        """Decide nothing on what is no item of its own; `goes_on_as` is the one it is, 0 = none."""
        known = self._open.pop(track_id)
        if goes_on_as in self._open:
            self._open[goes_on_as].join(known)
        if not known.missed:  # what was lost may come into view again
            self._remember(track_id)
        self._places.rule_out(track_id)

    def _see(self, item: ItemReport, report: DamageReport) -> None:
        known = self._open.setdefault(
            item.track_id, ItemHistory(item, report.stamp_ns, report.frame_id)
        )
        threshold, judged_by = self.threshold_of(item.sku), self.judged_by(report, item.sku)
        known.see(item, report, threshold, self.settings, judged_by)

    def _due(self, track_id: int, now_ns: int) -> bool:
        known = self._open[track_id]
        looks = self.settings.certain_looks
        certain = abs(known.certain) >= looks > 0 and known.frames >= self.settings.min_frames
        if certain or self._left(known, now_ns):
            return True
        at_line = self._reaches(track_id, now_ns)
        return at_line and not self._places.may_be_passing(track_id, now_ns)

    def _reaches(self, track_id: int, now_ns: int) -> bool:
        return self._open[track_id].reaches(self.settings, now_ns)

    def _left(self, known: ItemHistory, now_ns: int) -> bool:
        # Not in this report: a gap between reports alone says nothing about the item.
        wait_s = _NOT_THERE_S if known.comes(self.settings) else 0.0
        return (now_ns - known.stamp_ns) * 1e-9 > self.settings.lost_after_s + wait_s

    def _cut_short(self, track_id: int, now_ns: int) -> str:
        known = self._open[track_id]
        blind = self._left(known, now_ns) and not known.missed
        return CUT_SHORT if blind else ''

    def _decide(self, track_id: int, cut_short: str = '') -> JudgedDecision:
        known = self._open.pop(track_id)
        self._remember(track_id)
        self._places.decide(track_id)
        judged = known.best or known.newest
        if self._places.lies_on_another(track_id, known.stamp_ns):
            cut_short = cut_short or LIES_ON
        verdict, reason = verdict_on(
            known, self.threshold_of(judged.sku), self.settings.min_frames, self.policy, cut_short
        )
        return JudgedDecision(
            stamp_ns=known.stamp_ns,
            frame_id=known.frame_id,
            track_id=track_id,
            sku=judged.sku,
            decision=verdict,
            confidence=judged.confidence if known.best else math.nan,
            threshold=self.threshold_of(judged.sku),
            frames=known.frames,
            reason=reason,
            pose=known.newest.pose,
            size=known.newest.size,
            health=Health.DEGRADED if known.unhealthy else Health.OK,
            evidence=judged,
            versions=known.versions,
        )

    def _remember(self, track_id: int) -> None:
        self._decided[track_id] = None
        while len(self._decided) > REMEMBERED:
            del self._decided[next(iter(self._decided))]
