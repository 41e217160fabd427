"""Measures of an evaluation as tables, and beside those of another run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from damage_perception.errors import UserError
from damage_perception.learning.metrics.metrics import FORMAT
from damage_perception.learning.readers.checks import load_json

_RANKINGS = ('auroc', 'ap', 'recall_at_50_precision', 'roc_recall_at_1pct')


def read_metrics(path: Path) -> dict[str, Any]:
    """Read the `metrics.json` of another run.

    Raises:
        UserError: if it is none.
    """
    result = load_json(path)
    if not isinstance(result, dict) or result.get('format') != FORMAT or 'by_type' not in result:
        raise UserError(f'{path} holds no measures of evaluate; measure again with --metrics')
    return result


def print_measures(result: dict[str, Any], other: dict[str, Any] | None = None) -> None:
    """Print the measures of a run, as `metrics.json` holds them; then both runs side by side."""
    console = Console()
    for name, count in result['outcomes'].items():
        console.print(
            f'{name}: {count["images"]} images of {count["items"]} items, '
            f'{count["unknown"]} UNKNOWN, {count["missed"]} not found'
        )
    console.print(_overview(result))
    if other is not None:
        console.print(_side_by_side(other, result))


def _overview(result: dict[str, Any]) -> Table:
    table = Table('', 'any damage', 'major damage')
    for name in _RANKINGS:
        table.add_row(name, *(_cell(result, f'{name}_{which}') for which in ('any', 'major')))
    for point in result['operating_points']:
        budget = f'budget {point["budget"]:.2%}'
        table.add_row(
            f'recall, {budget}', _share(point['recall_any']), _share(point['recall_major'])
        )
        table.add_row(f'false alarms, {budget}', _share(point['false_alarms']))
    return table


def _side_by_side(*runs: dict[str, Any]) -> Table:
    """Tell what references are for: quiet on look-alikes, missing units, the rest no worse."""
    table = Table('', *(f'references {run["references"]}' for run in runs))
    columns = [_compared(run) for run in runs]
    for name in dict.fromkeys(name for column in columns for name in column):
        table.add_row(name, *(column.get(name, '-') for column in columns))
    return table


def _compared(run: dict[str, Any]) -> dict[str, str]:
    counts = run.get('referenced', {})
    cells = {f'images, references {name}': str(count) for name, count in counts.items()}
    for point in run['operating_points']:
        for name in ('lookalike', 'plain'):
            label = f'alarms, {name}, budget {point["budget"]:.2%}'
            cells[label] = _share(point[f'alarms_{name}'])
    for kind, ranks in sorted(run['by_type'].items()):
        name = f'{kind.replace("_", " ")} ({ranks["images"]})'
        cells[f'{name}: AUROC'] = _number(ranks['auroc'])
        cells[f'{name}: recall at 1 %, 0.1 %'] = (
            f'{_number(ranks["roc_recall_at_1pct"])}, {_number(ranks["roc_recall_at_0.1pct"])}'
        )
    return cells


def _cell(result: dict[str, Any], name: str) -> str:
    spread = result['intervals'].get(name)
    return _number(result.get(name)) + (f' [{", ".join(map(_number, spread))}]' if spread else '')


def _number(value: float | None) -> str:
    return '-' if value is None else f'{value:.3f}'


def _share(share: dict[str, Any] | None) -> str:
    return f'{share["rate"]:.4f} ({share["count"]}/{share["of"]})' if share and share['of'] else '-'
