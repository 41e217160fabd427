"""What the stamps of a stream tell: how often it speaks, and whether time went back."""

from __future__ import annotations

from collections import deque

JUMP_NS = 500_000_000  # so much older than the newest is a new run, not a late message
JUMP_INTERVALS = 3  # unless the stream is slower than that
JUMP_RUN = 3  # so many older ones in a row, in order, are a new run, however short
_RECENT = 16  # intervals


class StampOrder:
    """The newest stamp of a stream and the intervals before it, nanoseconds."""

    def __init__(self) -> None:
        self.newest_ns: int | None = None
        self._intervals: deque[int] = deque(maxlen=_RECENT)
        self._older: list[int] = []

    @property
    def earliest_next_ns(self) -> int:
        """Earliest stamp that the next message can have, judged by the recent intervals."""
        if self.newest_ns is None:
            return -(1 << 63)
        usual = min(self._intervals) if len(self._intervals) == _RECENT else 0
        return self.newest_ns + usual

    def goes_back(self, stamp_ns: int) -> bool:
        """Take the next stamp; tell whether a new run of the stream begins with it."""
        if self.newest_ns is None or stamp_ns > self.newest_ns:
            self._advance(stamp_ns)
            return False
        if stamp_ns == self.newest_ns:
            return False
        in_order = not self._older or stamp_ns > self._older[-1]
        self._older = [*self._older, stamp_ns] if in_order else [stamp_ns]
        limit = max(JUMP_NS, JUMP_INTERVALS * min(self._intervals, default=0))
        return stamp_ns < self.newest_ns - limit or len(self._older) >= JUMP_RUN

    def _advance(self, stamp_ns: int) -> None:
        if self.newest_ns is not None:
            self._intervals.append(stamp_ns - self.newest_ns)
        self.newest_ns = stamp_ns
        self._older = []
