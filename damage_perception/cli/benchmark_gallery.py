"""`damage-perception benchmark gallery`: look-up time, memory, opening, and being killed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def benchmark_gallery(
    products: Annotated[list[int] | None, typer.Argument(help='Sizes; 100 1000 10000.')] = None,
    views: Annotated[int, typer.Option(help='Views of each product.', min=1, max=6)] = 3,
    side: Annotated[int, typer.Option(help='Pixels of a view.', min=8, max=2048)] = 256,
    kills: Annotated[int, typer.Option(help='Times to `kill -9` an enrolment.', min=0)] = 0,
    folder: Annotated[
        Path | None, typer.Option(help='Where to build the galleries; a temporary folder.')
    ] = None,
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Measure a gallery of made-up products; 10,000 products x 3 views take 14 GB while it runs."""
    import json as json_module
    import tempfile

    from rich.console import Console

    from damage_perception.cli.gallery_kill_trial import kill_enrolments
    from damage_perception.cli.gallery_trials import measure
    from damage_perception.errors import CallError

    if folder is not None and not folder.is_dir():
        raise CallError(f'--folder {folder} is no folder; make it or leave the option out')
    console = Console(stderr=True)
    results: dict[str, object] = {}
    with tempfile.TemporaryDirectory(dir=folder) as work:
        sizes = sorted(products or [100, 1000, 10_000])
        results['sizes'] = rows = measure(Path(work) / 'gallery', sizes, views, side, console)
        if kills:
            results['kills'] = kill_enrolments(Path(work) / 'killed', kills)
    if json:
        typer.echo(json_module.dumps(results))
        return
    for row in rows:
        typer.echo(
            f'{row["products"]:6d} products x {views}: '
            f'look-up {row["lookup_warm_ms_median"]:.2f} ms '
            f'(p99 {row["lookup_warm_ms_p99"]:.2f}), not cached {row["lookup_cold_ms_median"]:.2f} '
            f'(p99 {row["lookup_cold_ms_p99"]:.2f}), open {row["open_ms"]:.1f} ms, '
            f'all features {row["features_ms"]:.0f} ms, memory {row["memory_mib"]:.0f} MiB'
        )
    if kills:
        typer.echo(results['kills'])
