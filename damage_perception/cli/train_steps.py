"""What `train` shows while it renders, learns and measures."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from damage_perception.errors import CallError, UserError

if TYPE_CHECKING:
    from damage_perception.learning.training.config import TrainingConfig
    from damage_perception.learning.training.run import Paths
    from damage_perception.learning.training.training import Training

console = Console(stderr=True)


def check_call(out: Path, resume: bool, device: str) -> None:
    """Refuse early what would fail late.

    Raises:
        UserError: if torch is not installed or the device is not there.
        CallError: if the folder already holds a training, or there is no such device.
    """
    if find_spec('torch') is None:
        raise UserError('training needs torch: pip install -r requirements/train.txt')
    if device not in ('auto', 'cpu', 'cuda'):
        raise CallError(f'device must be auto, cpu or cuda, got {device}')
    import torch

    if device == 'cuda' and not torch.cuda.is_available():
        raise UserError('torch sees no CUDA device; take --device cpu')
    if not resume and (out / 'checkpoint' / 'state.json').is_file():
        raise CallError(f'{out} already holds a training; add --resume or give another folder')


@contextlib.contextmanager
def _bar(what: str, total: int, detail: str = '') -> Iterator[tuple[Progress, Any]]:
    columns = (TextColumn('{task.description}'), BarColumn(), TextColumn('{task.completed}/'
               '{task.total} {task.fields[detail]}'), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, transient=True) as progress:
        yield progress, progress.add_task(what, total=total, detail=detail)


def show_rendering(config: TrainingConfig, paths: Paths, workers: int) -> None:
    """Render what is missing with a bar in shards."""
    from damage_perception.learning.training.run import render_views
    from damage_perception.learning.training.view_store import SHARD

    shards = sum(-(-items // SHARD) for _, items in config.view_sets(paths.cache).values())
    there = len(list(paths.cache.glob('*/?????.json')))
    with _bar('rendering', shards) as (progress, task):
        progress.advance(task, min(there, shards))
        for split in render_views(config, paths, workers):
            progress.update(task, advance=1, detail=split)


def learn(
    config: TrainingConfig, paths: Paths, start: Path | None, resume: bool, minutes: float,
    threads: int, device: str, tensorboard: bool,
) -> None:  # fmt: skip
    """Train with a bar in samples."""
    import torch

    from damage_perception.learning.training.patches import Patches
    from damage_perception.learning.training.run import (
        CHECKPOINT,
        choose_device,
        read_split,
        train,
        training_views,
    )
    from damage_perception.learning.training.training import Training
    from damage_perception.network.weights import Manifest

    torch.set_num_threads(threads)
    patches = Patches(training_views(config, paths), config.patch, config.seed)
    training = Training(config, patches, choose_device(device))
    if resume:
        training.load(paths.out / CHECKPOINT)
    elif start is not None:
        training.begin_with(start)
    manifest = Manifest({}, this_command(), source_commit())
    writer = _events(paths.out) if tensorboard else None
    with _bar('learning', config.samples) as (progress, task):

        def watch(now: Training, loss: float) -> None:
            auroc = f'auroc {now.curve[-1]["auroc_major"]:.3f}' if now.curve else ''
            progress.update(task, completed=now.samples, detail=f'loss {loss:.3f} {auroc}')
            if writer is not None:
                writer.add_scalar('loss', loss, now.samples)
                for name, value in now.curve[-1].items() if now.curve else ():
                    if name not in ('samples', 'loss', 'alarms'):
                        writer.add_scalar(name, value, now.curve[-1]['samples'])

        train(training, read_split(config, paths, 'shifted_val'), paths, manifest, minutes, watch)
    if writer is not None:
        writer.close()


def _events(out: Path) -> Any:
    if find_spec('tensorboard') is None:
        raise UserError('--tensorboard needs tensorboard: pip install -r requirements/train.txt')
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(out / 'events'))


def this_command() -> str:
    """Give the command that is running, as a manifest tells it."""
    return ' '.join(['damage-perception', *sys.argv[1:]])


def source_commit() -> str:
    """Give the commit of the source; empty outside a checkout."""
    here = Path(__file__).resolve().parent
    try:
        said = subprocess.run(
            ['git', 'rev-parse', 'HEAD'], cwd=here, capture_output=True, text=True, check=False
        )
    except OSError:
        return ''
    return said.stdout.strip()


def print_result(result: dict[str, Any], out: Path) -> None:
    """Print what each part and all together reach."""
    from damage_perception.learning.training.result import REPORTED

    table = Table('split', 'by', 'AUROC major', 'AUROC any', 'recall at 1 % major', 'any')
    for split in REPORTED:
        for name, found in result[split].items():
            if isinstance(found, dict) and 'auroc_major' in found:
                cells = ('auroc_major', 'auroc_any', 'recall_at_1pct_major', 'recall_at_1pct_any')
                table.add_row(split, name, *(f'{found[cell]:.3f}' for cell in cells))
    Console().print(table)
    Console().print(f'weights: {out / "weights"}, curve and figures: {out / "result.json"}, '
                    f'worst views: {out / "worst"}', highlight=False)  # fmt: skip
