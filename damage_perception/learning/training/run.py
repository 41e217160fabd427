"""One training from nothing to weights: render, learn, choose."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from damage_perception.learning.training.config import TrainingConfig
from damage_perception.learning.training.mining import MOST, mine
from damage_perception.learning.training.network_evaluation import Truth, measure, network_scores
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.learning.training.training import Training, pays_bf16
from damage_perception.learning.training.view_store import read_views, render
from damage_perception.network.backends.torch_backend import TorchBackend
from damage_perception.network.export import write_tensors
from damage_perception.network.weights import MANIFEST, Manifest
from damage_perception.synthesis.records import write_whole

BEST, CHECKPOINT, WEIGHTS = 'best', 'checkpoint', 'weights'
CURVE, RESULT = 'curve.json', 'result.json'
Watch = Callable[[Training, float], None]


@dataclass(frozen=True)
class Paths:
    """Where a training lives: what it writes, and the views it renders."""

    out: Path
    cache: Path


def render_views(config: TrainingConfig, paths: Paths, workers: int) -> Any:
    """Render what is missing of all splits; yield the name of the split after each shard."""
    for name, (views, items) in config.view_sets(paths.cache).items():
        for _ in render(views, items, workers):
            yield name


def read_split(config: TrainingConfig, paths: Paths, name: str) -> list[StoredView]:
    """Map the views of one split."""
    views, items = config.view_sets(paths.cache)[name]
    return read_views(views, items)


def training_views(config: TrainingConfig, paths: Paths) -> list[StoredView]:
    """Map the views to learn from, those with a reference as many times as they count."""
    paired = [view for name in ('train_pairs', 'train_rare')
              for view in read_split(config, paths, name)]  # fmt: skip
    return read_split(config, paths, 'train') + config.pair_repeats * paired


def train(
    training: Training,
    validation: Sequence[StoredView],
    paths: Paths,
    manifest: Manifest,
    minutes: float,
    watch: Watch,
) -> None:
    """Learn until all samples were seen or the minutes are over.

    Which weights are best is chosen on `validation` alone, the shifted validation split.

    Args:
        training: where it goes on.
        validation: views of shifted products.
        paths: where to write.
        manifest: how the weights come to be.
        minutes: stop after so many; 0 = when done.
        watch: called after each step with its loss.
    """
    config = training.config
    paths.out.mkdir(parents=True, exist_ok=True)
    start = saved = time.monotonic()
    while not training.done and not (minutes and time.monotonic() - start > 60 * minutes):
        due = (training.samples + config.batch) // config.validate_every
        loss = training.step()
        watch(training, loss)
        if due > (training.samples - config.batch) // config.validate_every:
            _validate(training, validation, paths, manifest, loss)
            saved = 0.0
        if time.monotonic() - saved > 60 * config.checkpoint_minutes:
            training.save(paths.out / CHECKPOINT)
            saved = time.monotonic()
    if not training.curve or training.curve[-1]['samples'] != training.samples:
        _validate(training, validation, paths, manifest, float('nan'))
    training.save(paths.out / CHECKPOINT)


def _validate(
    training: Training,
    validation: Sequence[StoredView],
    paths: Paths,
    manifest: Manifest,
    loss: float,
) -> None:
    """Measure the weights, note it in the curve, keep them if they are the best.

    The curve holds the same on views that were trained on: far above the validation split, more
    data helps; near it and low, a larger network or more time does. What the network takes for
    damage on sound places of some training views is learned from next.
    """
    network = training.candidate()
    judge = TorchBackend(network, 'bf16' if pays_bf16(training.device) else 'fp32',
                         training.device.type).predict  # fmt: skip
    found = measure(Truth.of(validation), network_scores(validation, judge), intervals=False)
    views, config = training.patches.views, training.config
    mined = mine(views, judge, len(validation), config.seed, len(training.curve))
    training.patches.alarms = (mined.places + training.patches.alarms)[:MOST]
    known = views[: len(validation) // 2]
    on_known = measure(Truth.of(known), network_scores(known, judge), intervals=False)
    found |= {f'train_{name}': on_known[name] for name in ('auroc_major', 'auroc_any')}
    point = {'samples': training.samples, 'loss': None if loss != loss else round(loss, 4),
             **{name: round(value, 4) for name, value in found.items()},
             'alarms': mined.names}  # fmt: skip
    best = max((_merit(entry) for entry in training.curve), default=-1.0)
    training.curve.append(point)
    write_whole(paths.out / CURVE, json.dumps(training.curve, indent=1).encode())
    if _merit(point) > best or not (paths.out / BEST / MANIFEST).is_file():
        chosen = Manifest({}, manifest.command, manifest.commit, config.seed,
                          training.before + training.samples)  # fmt: skip
        write_tensors(network, paths.out / BEST, chosen)


def _merit(point: dict[str, Any]) -> float:
    """Rank checkpoints by AUROC and by recall at few false alarms alike."""
    value = point['auroc_major'] + point['recall_at_1pct_major']
    return float(value) if value == value else -1.0


def choose_device(name: str) -> str:
    """Give `cuda` or `cpu`; `auto` takes CUDA where there is one."""
    if name == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    return name
