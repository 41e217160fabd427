"""The learnt trees that tell how likely two pieces are parts of one item, and their files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

import damage_perception
from damage_perception.errors import UserError
from damage_perception.network.boosted_trees import BoostedTrees
from damage_perception.network.checked_file import read_checked_file, read_checked_manifest

FORMAT = 'damage_perception/joins 1'
MANIFEST, TENSORS = 'manifest.json', 'joins.safetensors'
_MEND = 'install the package again, or make the file with `train-joins`'


@dataclass(frozen=True)
class JoinManifest:
    """How the trees came to be.

    Attributes:
        sha256: what their file must hash to.
        features: what they ask for, in order.
        least: logit from which two pieces are joined.
        command, commit, engine, seed, items: how they were made; `engine` is a digest of its
            source.
    """

    sha256: str
    features: tuple[str, ...]
    least: float
    command: str = ''
    commit: str = ''
    engine: str = ''
    seed: int = 0
    items: int = 0
    format: str = FORMAT

    def to_json(self) -> bytes:
        """Give the text of the file."""
        return json.dumps(asdict(self), indent=1).encode()


class JoinModel:
    """The trees.

    Attributes:
        features: what they ask for, in order.
        least: logit from which two pieces are joined.
    """

    def __init__(self, features: tuple[str, ...], least: float, trees: BoostedTrees) -> None:
        self.features, self.least, self._trees = features, least, trees

    def logits(self, rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
        """Give the logit that two pieces are parts of one item, (N,); an unknown value is NaN."""
        values = [[row.get(name, math.nan) for name in self.features] for row in rows]
        return self._trees.logits(np.array(values, np.float32).reshape(len(rows), -1))


@lru_cache(maxsize=1)
def shipped_joins() -> JoinModel:
    """Load the trees that ship with the package."""
    return read_joins(Path(damage_perception.__file__).parent / 'data' / 'items')


def read_joins(folder: Path) -> JoinModel:
    """Read trees and check them against their manifest.

    Raises:
        UserError: in one sentence, if they are missing, foreign, truncated or altered.
    """
    manifest = _read_manifest(folder / MANIFEST)
    path = folder / TENSORS
    data = read_checked_file(path, manifest.sha256, _MEND)
    try:
        trees = BoostedTrees(**load(data))
        model = JoinModel(manifest.features, manifest.least, trees)
        finite = bool(np.isfinite(model.logits([{}])).all())
    except (SafetensorError, TypeError, ValueError):
        finite = False
    if not finite:
        raise UserError(f'{path} holds no trees that fit this program; {_MEND}')
    return model


def _read_manifest(path: Path) -> JoinManifest:
    values = read_checked_manifest(path, {'format': FORMAT}, _MEND)
    features, least = values.get('features'), values.get('least')
    names = isinstance(features, list) and all(isinstance(name, str) for name in features)
    if not names or not isinstance(least, float):
        raise UserError(f'{path} does not say what its trees ask for; {_MEND}')
    return JoinManifest(values['sha256'], tuple(features or ()), least)
