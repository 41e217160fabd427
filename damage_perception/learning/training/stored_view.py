"""A view as bytes: channels in steps of a fraction of the noise, labels last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.training.training_view import TrainingView
from damage_perception.network.inputs import CHANNELS, REFERENCE

_STEP = np.float32(1 / 20)  # of a stored value; noise has deviation 1
_ZERO = 128


@dataclass(frozen=True, eq=False)
class StoredView:
    """A view of a shard; `data` (C + 1, H, W) uint8 is mapped from disk, labels last."""

    data: NDArray[np.uint8]
    facts: dict[str, Any]

    @property
    def labels(self) -> NDArray[np.uint8]:
        """(H, W) uint8 DamageType."""
        return self.data[-1]

    def channels(self) -> NDArray[np.float32]:
        """Give the channels of the whole view, (C, H, W) float32."""
        return decode(self.data[:-1])

    @property
    def damaged(self) -> bool:
        """Whether any damage is seen."""
        return bool(self.facts['damages'])

    @property
    def major(self) -> bool:
        """Whether major damage is seen."""
        return any(damage['major'] for damage in self.facts['damages'])


def encode(view: TrainingView) -> NDArray[np.uint8]:
    """Store channels in steps of a twentieth of a deviation; empty references take no room."""
    channels = view.channels if view.facts['reference'] else view.channels[: REFERENCE.start]
    stored = np.clip(np.rint(channels / _STEP) + _ZERO, 0, 255).astype(np.uint8)
    return np.concatenate([stored, view.labels[None]])


def decode(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give (len(CHANNELS), h, w) float32 of stored channels."""
    out = np.zeros((len(CHANNELS), *stored.shape[1:]), np.float32)
    out[: len(stored)] = (stored.astype(np.float32) - np.float32(_ZERO)) * _STEP
    return out
