"""How far a station is to be trusted as a whole: its rates, and what its reports say of drift."""

from __future__ import annotations

from collections.abc import Iterable

from damage_perception.perception.decision.budget_watch import OutcomeWatch, WatchSettings
from damage_perception.perception.decision.decision import JudgedDecision
from damage_perception.report import DamageReport, Health, Status


class StationHealth:
    """Watch rates against their budgets; drift is told by the reports."""

    def __init__(self, settings: WatchSettings) -> None:
        self._watch = OutcomeWatch(settings)
        self._drifts: tuple[str, ...] = ()

    def take(self, decision: JudgedDecision, settings: WatchSettings) -> None:
        """Take the next decision."""
        evidence = decision.evidence
        suspect = bool(evidence and evidence.status & Status.REFERENCE_SUSPECT)
        self._watch.settings = settings
        self._watch.take(decision.decision, suspect)

    def hear(self, newest: Iterable[DamageReport | None]) -> None:
        """Take the newest report of each camera."""
        self._drifts = tuple(report.drift for report in newest if report and report.drift)

    def warnings(self) -> list[str]:
        """Say what somebody shall look at, though all works; empty = nothing."""
        return [*self._watch.warnings(), *self._drifts]

    @property
    def health(self) -> Health:
        """DEGRADED while there are warnings."""
        return Health.DEGRADED if self.warnings() else Health.OK
