"""What the network says: the meaning of its maps and scores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.report import DamageType

TYPES = (
    DamageType.CRUSH,
    DamageType.TEAR,
    DamageType.HOLE,
    DamageType.DECONSTRUCTION,
    DamageType.SPILL,
    DamageType.MISSING_UNIT,
)
CLASSES = ('none', *(kind.name.lower() for kind in TYPES))  # of the maps
SCORES = (*(kind.name.lower() for kind in TYPES), 'any')  # of the items
ANY = len(SCORES) - 1
STRIDE = 2  # pixels of the view per pixel of the maps


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """What the network says about a batch of views.

    Attributes:
        maps: (N, len(CLASSES), H / STRIDE, W / STRIDE) float32 logits of a softmax.
        scores: (N, len(SCORES)) float32 logits, each of its own.
    """

    maps: NDArray[np.float32]
    scores: NDArray[np.float32]


def damage_probability(maps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Give P(any damage) of each pixel: 1 - softmax of `none`, (N, h, w)."""
    odds = np.exp(np.clip(maps[:, 1:] - maps[:, :1], -30.0, 30.0)).sum(axis=1)
    return np.asarray(odds / (1.0 + odds), np.float32)
