"""`damage-perception benchmark items`: time of a picture by its number of items and backend."""

from __future__ import annotations

from typing import Annotated

import typer


def benchmark_items(
    items: Annotated[
        list[int] | None, typer.Option(min=1, help='Items of a picture; 1, 4 and 12 without.')
    ] = None,
    backend: Annotated[
        list[str] | None, typer.Option(help='openvino, onnxruntime or torch; all without.')
    ] = None,
    threads: Annotated[int, typer.Option(min=1, max=256, help='Threads of the network.')] = 2,
    repeats: Annotated[int, typer.Option(min=3, max=10_000, help='Pictures of each kind.')] = 15,
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Time finding and judging all items of a 1280x720 picture, each new, on every backend."""
    import json as json_module

    from damage_perception.cli.items_trials import measure_items
    from damage_perception.network.backends import present

    rows = measure_items(items or [1, 4, 12], backend or present(), threads, repeats)
    if json:
        typer.echo(json_module.dumps({'threads': threads, 'rows': rows}))
        return
    for row in rows:
        typer.echo(
            f'{row["backend"]:12s} {row["precision"]}, {row["items"]:2d} items, '
            f'{row["found"]} found, {row["judged"]} judged: find {row["find_ms"]:.1f} ms, '
            f'judge {row["judge_ms"]:.1f} ms, {row["judge_ms_an_item"]:.1f} an item'
        )
