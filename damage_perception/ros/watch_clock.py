"""The time by which silence is measured, also where the clock of a recording slows or stops."""

from __future__ import annotations

import time
from collections.abc import Callable

JITTER_S = 0.1  # by which ticks of a clock may come early or late
STOPPED_AFTER_S = 0.5  # a clock that stands still for so long has stopped, as at the end of a bag


class WatchClock:
    """Seconds that never go back: of the node's clock, but never faster than of the wall.

    In real time both are the same. A recording that is played at half its rate lets silence grow
    at half the pace, so that nothing that came in time when it was recorded counts as late; one
    that is played fast does not hurry it, and a jump of its clock counts for nothing. A clock that
    has stopped is not waited for: what it kept back is caught up with, and the wall's time counts.

    Args:
        node_ns: the node's clock in nanoseconds, which may stop and jump; None = real time.
        wall_s: a clock in seconds that goes on.
    """

    def __init__(
        self, node_ns: Callable[[], int | None], wall_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._node_ns, self._wall_s = node_ns, wall_s
        self._marked_ns, self._marked_wall_s = node_ns(), wall_s()
        self._marked_s = self._given_s = self._marked_wall_s
        self._ahead_s = 0.0

    def __call__(self) -> float:
        """Give the time."""
        node_ns, wall_s = self._node_ns(), self._wall_s()
        waited_s = wall_s - self._marked_wall_s
        if node_ns is None or self._marked_ns is None:
            self._mark(node_ns, wall_s, self._marked_s + waited_s)
        elif node_ns != self._marked_ns:
            moved_s = max(0.0, (node_ns - self._marked_ns) / 1e9)
            self._mark(node_ns, wall_s, self._marked_s + self._advance_s(moved_s, waited_s))
        elif waited_s > STOPPED_AFTER_S:
            self._given_s = max(self._given_s, self._marked_s + waited_s)
        return self._given_s

    def _advance_s(self, moved_s: float, waited_s: float) -> float:
        """Take the smaller; what the clock was ahead by chance is kept for the next time.

        Ticks come in bunches. Without that, each bunch would cost what it is ahead, and silence
        would be found late.
        """
        if moved_s > waited_s + JITTER_S:  # it jumped, or is played fast
            return waited_s
        self._ahead_s += moved_s
        advance_s = min(self._ahead_s, waited_s)
        self._ahead_s = min(self._ahead_s - advance_s, JITTER_S)
        return advance_s

    def _mark(self, node_ns: int | None, wall_s: float, now_s: float) -> None:
        self._marked_ns, self._marked_wall_s = node_ns, wall_s
        self._marked_s = self._given_s = max(self._given_s, now_s)
