"""Items that were decided and are still in view: a track that begins on one is no new item."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.report import ItemReport, Status

_FOLLOWED_S = 2.0  # after it was last seen whole, an item is not looked for any more
_REMEMBERED_S = 60.0  # how an item looked that is not decided
_SLOWEST_M_S = 0.05  # of what surely moves with a belt
_NOT_WHOLE = Status.TRUNCATED | Status.MERGED | Status.OCCLUDED


@dataclass(eq=False)
class _Decided:
    """Where an item was last seen whole, and how it moves."""

    item: ItemReport
    stamp_ns: int
    velocity_m_s: NDArray[np.float64] | None = None

    def follow(self, item: ItemReport, stamp_ns: int) -> None:
        seconds = (stamp_ns - self.stamp_ns) * 1e-9
        if item.status & _NOT_WHOLE or seconds <= 0.0 or not np.isfinite(_position(item)).all():
            return
        velocity = (_position(item) - _position(self.item)) / seconds
        known = self.velocity_m_s
        self.velocity_m_s = velocity if known is None else 0.5 * (known + velocity)
        self.item, self.stamp_ns = item, stamp_ns

    def holds(self, position_m: NDArray[np.float64], stamp_ns: int) -> bool:
        """Tell whether a place lies within the outline that the item has now."""
        seconds = (stamp_ns - self.stamp_ns) * 1e-9
        velocity = self.velocity_m_s
        if velocity is None or abs(seconds) > _FOLLOWED_S:
            return False
        if float(np.linalg.norm(velocity)) < _SLOWEST_M_S:
            return False
        off = _turned_back(position_m - _position(self.item) - velocity * seconds, self.item)
        return bool((2.0 * np.abs(off[:2]) <= self.item.size[:2]).all())


class DecidedItems:
    """Tell parts of decided items, such as what is left of one that leaves the view, from new ones.

    Only on a moving belt: on a tray the next item may come to lie where the one before was taken
    from. An item that was never told apart from its neighbours holds nothing.
    """

    def __init__(self) -> None:
        self._known: dict[int, _Decided] = {}
        self._seen: dict[int, _Decided] = {}

    def see(self, item: ItemReport, stamp_ns: int) -> None:
        """Take a look at an item, decided or not."""
        if item.track_id in self._seen:
            self._seen[item.track_id].follow(item, stamp_ns)
        elif not item.status & _NOT_WHOLE and np.isfinite(_position(item)).all():
            self._seen[item.track_id] = _Decided(item, stamp_ns)

    def add(self, track_id: int) -> None:
        """Take note that an item was decided."""
        if track_id in self._seen:
            self._known[track_id] = self._seen[track_id]

    def hold(self, item: ItemReport, stamp_ns: int) -> bool:
        """Tell whether a track that begins now shows a part of a decided item."""
        self._forget(stamp_ns)
        place = _position(item)
        return any(known.holds(place, stamp_ns) for known in self._known.values())

    def covers(self, item: ItemReport, stamp_ns: int) -> bool:
        """Tell whether what was never wholly seen lay within another item that was."""
        place = _position(item)
        return any(
            track != item.track_id and other.holds(place, stamp_ns)
            for track, other in self._seen.items()
        )

    def clear(self) -> None:
        """Forget all, as when time jumps."""
        self._known.clear()
        self._seen.clear()

    def _forget(self, now_ns: int) -> None:
        for kept, after_s in ((self._known, _FOLLOWED_S), (self._seen, _REMEMBERED_S)):
            for track in [t for t, one in kept.items() if now_ns - one.stamp_ns > after_s * 1e9]:
                del kept[track]


def _position(item: ItemReport) -> NDArray[np.float64]:
    return np.asarray(item.pose.position, np.float64)


def _turned_back(vector: NDArray[np.float64], item: ItemReport) -> NDArray[np.float64]:
    """Give a vector of the camera's frame along the axes of an item's box."""
    x, y, z, w = item.pose.orientation
    axis = -np.array([x, y, z])
    return np.asarray(vector + 2.0 * np.cross(axis, np.cross(axis, vector) + w * vector))
