"""`damage-perception benchmark identification`: how well products are known by their looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def benchmark_identification(
    cache: Annotated[Path, typer.Option(help='Folder of rendered pictures; kept.')],
    weights: Annotated[Path | None, typer.Option(help='Folder of a map; the shipped one.')] = None,
    products: Annotated[int, typer.Option(help='Products of each style.', min=125)] = 1000,
    pictures: Annotated[Path | None, typer.Option(help='Folder for the confusions.')] = None,
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Render products, enrol three views of each and name their items; none was learnt from."""
    import json as json_module
    from dataclasses import asdict

    import cv2
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table

    from damage_perception.learning.identification.evaluation import (
        confusions,
        figures,
        groups,
        lookup_ms,
    )
    from damage_perception.learning.identification.fit import compare
    from damage_perception.learning.identification.views import (
        ProductSet,
        read_pictures,
        render_pictures,
    )
    from damage_perception.perception.identification.network import load_network, shipped_network

    network = load_network(weights) if weights else shipped_network()
    results: dict[str, dict[str, object]] = {}
    for wanted in (ProductSet('standard', 103, products, 2), ProductSet('shifted', 104, products)):
        with Progress(console=Console(stderr=True), transient=True) as progress:
            task = progress.add_task(f'rendering {wanted.style} products', total=products)
            for done in render_pictures(wanted, cache):
                progress.update(task, completed=done)
        data = read_pictures(wanted, cache)
        trial = compare(network, data, network.rule[4])
        results[wanted.style] = {
            name: asdict(figures(trial, network.rule, chosen))
            for name, chosen in groups(trial, data).items()
            if chosen.any()
        }
        if pictures is not None:
            pictures.mkdir(parents=True, exist_ok=True)
            drawn = confusions(trial, data, network.rule)
            cv2.imwrite(str(pictures / f'confusions_{wanted.style}.png'), drawn[..., ::-1])
    embedding, lookup = lookup_ms(network, 10_000, 3)
    times = {'embedding_ms': embedding, 'lookup_30000_views_ms': lookup}
    if json:
        typer.echo(json_module.dumps({**results, **times}))
        return
    for style, rows in results.items():
        title = f'{style}: {products} products, 3 views each'
        table = Table('', 'items', 'top-1', 'unknown rejected at 1 %', 'named', 'wrongly',
                      'unknown named', title=title)  # fmt: skip
        for name, row in rows.items():
            values = [f'{value:.3f}' for value in list(row.values())[1:]]  # type: ignore[attr-defined]
            table.add_row(name, str(row['items']), *values)  # type: ignore[index]
        Console().print(table)
    typer.echo(f'one item: {embedding:.2f} ms to embed, {lookup:.2f} ms to look up in 30,000 views')
