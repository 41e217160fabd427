"""What a training does: one YAML file, checked when read."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from damage_perception.errors import CallError
from damage_perception.learning.training.view_store import ViewSet


@dataclass(frozen=True)
class TrainingConfig:
    """Amounts are counted in items (rendered views) and samples (patches seen).

    Attributes:
        seed: of the engine, of the order of patches and of the first weights.
        train_items: items to learn from that come without a reference.
        pair_items: items to learn from that come with a reference.
        rare_items: items to learn from that come with a reference, and are packs that lack a unit
            or items with a spill where they are damaged.
        pair_repeats: times that both count, so that references are learned from often enough.
        evidence_items: items that the evidence is fitted on.
        validation_items: items that choose the weights.
        test_items: items of each test split; all that are held out come with a reference.
        fused: share of items that are seen in several frames.
        patch: side of a patch, pixels.
        batch: patches of a step.
        samples: patches of the whole training.
        warm_up: samples until the learning rate is reached.
        learning_rate, weight_decay: of AdamW.
        ema_samples: half-life of the averaged weights, samples.
        validate_every: samples between two looks at the validation split.
        checkpoint_minutes: minutes between two checkpoints.
    """

    seed: int = 1
    train_items: int = 52_672
    pair_items: int = 4096
    rare_items: int = 2048
    pair_repeats: int = 5
    evidence_items: int = 5440
    validation_items: int = 1000
    test_items: int = 1000
    fused: float = 0.2
    patch: int = 96
    batch: int = 32
    samples: int = 2_470_016
    warm_up: int = 5000
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    ema_samples: int = 6000
    validate_every: int = 50_000
    checkpoint_minutes: float = 3.0

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            whole = item.type == 'int'
            good = isinstance(value, int) if whole else isinstance(value, (int, float))
            if not good or isinstance(value, bool) or value < 0:
                kind = 'whole number' if whole else 'number'
                raise CallError(f'{item.name} must be a {kind} of at least 0, got {value!r}')
        for name in ('train_items', 'pair_repeats', 'evidence_items', 'validation_items',
                     'test_items', 'batch', 'samples', 'validate_every',
                     'ema_samples'):  # fmt: skip
            if getattr(self, name) < 1:
                raise CallError(f'{name} must be at least 1, got {getattr(self, name)}')
        if self.patch % 16 or self.patch < 64:
            raise CallError(f'patch must be a multiple of 16 from 64 on, got {self.patch}')
        if self.fused > 1.0:
            raise CallError(f'fused must lie in [0, 1], got {self.fused}')

    def view_sets(self, cache: Path) -> dict[str, tuple[ViewSet, int]]:
        """Give what is rendered: name of the split -> views and number of items."""
        seed, fused = self.seed, self.fused
        held = {'shifted_val': ('shifted', self.validation_items),
                'val': ('standard', self.evidence_items),
                'test': ('standard', self.test_items),
                'shifted_test': ('shifted', self.test_items)}  # fmt: skip
        alone = ViewSet(cache / 'train', 'standard', 'train', seed, 0.0, fused)
        # Other products than those seen alone: another seed draws them.
        pairs = ViewSet(cache / 'train_pairs', 'standard', 'train', seed + 1, 1.0, fused)
        rare = ViewSet(cache / 'train_rare', 'standard', 'train', seed + 2, 1.0, fused, rare=True)
        return {
            'train': (alone, self.train_items),
            'train_pairs': (pairs, self.pair_items),
            'train_rare': (rare, self.rare_items),
        } | {
            name: (ViewSet(cache / name, style, name, seed, 1.0, fused), items)
            for name, (style, items) in held.items()
        }


def read_config(path: Path | None, **changes: Any) -> TrainingConfig:
    """Read a YAML file of the attributes above and change those that are not None.

    Raises:
        CallError: naming the file and the setting that cannot be used.
    """
    values: Any = {}
    if path is not None:
        try:
            values = yaml.safe_load(path.read_text(encoding='utf-8')) or {}
        except OSError as error:
            raise CallError(f'{path} cannot be read ({error.strerror}); check the path') from None
        except (yaml.YAMLError, UnicodeDecodeError):
            raise CallError(f'{path} is not whole YAML; mend it') from None
        if not isinstance(values, dict):
            raise CallError(f'{path} must hold settings by name, got {type(values).__name__}')
    known = {item.name for item in dataclasses.fields(TrainingConfig)}
    unknown = sorted(str(name) for name in values if name not in known)
    if unknown:
        names = ', '.join(sorted(known))
        raise CallError(f'{path}: unknown setting {unknown[0]}; known are {names}')
    return TrainingConfig(**{**values, **{k: v for k, v in changes.items() if v is not None}})
