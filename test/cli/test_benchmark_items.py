"""benchmark items as a person calls it."""

import json

import pytest
from typer.testing import CliRunner

from damage_perception.cli.items_trials import MOST, made_picture, measure_items
from damage_perception.cli.main import build_app
from damage_perception.errors import CallError
from damage_perception.pipeline import DamagePipeline


def test_each_item_of_the_picture_is_found_and_judged() -> None:
    report = DamagePipeline().process(made_picture(MOST, 1))
    assert len(report.items) == MOST
    assert all(item.frames == 1 for item in report.items)


def test_times_finding_and_judging() -> None:
    call = ['benchmark', 'items', '--items', '1', '--repeats', '3', '--backend', 'openvino']
    rows = json.loads(CliRunner().invoke(build_app(), [*call, '--json']).stdout)['rows']
    assert {row['items'] for row in rows} == {1}
    assert all(row['judged'] == 1 and row['judge_ms'] > 0.0 for row in rows)


def test_more_items_than_the_picture_holds_are_refused() -> None:
    with pytest.raises(CallError, match='holds 12 items at most'):
        measure_items([13], ['openvino'], 1, 3)
