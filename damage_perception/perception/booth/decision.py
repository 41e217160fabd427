"""One decision an item from the reports of several cameras."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from damage_perception.perception.booth.booth import Booth
from damage_perception.perception.booth.extrinsics import Extrinsics
from damage_perception.perception.booth.places import BoothPlaces
from damage_perception.perception.booth.settings import BoothSettings
from damage_perception.perception.decision.decision import (
    DecisionMaker,
    DecisionSettings,
    JudgedDecision,
)
from damage_perception.perception.decision.item_history import ItemHistory
from damage_perception.perception.decision.policy import Policy
from damage_perception.report import DamageReport

_BEHIND_S = 2.0  # a camera that is so far behind the newest is not waited for
_JUMP_S = 0.5  # what was seen so much later than now was seen before time went back
_FIRST_S = 1.0  # at the start all cameras are waited for: another may tell that it was decided
_FOLLOW_S = 2.0  # cameras go back in time one after the other within so much


class BoothDecisionMaker(DecisionMaker):
    """A `DecisionMaker` that takes the reports of several cameras as those of one.

    An item is decided when any camera shows it at the line, when all have lost it, or when one
    is certain of a damage or all of soundness. The worst clear look decides. It passes only if
    each camera judged it, or another the face that this one did not see clearly.

    Args:
        extrinsics: the pose of each camera, by its name, in the order that ids follow.
        booth: how tracks are joined.
        settings: when to decide.
        policy: what to do with an item that counts as damaged.
        decided: items that were decided before.
    """

    def __init__(
        self,
        extrinsics: Mapping[str, Extrinsics],
        booth: BoothSettings,
        settings: DecisionSettings | None = None,
        policy: Policy | None = None,
        decided: Iterable[int] = (),
    ) -> None:
        super().__init__(settings, policy, decided)
        self.silent: Mapping[str, str] = {}  # camera -> why it vouches for nothing now
        self._extrinsics = extrinsics
        self._booth = Booth(tuple(extrinsics), booth)
        self._places = self._lying = BoothPlaces(self._booth)
        self._newest: dict[str, int] = {}
        self._first_ns: int | None = None
        self._old_until: dict[str, int] = {}  # of cameras whose time has not gone back yet

    @property
    def booth(self) -> BoothSettings:
        """How tracks are joined."""
        return self._booth.settings

    @booth.setter
    def booth(self, settings: BoothSettings) -> None:
        self._booth.settings = settings

    def update(self, report: DamageReport, camera: str = '') -> list[JudgedDecision]:
        """Take the next report of a camera; give the decisions that are due with it."""
        if report.stamp_ns <= max(self._newest.get(camera, -1), self._old_until.get(camera, -1)):
            return []
        self._newest[camera] = report.stamp_ns
        self._first_ns = report.stamp_ns if self._first_ns is None else self._first_ns
        self._calibrated = report.threshold or self._calibrated
        report = self._extrinsics[camera].bring(report, self.booth.frame_id)
        pairs = self._booth.take(camera, report)
        for sighting, item in pairs:
            threshold, judged_by = self.threshold_of(item.sku), self.judged_by(report, item.sku)
            sighting.history.see(item, report, threshold, self.settings, judged_by)
        for item_id in self._lying.see(camera, pairs, report.stamp_ns):
            self._remember(item_id)
        self._join({sighting.item_id for sighting, _ in pairs}, report.stamp_ns, rough=False)
        now_ns = max(self._newest.values())
        if due := self._due_at(now_ns):
            self._join(due, now_ns, rough=True)
        self._booth.forget(now_ns, self._decided)
        return [
            self._decide(i, self._cut_short(i, now_ns))
            for i in self._due_at(now_ns)
            if self._is_own(i, now_ns)
        ]

    def flush(self, cut_short: str = '') -> list[JudgedDecision]:
        """Decide on all items that are still open; reports of any stamp are taken again."""
        if self._newest:
            self._join(self._open, max(self._newest.values()), rough=True)
        self._newest.clear()
        self._old_until.clear()
        return super().flush(cut_short)

    def go_back(self, camera: str, stamp_ns: int, cut_short: str) -> list[JudgedDecision]:
        """Let the time of a camera go back, and decide on what was seen later than that.

        The other cameras follow one by one: what they still send of the old time is left out,
        and what was seen of the new one stays.
        """
        limit_ns = stamp_ns + round(_JUMP_S * 1e9)
        ahead = {name: at for name, at in self._newest.items() if at > limit_ns}
        for name, at in ahead.items():
            self._lying.forget(name)
            del self._newest[name]
            self._old_until[name] = at + round(_FOLLOW_S * 1e9)
        self._newest.pop(camera, None)
        self._old_until.pop(camera, None)
        later = [i for i, known in self._open.items() if known.stamp_ns > limit_ns]
        decisions = [self._decide(i, '' if self._open[i].missed else cut_short) for i in later]
        self._booth.forget_after(limit_ns)
        return decisions

    def restart(self, camera: str, decided: Iterable[int]) -> list[JudgedDecision]:
        """Take the tracks of a camera for new ones, but for items that were decided before."""
        self._booth.restart(camera)
        self._newest.pop(camera, None)
        self._decided.update(dict.fromkeys(decided))
        return []

    def _join(self, ids: Iterable[int], now_ns: int, rough: bool) -> None:
        """Join what is one."""
        self._booth.join(ids, now_ns, self._decided, rough)
        self._tell()

    def _tell(self) -> None:
        """Tell anew what is known of each item that is not decided."""
        told = self._booth.cameras, self._why_silent(), self._booth.belt_m_s
        self._open = {
            i: item.history(*told) for i, item in self._booth.items.items()
            if i not in self._decided
        }  # fmt: skip

    def _due_at(self, now_ns: int) -> list[int]:
        begun_s = (now_ns - (self._first_ns or 0)) * 1e-9
        if len(self._newest) < len(self._booth.cameras) and 0.0 <= begun_s < _FIRST_S:
            return []
        return [item_id for item_id in self._open if self._due(item_id, now_ns)]

    def _reaches(self, track_id: int, now_ns: int) -> bool:
        """Tell whether it is at the line, be it by all cameras or by one that shows it now."""
        if super()._reaches(track_id, now_ns):
            return True
        item = self._booth.items[track_id]
        fresh_ns = item.last_ns - round(self.settings.lost_after_s * 1e9)
        showing = (s.history for s in item.sightings if s.last_ns >= fresh_ns)
        return any(history.reaches(self.settings, now_ns) for history in showing)

    def _left(self, known: ItemHistory, now_ns: int) -> bool:
        # A camera that works more slowly may still show it: wait for its reports of that time.
        waited = [stamp for camera, stamp in self._newest.items()
                  if camera not in self.silent and (now_ns - stamp) * 1e-9 < _BEHIND_S]  # fmt: skip
        unheard = set(self._booth.cameras) - set(self._newest) - set(self.silent)
        return not unheard and super()._left(known, min(waited, default=now_ns))

    def _why_silent(self) -> dict[str, str]:
        newest_ns = max(self._newest.values(), default=0)
        behind = {
            camera: f'{camera} is {(newest_ns - stamp) * 1e-9:.1f} s behind the other cameras; '
            'synchronise their clocks or give it more time to judge'
            for camera, stamp in self._newest.items()
            if (newest_ns - stamp) * 1e-9 >= _BEHIND_S
        }
        return behind | dict(self.silent)

    def _give_up(self, track_id: int, goes_on_as: int) -> None:
        self._places.rule_out(track_id)
        if goes_on_as:
            self._booth.absorb(track_id, goes_on_as)
        else:
            self._booth.drop(track_id)
        self._tell()

    def _decide(self, track_id: int, cut_short: str = '') -> JudgedDecision:
        item = self._booth.items[track_id]
        unproven = item.unproven(self._booth.cameras, self._why_silent())
        item.decided_ns = max(self._newest.values(), default=item.last_ns)
        return super()._decide(track_id, unproven or cut_short)
