"""`damage-perception train`: from nothing to weights, resumable."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    config: Annotated[
        Path | None, typer.Option(help='YAML of settings; the defaults without one.')
    ] = None,
    out: Annotated[Path, typer.Option(help='Folder for checkpoints, curve, weights, pictures.')] = (
        Path('out/training')
    ),
    cache: Annotated[
        Path | None, typer.Option(help='Folder of rendered views; OUT/views without one.')
    ] = None,
    start: Annotated[
        Path | None, typer.Option(help='Weights to begin with; from nothing without.')
    ] = None,
    resume: Annotated[bool, typer.Option(help='Go on from the last checkpoint.')] = False,
    minutes: Annotated[float, typer.Option(min=0, help='Learn so long; 0 = to the end.')] = 0,
    samples: Annotated[
        int | None, typer.Option(min=1, help='Patches of the whole training, over the settings.')
    ] = None,
    train_items: Annotated[
        int | None, typer.Option(min=1, help='Items to render, over the settings.')
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help='Threads that learn.')] = 1,
    workers: Annotated[int, typer.Option(min=1, help='Processes that render and measure.')] = 1,
    device: Annotated[str, typer.Option(help='auto, cpu or cuda.')] = 'auto',
    tensorboard: Annotated[bool, typer.Option(help='Write events into OUT/events.')] = False,
) -> None:
    """Render items, train the network on them and measure it beside geometry."""
    from damage_perception.cli.train_steps import check_call, learn, print_result, show_rendering
    from damage_perception.learning.training.config import read_config

    settings = read_config(config, samples=samples, train_items=train_items)
    check_call(out, resume, device)

    from damage_perception.learning.training.result import finish
    from damage_perception.learning.training.run import Paths

    paths = Paths(out, cache or out / 'views')
    show_rendering(settings, paths, workers)
    learn(settings, paths, start, resume, minutes, threads, device, tensorboard)
    print_result(finish(settings, paths, workers), out)
