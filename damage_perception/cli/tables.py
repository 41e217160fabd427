"""Tables of items and decisions for people."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich.table import Table

from damage_perception.report import DamageReport, DamageType, Decision, Severity, Status, Verdict

STYLES = {
    Verdict.PASS: 'green',
    Verdict.DIVERT: 'bold red',
    Verdict.INSPECT: 'yellow',
    Verdict.UNKNOWN: 'yellow',
}


def decision_table(decisions: Iterable[Decision]) -> Table:
    """List decisions, one a row."""
    table = Table('item', 'decision', 'P(damaged)', 'frames', 'why', title='Decisions')
    for decision in decisions:
        verdict = Verdict(decision.decision)
        table.add_row(
            str(decision.track_id),
            f'[{STYLES[verdict]}]{verdict.name}',
            _number(decision.confidence),
            str(decision.frames),
            decision.reason,
        )
    return table


def item_table(report: DamageReport) -> Table:
    """List the items of a report with their damages, one a row."""
    table = Table('item', 'size (mm)', 'P(damaged)', 'damages', 'status')
    for item in report.items:
        damages = [
            f'{Severity(d.severity).name.lower()} {DamageType(d.damage_type).name.lower()}, '
            f'{_number(1e4 * d.area, 1)} cm², {_number(1e3 * d.depth, 0)} mm'
            for d in item.damages
        ]
        table.add_row(
            str(item.track_id),
            ' x '.join(_number(1e3 * side, 0) for side in item.size),
            _number(item.confidence),
            '\n'.join(damages) or 'none found',
            ' '.join(flag.name or '' for flag in Status if flag & item.status),
        )
    return table


def _number(value: float, digits: int = 3) -> str:
    return '?' if math.isnan(value) else f'{value:.{digits}f}'
