"""Checkpoints: tensors as safetensors, the rest as JSON; nothing in them can run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from damage_perception.errors import UserError
from damage_perception.learning.training.config import TrainingConfig
from damage_perception.network.inputs import INPUT_VERSION
from damage_perception.network.weights import sha256
from damage_perception.synthesis.records import write_whole

STATE = 'state.json'
_FREE = ('samples', 'checkpoint_minutes', 'validate_every', 'evidence_items',
         'validation_items', 'test_items')  # fmt: skip


def write_checkpoint(
    folder: Path,
    tensors: dict[str, Tensor],
    samples: int,
    notes: dict[str, Any],
    config: TrainingConfig,
) -> None:
    """Write a checkpoint; the one before goes only when this one is whole."""
    folder.mkdir(parents=True, exist_ok=True)
    data = save({name: value.contiguous().cpu() for name, value in tensors.items()})
    name = f'state-{samples:09d}.safetensors'
    write_whole(folder / name, data)
    state = {'tensors': name, 'sha256': sha256(data), 'samples': samples, 'notes': notes,
             'config': asdict(config), 'input_version': INPUT_VERSION}  # fmt: skip
    write_whole(folder / STATE, json.dumps(state, indent=1).encode())
    for path in folder.glob('state-*.safetensors'):
        if path.name != name:
            path.unlink()


def read_checkpoint(
    folder: Path, config: TrainingConfig
) -> tuple[dict[str, Tensor], int, dict[str, Any]]:
    """Read tensors, samples seen and what was noted with them.

    Raises:
        UserError: if it is missing, not whole, or of a training with other settings.
    """
    try:
        state = json.loads((folder / STATE).read_text())
        data = (folder / Path(state['tensors']).name).read_bytes()
        theirs, samples, notes = state['config'], int(state['samples']), dict(state['notes'])
        whole, version = sha256(data) == state['sha256'], state['input_version']
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f'{folder} holds no whole checkpoint; start without --resume') from None
    if not whole:
        raise UserError(f'{folder} holds an altered checkpoint; start without --resume')
    mine = asdict(config)
    other = [name for name in mine if name not in _FREE and theirs.get(name) != mine[name]]
    if other or version != INPUT_VERSION:
        what = other[0] if other else 'input version'
        raise UserError(f'{folder} is a checkpoint of another {what}; give that or start anew')
    try:
        return load(data), samples, notes
    except SafetensorError:
        raise UserError(f'{folder} holds no whole checkpoint; start without --resume') from None
