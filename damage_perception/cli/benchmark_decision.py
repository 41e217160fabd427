"""`damage-perception benchmark decision`: how long after a report its decision comes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def benchmark_decision(
    reports: Annotated[int, typer.Option(min=20, help='Reports to send; each decides one.')] = 300,
    tracks: Annotated[int, typer.Option(min=1, max=100, help='Items in view.')] = 12,
    rate: Annotated[float, typer.Option(min=1.0, max=100.0, help='Reports a second.')] = 15.0,
    journal: Annotated[
        Path | None, typer.Option(help='Let the node keep a journal in this new file.')
    ] = None,
    json: Annotated[bool, typer.Option('--json', help='Print the figures as JSON.')] = False,
) -> None:
    """Time the divert node as a process: from a report over DDS to the decision it makes due."""
    from damage_perception.cli.decision_trial import run_trial
    from damage_perception.cli.environment import require_ros, use_dds_profile
    from damage_perception.errors import CallError

    if journal is not None and journal.exists():
        raise CallError(f'{journal} exists; give a new file')
    require_ros('benchmark decision')
    use_dds_profile()
    figures = run_trial(reports, tracks, rate, journal)
    if json:
        from json import dumps

        typer.echo(dumps(figures))
        return
    typer.echo(
        f'{tracks} items in view: report to decision median {figures["median_ms"]:.1f} ms, '
        f'95 % within {figures["p95_ms"]:.1f} ms, longest {figures["longest_ms"]:.1f} ms; '
        f'{figures["decided"]} of {reports} decided once, {figures["twice"]} twice'
    )
