"""`damage-perception benchmark synchronizer`: ours beside the one of `message_filters`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def benchmark_synchronizer(
    message_filters: Annotated[
        Path | None,
        typer.Option(help='Checkout of github.com/ros2/message_filters; the installed one.'),
    ] = None,
    count: Annotated[int, typer.Option(help='Messages of each stream.', min=100)] = 3000,
    slop: Annotated[float, typer.Option(help='Largest distance of a pair, s.', min=0.0)] = 0.02,
    seed: Annotated[int, typer.Option(help='Of the jitter and the losses.')] = 0,
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Count pairs, their mean distance and the cost of a message on streams good and bad."""
    import functools
    import json as json_module
    from dataclasses import asdict

    from rich.console import Console
    from rich.table import Table

    from damage_perception.cli import synchronizer_trials as trials
    from damage_perception.cli.environment import require_ros

    require_ros('benchmark synchronizer')
    field = trials.load_field(message_filters)
    runs = {'ours': functools.partial(trials.run_ours, slop)}
    if field is not None:
        runs['message_filters'] = functools.partial(trials.run_field, field, slop)
    rows = {
        name: {who: trials.measure(run, name, count, seed) for who, run in runs.items()}
        for name in trials.STREAMS
    }
    if json:
        plain = {n: {who: asdict(t) for who, t in row.items()} for n, row in rows.items()}
        typer.echo(
            json_module.dumps({'count': count, 'slop_s': slop, 'seed': seed, 'streams': plain})
        )
        return
    table = Table('streams', 'synchroniser', 'pairs', 'mean skew (ms)', 'cost (us a message)')
    for name, row in rows.items():
        for who, trial in row.items():
            figures = (f'{trial.skew_ms:.2f}', f'{trial.cost_us:.1f}')
            table.add_row(name, who, str(trial.pairs), *figures)
    console = Console()
    console.print(table)
    if field is None:
        console.print('message_filters is not installed; give a checkout by --message-filters')
