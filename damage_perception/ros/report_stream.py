"""The reports of one camera as they come: how new they are, who sends them, what they vouch for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from uuid import uuid4

from damage_perception.report import DamageReport, Health
from damage_perception.ros.report_source import ReportSource
from damage_perception.ros.stamp_order import StampOrder


class ReportStream:
    """What a topic of reports has sent, judged by a clock in seconds that is given.

    Args:
        topic: its full name.
        publishers: gives the ids of those that publish it now.
        now_s: when it is first listened to.

    Attributes:
        source: id of its publisher.
        newest: the newest report; None = nothing has come yet.
        gone: whether the node that sent them has ended.
    """

    def __init__(
        self, topic: str, publishers: Callable[[str], Iterable[str]], now_s: float
    ) -> None:
        self.topic, self.source = topic, uuid4().hex
        self.newest: DamageReport | None = None
        self.gone = False
        self._reporters = ReportSource(lambda: publishers(topic))
        self._arrived_s = self._judged_s = now_s
        self._order = StampOrder()

    def newcomer(self) -> str:
        """Give the id of a publisher that has just come; empty = nobody new."""
        return self._reporters.newcomer()

    def begin_anew(self, source: str) -> None:
        """Take stamps of any time from a publisher that was started anew."""
        self.source, self._order = source, StampOrder()

    def take(self, report: DamageReport, now_s: float) -> bool:
        """Note a report; tell whether time went back with it."""
        self._arrived_s, self.gone = now_s, False
        if report.stamp_ns == 0:  # no image has come yet
            self.newest = self.newest or report
            return False
        if report.health is not Health.UNKNOWN:
            self._judged_s = now_s
        self.newest = report
        if not self._order.goes_back(report.stamp_ns):
            return False
        self._order = StampOrder()
        self._order.goes_back(report.stamp_ns)
        return True

    def age_s(self, now_s: float) -> float:
        """Seconds since the newest report."""
        return now_s - self._arrived_s

    def is_blind(self, now_s: float, limit_s: float) -> bool:
        """Tell whether nothing was judged for longer than a limit."""
        return self.gone or now_s - self._judged_s > limit_s

    def why_unknown(self, now_s: float, limit_s: float) -> str:
        """Say why nothing is vouched for; empty = something is."""
        if self.newest is None:
            return f'{self.topic} has not sent anything yet'
        if self.gone:
            return f'the node that sends {self.topic} has ended'
        if self.age_s(now_s) > limit_s:
            return f'{self.topic} has been silent for {self.age_s(now_s):.1f} s'
        return self.newest.reason if self.newest.health is Health.UNKNOWN else ''
