"""Where one item was seen on a moving belt, and where its outline is by now."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.report import ItemReport, Status

FOLLOWED_S = 2.0  # after it was last seen whole, nothing is known of where an item lies
RIM_M = 0.03  # beside an item, where its scraps lie
_WHOLE_LOOKS = 30  # remembered, to tell what was seen side by side
_VAGUE = Status.MERGED | Status.OCCLUDED  # then the outline is not that of the item

Vector = NDArray[np.float64]  # (3,) metres


@dataclass(frozen=True, eq=False)
class Outline:
    """The box of an item around a place (3,)."""

    item: ItemReport
    middle: Vector

    @property
    def area(self) -> float:
        """Its area in square metres."""
        return self.item.size[0] * self.item.size[1]

    def holds(self, place_m: Vector, margin_m: float = 0.0) -> bool:
        """Tell whether a place lies within the box, or that near beside it."""
        off = _turned_back(place_m - self.middle, self.item)
        return bool((np.abs(off[:2]) <= 0.5 * np.array(self.item.size[:2]) + margin_m).all())


@dataclass(eq=False)
class Place:
    """Where a track was seen, and how it moves.

    Attributes:
        track_id: the track.
        newest: its newest look.
        last_ns: stamp of that.
        looks: how many there were.
        judged: whether it was ever seen clearly.
        told: the newest look that tells its outline; None = there was none.
        told_ns: stamp of that.
        velocity_m_s: (3,) from whole look to whole look; None = there were not two.
        decided: whether it was decided.
        ruled_out: whether it was found to be no item.
        whole: stamp and outline of each whole look.
    """

    track_id: int
    newest: ItemReport
    last_ns: int
    looks: int = 0
    judged: bool = False
    told: ItemReport | None = None
    told_ns: int = 0
    velocity_m_s: Vector | None = None
    decided: bool = False
    ruled_out: bool = False
    whole: deque[tuple[int, Outline]] = field(default_factory=lambda: deque(maxlen=_WHOLE_LOOKS))

    @property
    def leaves(self) -> bool:
        """Whether it was whole and is cut off now."""
        return bool(self.whole) and bool(self.newest.status & Status.TRUNCATED)

    @property
    def margin_m(self) -> float:
        """How far beside its outline its parts may lie: what leaves is told badly."""
        return RIM_M if self.leaves else 0.0

    def see(self, item: ItemReport, stamp_ns: int) -> None:
        """Take the next look."""
        self.newest, self.last_ns, self.looks = item, stamp_ns, self.looks + 1
        in_the_way = any(item.status & flag for flag in IN_THE_WAY)
        self.judged |= not in_the_way and not math.isnan(item.confidence)
        if not np.isfinite(position(item)).all() or item.status & _VAGUE:
            return
        if item.status & Status.TRUNCATED:
            if self.whole:
                return  # a part tells worse where it is than the whole did before
        else:
            self._move(item, stamp_ns)
            self.whole.append((stamp_ns, Outline(item, position(item))))
        self.told, self.told_ns = item, stamp_ns

    def _move(self, item: ItemReport, stamp_ns: int) -> None:
        seconds = (stamp_ns - self.told_ns) * 1e-9
        if self.whole and seconds > 0.0:
            velocity = (position(item) - self.whole[-1][1].middle) / seconds
            known = self.velocity_m_s
            self.velocity_m_s = velocity if known is None else 0.5 * (known + velocity)

    def outline(self, now_ns: int, belt_m_s: Vector) -> Outline | None:
        """Give its outline where it is now; None = no look told it lately."""
        seconds = (now_ns - self.told_ns) * 1e-9
        if self.told is None or abs(seconds) > FOLLOWED_S:
            return None
        velocity = belt_m_s if self.velocity_m_s is None else self.velocity_m_s
        return Outline(self.told, position(self.told) + velocity * seconds)

    def vague(self, now_ns: int, belt_m_s: Vector) -> Outline:
        """Give what the newest look showed, whatever that was, where it is now."""
        moved = belt_m_s * ((now_ns - self.last_ns) * 1e-9)
        return Outline(self.newest, position(self.newest) + moved)


def side_by_side(a: Place, b: Place) -> bool:
    """Tell whether two tracks were seen whole in one picture, apart from one another."""
    there = dict(b.whole)
    return any(
        not (outline.holds(there[stamp].middle) or there[stamp].holds(outline.middle))
        for stamp, outline in a.whole
        if stamp in there
    )


def position(item: ItemReport) -> Vector:
    """Give the middle of an item, (3,) metres."""
    return np.asarray(item.pose.position, np.float64)


def _turned_back(vector: Vector, item: ItemReport) -> Vector:
    """Give a vector of the camera's frame along the axes of an item's box."""
    x, y, z, w = item.pose.orientation
    axis = -np.array([x, y, z])
    return np.asarray(vector + 2.0 * np.cross(axis, np.cross(axis, vector) + w * vector))
