"""`damage-perception train-identification`: learn to tell products apart by their looks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train_identification(
    out: Annotated[Path, typer.Option(help='Folder to write the map to.')],
    cache: Annotated[Path, typer.Option(help='Folder of rendered pictures; kept.')],
    products: Annotated[int, typer.Option(help='Products to render; 500 choose the rule.')] = 2250,
    seed: Annotated[int, typer.Option(help='Seed of the products.')] = 101,
    steps: Annotated[int, typer.Option(help='Steps to learn.', min=1)] = 6000,
) -> None:
    """Render products and learn the map by which they are known; minutes on one core."""
    from rich.console import Console
    from rich.progress import Progress

    from damage_perception.cli.train_steps import source_commit, this_command
    from damage_perception.errors import CallError
    from damage_perception.learning.identification.run import HELD_OUT, train
    from damage_perception.learning.identification.training import Recipe
    from damage_perception.learning.identification.views import (
        ProductSet,
        read_pictures,
        render_pictures,
    )
    from damage_perception.learning.training.view_store import engine_digest
    from damage_perception.perception.identification.network import Manifest

    if products < 2 * HELD_OUT:
        raise CallError(f'--products must be {2 * HELD_OUT} or more, got {products}')
    wanted, recipe = ProductSet('standard', seed, products), Recipe(steps=steps)
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task('rendering products', total=products)
        for done in render_pictures(wanted, cache):
            progress.update(task, completed=done)
        task = progress.add_task('learning', total=steps)
        manifest = Manifest(
            '', this_command(), source_commit(), engine_digest(),
            recipe.seed, products, steps,
        )  # fmt: skip

        def watch(step: int, loss: float) -> None:
            progress.update(task, completed=step, description=f'learning, loss {loss:.3f}')

        train(read_pictures(wanted, cache), recipe, out, manifest, watch)
    typer.echo(f'{out}: a map learnt from {products} products')
