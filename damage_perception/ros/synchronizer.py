"""Pair the messages of several streams by their stamps: nearest wins, nothing waits for long.

No ROS here: whoever has messages calls `Synchronizer.add` and gets the matches that this message
completes, so a consumer that raises cannot leave anything locked. Not thread-safe.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from damage_perception.ros.stamp_order import JUMP_NS
from damage_perception.ros.stream import Entry, Stream


@dataclass(frozen=True)
class Match:
    """One message of each stream, taken at about the same time."""

    stamp_ns: int  # of the first stream
    messages: dict[str, Any]
    skew_ns: int  # largest distance of a stream from the first one


class Synchronizer:
    """Match every message of the first stream with the nearest one of each other stream.

    Two messages are paired when each is the nearest that the other can still get: at once when
    their stamps are equal or the usual interval of the streams leaves no room for a closer one,
    else when the next message proves it, at the latest `slop_s` after both have arrived.
    Matches come in order of time and no message is used twice.

    Time going back (a recording that loops) clears all queues and increases `jumps` once, however
    the streams interleave; a message that is only out of order is sorted in where it still can be.

    Args:
        streams: names, the first of which leads.
        slop_s: largest distance in seconds from the leading stamp; 0 = stamps must be equal.
        queue_size: messages kept of each stream.
    """

    def __init__(self, streams: Sequence[str], slop_s: float = 0.0, queue_size: int = 10) -> None:
        if len(set(streams)) != len(streams) or len(streams) < 2:
            raise ValueError(f'streams must be two or more different names, got {list(streams)}')
        if slop_s < 0.0 or queue_size < 1:
            raise ValueError(
                f'slop_s must be >= 0 and queue_size >= 1, got {slop_s} and {queue_size}'
            )
        self.streams = {name: Stream(queue_size) for name in streams}
        self.jumps = 0
        self._lead = self.streams[streams[0]]
        self._others = {name: self.streams[name] for name in streams[1:]}
        self._slop_ns = round(slop_s * 1e9)
        self._before_jump: dict[str, int] = {}  # stream -> its newest stamp before the jump

    def add(
        self, stream: str, stamp_ns: int, message: Any, now_s: float | None = None
    ) -> list[Match]:
        """Take a message.

        Args:
            stream: its stream.
            stamp_ns: its stamp.
            message: anything.
            now_s: when it arrived, on any clock that does not go back (a recording gives the
                time it was recorded, so that its replay is the same every time).

        Returns:
            The matches that are complete now, oldest first.
        """
        now_s = time.monotonic() if now_s is None else now_s
        taker = self.streams[stream]
        if self._is_left_over(stream, stamp_ns):
            taker.refuse_late()
            return []
        if taker.order.goes_back(stamp_ns):
            self._jump(stream)
            taker.order.goes_back(stamp_ns)
        taker.add(Entry(stamp_ns, message, now_s))
        return self.poll(now_s)

    def poll(self, now_s: float | None = None) -> list[Match]:
        """Give the matches that have waited long enough for a closer message."""
        now_s = time.monotonic() if now_s is None else now_s
        return list(self._take_matches(now_s))

    def flush(self) -> list[Match]:
        """Give the matches that still waited for a closer message: the streams have ended."""
        return self.poll(float('inf'))

    def lags_s(self) -> dict[str, float]:
        """Say by how many seconds the newest stamp of each stream is behind the leading one."""
        lead = self._lead.newest_ns
        return {
            name: (lead - other.newest_ns) / 1e9
            for name, other in self._others.items()
            if lead is not None and other.newest_ns is not None
        }

    def _jump(self, stream: str) -> None:
        """Begin anew; what the other streams still had under way will be refused."""
        self.jumps += 1
        for name, other in self.streams.items():
            if other.newest_ns is not None:
                self._before_jump[name] = other.newest_ns
            other.clear()
        del self._before_jump[stream]

    def _is_left_over(self, stream: str, stamp_ns: int) -> bool:
        """Tell whether a message was still under way when another stream jumped back."""
        last = self._before_jump.get(stream)
        if last is None:
            return False
        newest = [other.newest_ns for other in self.streams.values()]
        front = max((ns for ns in newest if ns is not None), default=stamp_ns)
        if stamp_ns > last and stamp_ns > front + JUMP_NS:
            return True
        del self._before_jump[stream]
        return False

    def _take_matches(self, now_s: float) -> Iterator[Match]:
        taken = True
        while taken:
            taken = False
            for lead in self._lead.queue:
                picks = {name: self._pick(lead, other) for name, other in self._others.items()}
                if any(pick is None for pick in picks.values()):
                    continue  # a later one may be complete, and then this one never will be
                entries = {name: pick for name, pick in picks.items() if pick is not None}
                taken = all(
                    self._is_settled(lead, entry, self._others[name], now_s)
                    for name, entry in entries.items()
                )
                if taken:
                    yield self._take(lead, entries)
                break

    def _pick(self, lead: Entry, other: Stream) -> Entry | None:
        """Find the nearest entry that no later leading message has a better claim to."""
        near = other.within(lead.stamp_ns, self._slop_ns)
        near.sort(key=lambda entry: abs(entry.stamp_ns - lead.stamp_ns))
        return next((entry for entry in near if not self._is_claimed(entry, lead, other)), None)

    def _is_claimed(self, entry: Entry, lead: Entry, other: Stream) -> bool:
        distance = abs(entry.stamp_ns - lead.stamp_ns)
        if entry.stamp_ns <= lead.stamp_ns or distance == 0:
            return False  # every later leading message is further away
        rivals = self._lead.within(entry.stamp_ns, distance - 1)
        return any(
            rival.stamp_ns > lead.stamp_ns and other.nearest(rival.stamp_ns) is entry
            for rival in rivals
        )

    def _is_settled(self, lead: Entry, entry: Entry, other: Stream, now_s: float) -> bool:
        """Tell whether no closer partner can come, to either of the two."""
        distance = abs(entry.stamp_ns - lead.stamp_ns)
        return (
            distance == 0
            or now_s - max(lead.arrived_s, entry.arrived_s) >= self._slop_ns / 1e9
            or (
                other.order.earliest_next_ns >= lead.stamp_ns + distance
                and self._lead.order.earliest_next_ns >= entry.stamp_ns + distance
            )
        )

    def _take(self, lead: Entry, entries: dict[str, Entry]) -> Match:
        self._lead.use(lead)
        for name, entry in entries.items():
            self._others[name].use(entry)
        messages = {name: entries[name].message for name in self._others}
        skew = max(abs(entry.stamp_ns - lead.stamp_ns) for entry in entries.values())
        lead_name = next(iter(self.streams))
        return Match(lead.stamp_ns, {lead_name: lead.message, **messages}, skew)
