"""From reports, frame by frame, to one decision an item."""

from __future__ import annotations

from damage_perception.report import DamageReport, Decision
from damage_perception.settings import DecisionSettings


class DecisionMaker:
    """Collect what was reported of each track and say once what to do with the item.

    Pure: time is that of the reports, so a replay and a node decide alike.
    """

    def __init__(self, settings: DecisionSettings | None = None) -> None:
        self.settings = settings or DecisionSettings()

    def update(self, report: DamageReport) -> list[Decision]:
        """Take the next report; give the decisions on items that have left since."""
        return []

    def flush(self, reason: str = '') -> list[Decision]:
        """Decide on all items that are still open: the stream ended, went stale or jumped."""
        return []
