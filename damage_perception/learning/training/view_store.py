"""Rendered views on disk: shards of bytes that are mapped into memory, an index beside each.

A shard depends on (spec, seed, number) alone, so an interrupted rendering goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import cv2
import numpy as np

import damage_perception.synthesis
from damage_perception.errors import UserError
from damage_perception.learning.processes import each_in_order
from damage_perception.learning.training.anchors import find_anchors
from damage_perception.learning.training.stored_view import StoredView, encode
from damage_perception.learning.training.training_view import training_view
from damage_perception.network.inputs import INPUT_VERSION
from damage_perception.network.weights import sha256
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.products import FAMILIES
from damage_perception.synthesis.records import write_whole
from damage_perception.synthesis.render import render_sample, split_of
from damage_perception.synthesis.spec import SynthesisSpec

SHARD = 32  # items of a shard
_MOST_SHOTS = 6  # of a track
_RARE_DAMAGES = ('missing_unit', 'spill')
_RARE_FAMILIES = (*FAMILIES, *(('blister', 'multi_pack') * 3))  # more than a third are packs


@dataclass(frozen=True)
class ViewSet:
    """What to render: items of one style whose product is of one split.

    Attributes:
        folder: where the shards lie.
        style: standard or shifted.
        split: train, val, test, shifted_val or shifted_test.
        seed: seed of the engine.
        references: share of items that are rendered with a reference.
        fused: share of items that are seen in several frames, as along a track.
        copies: items of each product.
        rare: whether to show what is rare and hard: packs that lack a unit, spills.
    """

    folder: Path
    style: str
    split: str
    seed: int
    references: float = 0.0
    fused: float = 0.0
    copies: int = 2
    rare: bool = False

    @property
    def spec(self) -> SynthesisSpec:
        """What the engine is asked for."""
        spec = SynthesisSpec(style=self.style, copies=self.copies)
        return replace(spec, families=_RARE_FAMILIES, damages=_RARE_DAMAGES) if self.rare else spec

    def indices(self, shard: int) -> list[int]:
        """Give the engine's numbers of the items of a shard."""
        return _indices(self.spec, self.seed, self.split, shard)

    def path(self, shard: int) -> Path:
        """Give the index file of a shard; its bytes lie beside it."""
        return self.folder / f'{shard:05d}.json'


@lru_cache(maxsize=64)
def _indices(spec: SynthesisSpec, seed: int, split: str, shard: int) -> list[int]:
    """Skip products of other splits; shards before this one are counted, not rendered."""
    products, number = (shard + 1) * SHARD // spec.copies, 0
    numbers: list[int] = []
    while len(numbers) < products:
        if split_of(spec, seed, number) == split:
            numbers.append(number)
        number += 1
    mine = numbers[shard * SHARD // spec.copies :]
    return [number * spec.copies + copy for number in mine for copy in range(spec.copies)]


def render_shard(views: ViewSet, shard: int) -> int:
    """Render one shard and write it whole; return the number of views."""
    blobs, entries, offset = [], [], 0
    for index in views.indices(shard):
        rng = stream(views.seed, 0x91E3, index)
        references = int(rng.random() < views.references)
        shots = int(rng.integers(2, _MOST_SHOTS + 1)) if rng.random() < views.fused else 1
        sample = render_sample(views.spec, views.seed, index, references, shots)
        view = training_view(sample, rng)
        if view is None:
            continue
        data = encode(view)
        facts = {**view.facts, 'anchors': find_anchors(view, rng)}
        entries.append({'offset': offset, 'shape': list(data.shape), 'facts': facts})
        blobs.append(data.tobytes())
        offset += data.size
    path = views.path(shard)
    write_whole(path.with_suffix('.bin'), b''.join(blobs))
    write_whole(path, json.dumps(entries).encode())
    return len(entries)


def render(views: ViewSet, items: int, workers: int = 1) -> Iterator[int]:
    """Render what is missing of `items`; yield the number of views after each shard.

    Raises:
        UserError: if the folder holds views of other settings or the disk takes no more.
    """
    _claim(views)
    missing = [n for n in range(-(-items // SHARD)) if not views.path(n).is_file()]
    if workers == 1:
        cv2.setNumThreads(1)
        for shard in missing:
            yield render_shard(views, shard)
        return
    yield from each_in_order(partial(render_shard, views), missing, workers)


def engine_digest() -> str:
    """Give a digest of the engine's source: other code renders other views of the same seed."""
    folder = Path(damage_perception.synthesis.__file__).parent
    return sha256(b''.join(path.read_bytes() for path in sorted(folder.glob('*.py'))))[:16]


def _claim(views: ViewSet) -> None:
    """Write what the folder holds, or check that it holds just that."""
    wanted = {'input_version': INPUT_VERSION, **asdict(views), 'folder': '', 'shard': SHARD,
              'engine': engine_digest()}  # fmt: skip
    path = views.folder / 'views.settings'
    try:
        views.folder.mkdir(parents=True, exist_ok=True)
        there = json.loads(path.read_text()) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise UserError(f'{views.folder} cannot be used ({error}); give another folder') from None
    if there is None:
        write_whole(path, json.dumps(wanted).encode())
    elif there != wanted:
        raise UserError(
            f'{views.folder} holds views of other settings or of another engine; '
            'give another cache folder'
        )


def read_views(views: ViewSet, items: int) -> list[StoredView]:
    """Map the views of the first `items` items that were rendered."""
    found = []
    for shard in range(-(-items // SHARD)):
        path = views.path(shard)
        entries = json.loads(path.read_text()) if path.is_file() else []
        if not entries:
            continue
        data = np.memmap(path.with_suffix('.bin'), np.uint8, 'r')
        for entry in entries:
            shape, start = entry['shape'], entry['offset']
            end = start + int(np.prod(shape))
            found.append(StoredView(data[start:end].reshape(shape), entry['facts']))
    return found
