"""The tables for people: what is said of an item that counts as damaged and of others."""

from __future__ import annotations

import dataclasses
import io
import math

import pytest
from made_reports import made_damage, made_item
from rich.console import Console

from damage_perception.cli.progress import console, warn
from damage_perception.cli.report import _groups
from damage_perception.cli.tables import decision_table, item_table
from damage_perception.journal.summary import summarise
from damage_perception.report import (
    DamageReport,
    DamageType,
    Decision,
    Health,
    Severity,
    Status,
    Verdict,
)

TEAR = made_damage(
    damage_type=DamageType.TEAR, severity=Severity.MINOR, confidence=0.5, area=3e-4, depth=0.01
)
ITEM = made_item(confidence=0.5, damages=(TEAR,))


def row(threshold: float, **changes: object) -> str:
    item = dataclasses.replace(ITEM, **changes)  # type: ignore[arg-type]
    report = DamageReport(0, '', 2, 2, Health.OK, items=(item,), threshold=threshold)
    console = Console(width=200, file=io.StringIO())
    console.print(item_table(report))
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_damage_that_counts_is_listed() -> None:
    said = row(0.1)
    assert 'damaged (P >= 0.1)' in said
    assert 'yes' in said
    assert 'minor tear, 3.0 cm², 10 mm' in said


def test_what_is_only_pointed_at_is_no_finding() -> None:
    said = row(0.6)
    assert ' no ' in said
    assert 'tear' not in said


@pytest.mark.parametrize(
    ('threshold', 'changes', 'word'),
    [
        (0.6, {'status': Status.TRUNCATED}, 'unclear'),
        (0.1, {'status': Status.TRUNCATED}, 'yes'),
        (0.6, {'status': Status.NO_REFERENCE}, ' no '),
        (0.1, {'confidence': math.nan, 'damages': ()}, 'not judged'),
        (0.0, {}, 'not calibrated'),
        (0.1, {'damages': ()}, 'no place'),
    ],
)
def test_what_cannot_be_said_is_said(threshold: float, changes: dict, word: str) -> None:
    assert word in row(threshold, **changes)


def test_brackets_of_others_are_shown_and_do_no_harm() -> None:
    name = '[red]PHONE[/b]'
    decision = Decision(0, '', 1, name, Verdict.UNKNOWN, math.nan, 0.1, 0, name, ITEM.pose)
    figures = summarise([])
    out = Console(width=200, file=io.StringIO())
    out.print(decision_table([decision]))
    out.print(_groups({name: figures | {'decisions': 1}}, 'product'))
    with console.capture() as warned:
        warn(name)
    assert out.file.getvalue().count(name) == 2  # type: ignore[attr-defined]
    assert name in warned.get()
