"""Where one item was seen on a moving belt, and where its outline is by now."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.report import ItemReport, Status

FOLLOWED_S = 2.0  # after it was last seen whole, nothing is known of where an item lies
RIM_M = 0.03  # beside an item, where its scraps lie
_WHOLE_LOOKS = 30  # remembered, to tell what was seen side by side
_FULL, _HEAP = 0.8, 1.4  # share of the area of a full look; times the usual that only heaps have
_LOOKS, _OFF_M = 4, 0.03  # fewest looks, as near to a line, that tell how fast a belt runs
_APART = 4  # pictures that show two things apart, so that they are two
_SINCE = 4  # clear looks at both as one, so that what was apart for less was one in pieces
NOT_WHOLE = Status.TRUNCATED | Status.MERGED | Status.OCCLUDED

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
        across, along = _turned_back(place_m - self.middle, self.item)
        length, width = self.item.size[:2]
        return abs(across) <= 0.5 * length + margin_m and abs(along) <= 0.5 * width + margin_m


@dataclass(eq=False)
class Place:
    """Where a track was seen, and how it moves.

    Attributes:
        track_id: the track.
        newest: its newest look.
        last_ns: stamp of that.
        looks: how many there were.
        judged: whether it was ever seen clearly.
        decided: whether it was decided.
        ruled_out: whether it was found to be no item.
        whole: stamp and outline of each whole look.
    """

    track_id: int
    newest: ItemReport
    last_ns: int
    looks: int = 0
    judged: bool = False
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

    @cached_property
    def velocity_m_s(self) -> Vector | None:
        """(3,) over its whole looks; None = too few of them, or not on a straight line.

        Two looks may be of two items, where pictures are seldom: a third one tells.
        """
        if len(self.whole) < _LOOKS:
            return None
        (first_ns, first), (last_ns, last) = self.whole[0], self.whole[-1]
        if last_ns <= first_ns:
            return None
        velocity = (last.middle - first.middle) / ((last_ns - first_ns) * 1e-9)
        middles = np.array([look.middle for _, look in self.whole])
        after_s = np.array([stamp - first_ns for stamp, _ in self.whole]) * 1e-9
        off = middles - first.middle - velocity * after_s[:, None]
        return velocity if float(np.linalg.norm(off, axis=1).max()) < _OFF_M else None

    def see(self, item: ItemReport, stamp_ns: int) -> None:
        """Take the next look."""
        self.newest, self.last_ns, self.looks = item, stamp_ns, self.looks + 1
        self.ruled_out = False
        self.judged |= is_clear(item)
        if np.isfinite(position(item)).all() and not item.status & NOT_WHOLE:
            self.whole.append((stamp_ns, Outline(item, position(item))))
            self.__dict__.pop('velocity_m_s', None)
            self.__dict__.pop('likely', None)

    def outline(self, now_ns: int, belt_m_s: Vector) -> Outline | None:
        """Give its outline where it is now; None = no look told it lately.

        That of the largest of the newest whole looks, since an item may be found in pieces. What
        was never whole is at least as large as its newest look, if that shows nothing else.
        """
        since_ns = now_ns - round(FOLLOWED_S * 1e9)
        if not self.whole:
            told = self.last_ns >= since_ns and not self.newest.status & Status.MERGED
            return self.newest_outline(now_ns, belt_m_s) if told else None
        if self.whole[-1][0] < since_ns:
            return None
        fresh = [(stamp, look) for stamp, look in self.likely if stamp >= since_ns]
        if not fresh:
            return None
        stamp, look = max(fresh, key=lambda each: each[1].area)
        return Outline(look.item, look.middle + belt_m_s * ((now_ns - stamp) * 1e-9))

    @cached_property
    def likely(self) -> list[tuple[int, Outline]]:
        """Its whole looks but those that are much larger than most: those were heaps."""
        usual = float(np.median([look.area for _, look in self.whole]))
        return [each for each in self.whole if each[1].area <= _HEAP * usual]

    def newest_outline(self, now_ns: int, belt_m_s: Vector) -> Outline:
        """Give what the newest look showed, whatever that was, where it is now."""
        moved = belt_m_s * ((now_ns - self.last_ns) * 1e-9)
        return Outline(self.newest, position(self.newest) + moved)


def side_by_side(place: Place, other: Place) -> bool:
    """Tell whether two tracks were seen whole in one picture, apart from one another.

    Where the other had been larger before, or is clearly seen larger from then on, that was the
    other in pieces, unless it happens often.
    """
    there, likely = dict(other.whole), other.likely if other.whole else []
    apart = 0
    for stamp, outline in place.whole:
        look = there.get(stamp)
        if look is None or look.holds(outline.middle) or outline.holds(look.middle):
            continue
        larger = [(at, each) for at, each in likely if look.area < _FULL * each.area]
        before = any(at < stamp for at, _ in larger)
        since = sum(at > stamp and is_clear(each.item) for at, each in larger)
        if not before and since < _SINCE:
            return True
        apart += 1
    return apart >= _APART


def is_clear(item: ItemReport) -> bool:
    """Tell whether all of an item was judged in a look."""
    in_the_way = any(item.status & flag for flag in IN_THE_WAY)
    return not in_the_way and not math.isnan(item.confidence)


def position(item: ItemReport) -> Vector:
    """Give the middle of an item, (3,) metres."""
    return np.asarray(item.pose.position, np.float64)


def _turned_back(vector: Vector, item: ItemReport) -> tuple[float, float]:
    """Give a vector of the camera's frame along the first two axes of an item's box.

    Numbers one by one: NumPy takes ten times as long for three of them.
    """
    a, b, c = vector.tolist()
    x, y, z, w = item.pose.orientation
    p, q, r = z * b - y * c + w * a, x * c - z * a + w * b, y * a - x * b + w * c
    return a + 2.0 * (z * q - y * r), b + 2.0 * (x * r - z * p)
