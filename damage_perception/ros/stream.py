"""One stream of stamped messages: a short queue in order of time, and what became of each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from dataclasses import dataclass
from typing import Any

from damage_perception.ros.stamp_order import StampOrder


@dataclass(frozen=True, eq=False)
class Entry:
    """A message that waits for its partners."""

    stamp_ns: int
    message: Any
    arrived_s: float


@dataclass
class Counts:
    """What became of the messages of a stream."""

    received: int = 0
    matched: int = 0
    unmatched: int = 0  # no partner came while it was in the queue
    duplicate: int = 0
    late: int = 0  # came after a newer one had been used

    @property
    def dropped(self) -> int:
        """Messages that were in no match."""
        return self.unmatched + self.duplicate + self.late


class Stream:
    """The queue of one stream, oldest first, at most `size` long."""

    def __init__(self, size: int) -> None:
        self.queue: list[Entry] = []
        self.counts = Counts()
        self.order = StampOrder()
        self.arrived_s: float | None = None  # of the newest arrival, whatever its stamp
        self._size = size
        self._used_ns: int | None = None

    @property
    def newest_ns(self) -> int | None:
        """Newest stamp since the start or the last `clear`."""
        return self.order.newest_ns

    def add(self, entry: Entry) -> None:
        """Sort a message in, unless it is a duplicate or older than one that was used."""
        self.counts.received += 1
        self.arrived_s = entry.arrived_s
        stamp = entry.stamp_ns
        if stamp == self._used_ns or self.within(stamp, 0):
            self.counts.duplicate += 1
        elif self._used_ns is not None and stamp < self._used_ns:
            self.counts.late += 1
        else:
            self._insert(entry)

    def refuse_late(self) -> None:
        """Count a message that belongs to the time before a jump."""
        self.counts.received += 1
        self.counts.late += 1

    def within(self, stamp_ns: int, distance_ns: int) -> list[Entry]:
        """Give the entries at most `distance_ns` away from a stamp, oldest first."""
        first = bisect_left(self.queue, stamp_ns - distance_ns, key=_stamp)
        last = bisect_right(self.queue, stamp_ns + distance_ns, key=_stamp)
        return self.queue[first:last]

    def nearest(self, stamp_ns: int) -> Entry | None:
        """Give the entry nearest to a stamp."""
        if not self.queue:
            return None
        after = bisect_left(self.queue, stamp_ns, key=_stamp)
        around = self.queue[max(after - 1, 0) : after + 1]
        return min(around, key=lambda entry: abs(entry.stamp_ns - stamp_ns))

    def use(self, entry: Entry) -> None:
        """Take an entry out; what is older has missed its chance."""
        index = bisect_left(self.queue, entry.stamp_ns, key=_stamp)
        del self.queue[: index + 1]
        self.counts.matched += 1
        self.counts.unmatched += index
        self._used_ns = entry.stamp_ns

    def clear(self) -> None:
        """Forget all stamps; the counts stay."""
        self.counts.unmatched += len(self.queue)
        self.queue.clear()
        self.order = StampOrder()
        self._used_ns = None

    def _insert(self, entry: Entry) -> None:
        insort(self.queue, entry, key=_stamp)
        if len(self.queue) > self._size:
            del self.queue[0]
            self.counts.unmatched += 1


def _stamp(entry: Entry) -> int:
    return entry.stamp_ns
