"""What a gallery holds and what was changed in it, as tables or as JSON."""

from __future__ import annotations

import dataclasses
import json as json_module
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from damage_perception.perception.gallery.records import Change, Product, Reference


def show_products(products: list[Product], json: bool) -> None:
    """Print one line a product."""
    if not _as_json(products, json):
        _table(
            ('product', 'active', 'quarantined', 'retired', 'newest'),
            ((p.sku, p.active, p.quarantined, p.retired, _time(p.newest)) for p in products),
        )


def show_references(references: list[Reference], json: bool) -> None:
    """Print one line a reference."""
    if not _as_json(references, json):
        _table(
            ('reference', 'state', 'enrolled', 'by', 'design', 'reason'),
            (
                (r.id, r.state.value, _time(r.enrolled_at), r.by, r.design, r.reason)
                for r in references
            ),
        )


def show_log(changes: list[Change], json: bool) -> None:
    """Print one line a change."""
    if not _as_json(changes, json):
        _table(
            ('change', 'when', 'by', 'what', 'references'),
            ((c.id, _time(c.at), c.by, c.action, _steps(c)) for c in changes),
        )


def _steps(change: Change) -> str:
    return '\n'.join(
        f'{step.reference} of {step.sku}: {step.after.value}'
        + (f' ({step.reason})' if step.reason else '')
        for step in change.steps
    )


def _as_json(records: list[Any], json: bool) -> bool:
    if json:
        rows = [dataclasses.asdict(record) for record in records]
        print(json_module.dumps(rows, default=datetime.isoformat, ensure_ascii=False))
    return json


def _table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> None:
    table = Table(*head, box=None)
    for row in rows:
        table.add_row(*(escape(str(cell)) for cell in row))
    Console().print(table)


def _time(at: datetime) -> str:
    return at.astimezone().strftime('%Y-%m-%d %H:%M')
