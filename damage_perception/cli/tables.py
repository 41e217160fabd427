"""Tables of items and decisions for people."""

from __future__ import annotations

import math
from collections.abc import Iterable

from rich.markup import escape
from rich.table import Table

from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.report import (
    DamageInstance,
    DamageReport,
    DamageType,
    Decision,
    ItemReport,
    Severity,
    Status,
    Verdict,
)

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
            escape(decision.reason),
        )
    return table


def item_table(report: DamageReport) -> Table:
    """List the items of a report with the damages that count, one a row."""
    least = f'damaged (P >= {report.threshold:.2g})' if report.threshold else 'damaged'
    table = Table('item', 'size (mm)', 'P(damaged)', least, 'damages', 'status')
    for item in report.items:
        table.add_row(
            str(item.track_id),
            ' x '.join(_number(1e3 * side, 0) for side in item.size),
            _number(item.confidence) + ('' if report.threshold else ', not calibrated'),
            _counts(item, report.threshold),
            _damages(item, report.threshold),
            ' '.join(flag.name or '' for flag in Status if flag & item.status),
        )
    return table


def _counts(item: ItemReport, threshold: float) -> str:
    if math.isnan(item.confidence):
        return 'not judged'
    if not threshold:
        return '?'
    if item.confidence >= threshold:
        return '[bold red]yes'
    return 'unclear' if any(flag & item.status for flag in IN_THE_WAY) else 'no'


def _damages(item: ItemReport, threshold: float) -> str:
    if not threshold:
        return '?'
    listed = [_words(damage) for damage in item.damages if damage.confidence >= threshold]
    return '\n'.join(listed) or ('no place' if item.confidence >= threshold else 'none')


def _words(damage: DamageInstance) -> str:
    severity, kind = Severity(damage.severity).name, DamageType(damage.damage_type).name
    area, depth = _number(1e4 * damage.area, 1), _number(1e3 * damage.depth, 0)
    return f'{severity.lower()} {kind.lower()}, {area} cm², {depth} mm'


def _number(value: float, digits: int = 3) -> str:
    return '?' if math.isnan(value) else f'{value:.{digits}f}'
