"""`damage-perception benchmark network`: time of one item on every backend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def benchmark_network(
    weights: Annotated[
        Path | None, typer.Option(help='Folder of weights; untrained ones without (same speed).')
    ] = None,
    side: Annotated[int, typer.Option(min=64, max=1024, help='Pixels of a square view.')] = 256,
    items: Annotated[int, typer.Option(min=1, max=64, help='Items of a batch.')] = 1,
    threads: Annotated[int, typer.Option(min=1, max=256, help='Threads.')] = 2,
    repeats: Annotated[int, typer.Option(min=3, max=10_000, help='Times to measure.')] = 50,
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Time the network alone for one batch, each backend in fp32 and, where it has it, bf16."""
    import json as json_module

    from damage_perception.cli.network_trials import measure_backends

    rows = measure_backends(weights, side, items, threads, repeats)
    if json:
        typer.echo(json_module.dumps({
            'side': side, 'items': items, 'threads': threads, 'backends': rows,
        }))  # fmt: skip
        return
    for row in rows:
        typer.echo(
            f'{row["name"]:12s} {row["precision"]}: median {row["median_ms"]:.2f} ms, '
            f'fastest {row["least_ms"]:.2f}, p90 {row["p90_ms"]:.2f}, '
            f'processor time {row["cpu_ms"]:.2f}'
        )
