"""Whether a topic is alive: how often it speaks and when it did so last."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

_WINDOW = 30  # messages that the rate is measured over


class TopicWatch:
    """Rate and age of one topic, by the clock of arrivals.

    Args:
        topic: its resolved name.
        now_s: when listening began.
    """

    def __init__(self, topic: str, now_s: float) -> None:
        self.topic = topic
        self.newest_stamp_ns: int | None = None
        self._since_s = now_s
        self._arrivals: deque[float] = deque(maxlen=_WINDOW)

    def note(self, stamp_ns: int, now_s: float) -> None:
        """Take note of a message."""
        self.newest_stamp_ns = stamp_ns
        self._arrivals.append(now_s)

    def age_s(self, now_s: float) -> float:
        """Seconds since the last message, or since listening began."""
        return now_s - (self._arrivals[-1] if self._arrivals else self._since_s)

    def rate_hz(self, now_s: float) -> float:
        """Messages a second; falls while the topic is silent."""
        if len(self._arrivals) < 2:
            return 0.0
        span = max(now_s, self._arrivals[-1]) - self._arrivals[0]
        return (len(self._arrivals) - 1) / span if span > 0 else 0.0

    def silence(self, now_s: float) -> str:
        """Say for how long it has been silent."""
        return f'has been silent for {self.age_s(now_s):.1f} s'


def describe_silence(watches: Sequence[TopicWatch], now_s: float) -> str:
    """Name the topics that are silent, those that never spoke together; empty = none."""
    never = [watch.topic for watch in watches if watch.newest_stamp_ns is None]
    parts = [
        f'{watch.topic} {watch.silence(now_s)}'
        for watch in watches
        if watch.newest_stamp_ns is not None
    ]
    if len(never) == 1:
        parts.append(f'{never[0]} has not sent anything yet')
    elif never:
        parts.append(f'{", ".join(never[:-1])} and {never[-1]} have not sent anything yet')
    return '; '.join(parts)
