"""`damage-perception report`: what a journal of decisions tells."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.table import Table


def report(
    journal: Annotated[Path, typer.Argument(help='File that the divert node writes.')],
    json: Annotated[bool, typer.Option('--json', help='Print the figures as JSON.')] = False,
    csv: Annotated[
        Path | None, typer.Option(help='File to write with a line a decision and its review.')
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option(help='The same as Parquet; needs pyarrow.')
    ] = None,
) -> None:
    """Print rates, the precision of reviewed diverts and misses, by type and product."""
    from damage_perception.journal.entries import read_entries, write_csv, write_parquet
    from damage_perception.journal.summary import summarise

    entries = read_entries(journal)
    if csv is not None:
        write_csv(csv, entries)
    if parquet is not None:
        write_parquet(parquet, entries)
    figures = summarise(entries)
    if json:
        from json import dumps

        typer.echo(dumps(figures, allow_nan=False))
        return
    from rich.console import Console

    console = Console()
    console.print(_overview(figures))
    for name, title in (('by_type', 'type'), ('by_sku', 'product')):
        console.print(_groups(figures[name], title))


def _overview(figures: dict[str, Any]) -> Table:
    from rich.table import Table

    table = Table('', 'count', 'of', 'share', '95 % interval', title='Decisions')
    rows = {name.upper(): share for name, share in figures['rates'].items()}
    rows['reviewed diverts that were damaged'] = figures['precision']
    rows['reviewed passes that were damaged (misses)'] = figures['misses']
    for name, share in rows.items():
        bounds = f'{share["low"]:.2%} to {share["high"]:.2%}'
        table.add_row(name, str(share['count']), str(share['of']), _percent(share['share']), bounds)
    return table


def _groups(groups: dict[str, dict[str, Any]], title: str) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table(title, 'decisions', 'diverted', 'unknown', 'reviewed', 'precision', 'misses')
    for name, figures in groups.items():
        rates, right, missed = figures['rates'], figures['precision'], figures['misses']
        table.add_row(
            escape(name) or 'not known',
            str(figures['decisions']),
            _percent(rates['divert']['share']),
            _percent(rates['unknown']['share']),
            str(figures['reviewed']),
            f'{right["count"]} of {right["of"]}' if right['of'] else '-',
            f'{missed["count"]} of {missed["of"]}' if missed['of'] else '-',
        )
    return table


def _percent(share: float | None) -> str:
    return '-' if share is None else f'{share:.2%}'
