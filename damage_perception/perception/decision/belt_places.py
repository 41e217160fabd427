"""What lies where on a moving belt: items told from their parts, from heaps and old numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from damage_perception.perception.decision.belt_place import (
    FOLLOWED_S,
    RIM_M,
    Outline,
    Place,
    Vector,
    position,
    side_by_side,
)
from damage_perception.report import ItemReport, Status

_REMEMBERED_S = 10.0  # after an item was last seen
_SLOWEST_M_S = 0.05  # of what surely moves with a belt
_PART, _HEAP = 0.67, 0.75  # share of its area below which one item is a part of another, of a heap
_SAME = (0.3, 1.5)  # times its area that an item is later found to have
_SCRAP, _SCRAP_LOOKS = 0.1, 3  # so small and so seldom seen: a scrap of the item beside it
_FLEETING, _USUAL = 0.34, 3  # share of the looks at usual items below which a thing is none of them


class BeltPlaces:
    """Tell which tracks on a moving belt are items of their own.

    Nothing on a belt vanishes, so what is lost in view is there under another number, and what
    lies within the outline of an item is a part of it. On a tray nothing of this holds: the next
    item may come to lie where the one before was taken from. Pure; time is that of the reports.
    """

    def __init__(self) -> None:
        self._places: dict[int, Place] = {}
        self._belt_m_s: Vector = np.zeros(3)
        self._outlines: dict[tuple[int, int], Outline | None] = {}  # by track and time

    def see(self, items: Iterable[ItemReport], stamp_ns: int) -> None:
        """Take the items of the next report, decided or not."""
        self._outlines.clear()
        for item in items:
            place = self._places.setdefault(item.track_id, Place(item.track_id, item, stamp_ns))
            place.see(item, stamp_ns)
        limit_ns = stamp_ns - round(_REMEMBERED_S * 1e9)
        self._places = {i: each for i, each in self._places.items() if each.last_ns >= limit_ns}
        fresh_ns = stamp_ns - round(FOLLOWED_S * 1e9)
        moves = [each.velocity_m_s for each in self._places.values()
                 if each.whole and each.whole[-1][0] >= fresh_ns]  # fmt: skip
        known = [velocity for velocity in moves if velocity is not None]
        self._belt_m_s = np.median(known, axis=0) if known else self._belt_m_s

    def decide(self, track_id: int) -> None:
        """Take note that a track was decided."""
        if track_id in self._places:
            self._places[track_id].decided = True

    def rule_out(self, track_id: int) -> None:
        """Take note that a track is no item of its own."""
        if track_id in self._places:
            self._places[track_id].ruled_out = True

    def clear(self) -> None:
        """Forget all, as when time jumps."""
        self._places.clear()
        self._outlines.clear()
        self._belt_m_s = np.zeros(3)

    def is_left_of_decided(self, item: ItemReport, stamp_ns: int) -> bool:
        """Tell whether a track that begins now shows what is left of a decided item."""
        return any(
            each.decided and each.whole and outline.holds(position(item), each.margin_m)
            for each, outline in self._others(item.track_id, stamp_ns)
        )

    def is_no_item(self, track_id: int, now_ns: int) -> bool:
        """Tell whether a track showed a part or a scrap of an item, or several items at once."""
        place = self._places.get(track_id)
        if place is None:
            return False
        mine = (self._outline(place, now_ns) if place.judged else None) or place.newest_outline(
            now_ns, self._belt_m_s
        )
        others = list(self._others(track_id, now_ns))
        lost = place.last_ns < now_ns and self._runs
        return (
            any(self._is_part(place, mine, *other) for other in others)
            or (lost and self._is_scrap(place, mine, now_ns))
            or (lost and self._is_heap(place, mine, others))
            or (lost and self._is_fleeting(place))
        )

    def may_be_passing(self, track_id: int, now_ns: int) -> bool:
        """Tell whether a thing may be none, as an arm or a scrap: a few looks more tell."""
        place = self._places.get(track_id)
        if place is None or place.looks > _SCRAP_LOOKS:
            return False
        mine = place.newest_outline(now_ns, self._belt_m_s)
        return self._is_fleeting(place) or (self._runs and self._is_scrap(place, mine, now_ns))

    def lies_on_another(self, track_id: int, now_ns: int) -> bool:
        """Tell whether an item lies on a larger one that it kept from being judged."""
        place = self._places.get(track_id)
        mine = self._outline(place, now_ns) if place else None
        if place is None or mine is None:
            return False
        for each in self._places.values():
            under = each.newest_outline(now_ns, self._belt_m_s)
            covered = each.newest.status & (Status.OCCLUDED | Status.TRUNCATED) == Status.OCCLUDED
            stays = each.looks >= place.looks and each.last_ns >= place.last_ns
            larger = under.area > mine.area and under.holds(mine.middle)
            if not each.judged and covered and stays and larger:
                return True
        return False

    def goes_on_as(self, track_id: int, now_ns: int) -> int:
        """Give the track under which a lost item is seen now, or any was decided; 0 = none."""
        place = self._places.get(track_id)
        mine = self._outline(place, now_ns) if place and place.whole else None
        if place is None or mine is None:
            return 0
        for other, outline in self._others(track_id, now_ns):
            if (
                (other.last_ns > place.last_ns or other.decided)
                and _SAME[0] * mine.area <= outline.area <= _SAME[1] * mine.area
                and outline.holds(mine.middle)
                and not side_by_side(place, other)
            ):
                return other.track_id
        return 0

    @property
    def _runs(self) -> bool:
        return float(np.linalg.norm(self._belt_m_s)) >= _SLOWEST_M_S

    def _outline(self, place: Place, now_ns: int) -> Outline | None:
        key = (place.track_id, now_ns)
        if key not in self._outlines:
            self._outlines[key] = place.outline(now_ns, self._belt_m_s)
        return self._outlines[key]

    def _others(self, track_id: int, now_ns: int) -> Iterator[tuple[Place, Outline]]:
        """Give the other tracks that move with the belt, with their outlines now."""
        if not self._runs:
            return
        for each in self._places.values():
            outline = self._outline(each, now_ns)
            if each.track_id != track_id and outline is not None and not each.ruled_out:
                yield each, outline

    @staticmethod
    def _is_part(place: Place, mine: Outline, other: Place, outline: Outline) -> bool:
        # What was never seen clearly may be larger than it looked.
        small = not place.judged or mine.area < _PART * outline.area
        # A heap has an outline too, but not for long; an arm that reaches in is never whole.
        stays = other.leaves or other.last_ns >= place.last_ns or len(other.whole) > place.looks
        known = other.whole or (place.looks <= _SCRAP_LOOKS < other.looks and not place.judged)
        within = small and stays and bool(known) and outline.holds(mine.middle, other.margin_m)
        return within and not side_by_side(place, other)

    def _is_scrap(self, place: Place, mine: Outline, now_ns: int) -> bool:
        if place.looks > _SCRAP_LOOKS:
            return False
        beside = (
            each.newest_outline(now_ns, self._belt_m_s) for each in self._places.values()
            if each is not place and not each.ruled_out
            and (each.last_ns > place.last_ns or each.last_ns == now_ns)
        )  # fmt: skip
        share = _PART if place.looks == 1 else _SCRAP
        return any(
            mine.area < share * outline.area and outline.holds(mine.middle, RIM_M)
            for outline in beside
        )

    def _is_fleeting(self, place: Place) -> bool:
        """Tell whether a thing was never clearly seen, and seldom.

        Whatever a belt carries is seen as often as the items that were decided lately.
        """
        if place.judged or place.whole or not self._runs:
            return False
        usual = [each.looks for each in self._places.values() if each.decided and each.judged]
        return len(usual) >= _USUAL and place.looks < _FLEETING * float(np.median(usual))

    @staticmethod
    def _is_heap(place: Place, mine: Outline, others: list[tuple[Place, Outline]]) -> bool:
        within = [
            outline for other, outline in others
            if other.last_ns > place.last_ns and mine.holds(outline.middle)
            and outline.area < _HEAP * mine.area and not side_by_side(place, other)
        ]  # fmt: skip
        return len(within) > int(place.judged)
