"""`damage-perception train-joins`: learn which pieces of a picture are one item."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train_joins(
    out: Annotated[Path, typer.Option(help='Folder to write the trees to.')],
    items: Annotated[int, typer.Option(help='Items to render.', min=1)] = 6000,
    seed: Annotated[int, typer.Option(help='Seed of the items.')] = 4242,
    workers: Annotated[int, typer.Option(help='Processes that render.', min=1)] = 1,
) -> None:
    """Render items among others, cut their pictures into pieces, learn which belong together."""
    from rich.console import Console
    from rich.progress import Progress

    from damage_perception.cli.train_steps import source_commit, this_command
    from damage_perception.learning.items.run import render_pictures
    from damage_perception.learning.items.run import train_joins as train
    from damage_perception.learning.training.view_store import engine_digest
    from damage_perception.perception.items.join_model import JoinManifest

    with Progress(console=Console(stderr=True), transient=True) as progress:
        seen = list(
            progress.track(render_pictures(items, seed, workers), total=items,
                           description='rendering items')
        )  # fmt: skip
    manifest = JoinManifest(
        '', (), 0.0, this_command(), source_commit(), engine_digest(), seed, items
    )
    model = train(seen, out, manifest)
    pairs = sum(len(picture.same) for picture in seen)
    typer.echo(f'{out}: trees learnt from {pairs} pairs, joined from a logit of {model.least:.2f}')
