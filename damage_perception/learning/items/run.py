"""One run from rendered pictures to the trees that are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from safetensors.numpy import save

from damage_perception.errors import UserError
from damage_perception.learning.items.fit import Seen, fit_joins
from damage_perception.learning.items.pairs_seen import cut_sample, pairs_seen
from damage_perception.learning.processes import each_in_order
from damage_perception.learning.shipped_file import write_shipped
from damage_perception.network.weights import sha256
from damage_perception.perception.items.join_model import (
    MANIFEST,
    TENSORS,
    JoinManifest,
    JoinModel,
    read_joins,
)
from damage_perception.settings import Settings
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.products import FAMILIES
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec

# Every picture another product, among others that must not be joined with it; many sets, which
# must be.
_SPEC = SynthesisSpec(
    families=(*FAMILIES, 'multi_pack', 'multi_pack'), neighbours=0.6, crowded=0.5, copies=1
)


def render_pictures(items: int, seed: int, workers: int) -> Iterator[Seen]:
    """Render items and cut their pictures into pieces; yield what each picture shows."""
    look = partial(_look, seed)
    if workers == 1:
        yield from map(look, range(items))
        return
    yield from each_in_order(look, range(items), workers, chunk=16)


def _look(seed: int, index: int) -> Seen:
    sample = render_sample(_SPEC, seed, index, references=0)
    cut = cut_sample(sample, Settings())
    if cut is None:
        return Seen((), ())
    return Seen(*pairs_seen(sample, cut, stream(seed, 0x3015, index)))


def train_joins(pictures: list[Seen], folder: Path, manifest: JoinManifest) -> JoinModel:
    """Grow the trees, write them with their manifest and load them as a program would.

    Raises:
        UserError: if the pictures show too little or the folder cannot be written.
    """
    kinds = {value for seen in pictures for value in seen.same}
    if kinds != {True, False}:
        raise UserError(f'{len(pictures)} items show no pieces to learn from; ask for more --items')
    names, least, trees = fit_joins(pictures, manifest.seed)
    content = save(trees.tensors())
    whole = replace(manifest, sha256=sha256(content), features=names, least=least)
    write_shipped(folder / TENSORS, content, folder / MANIFEST, whole.to_json())
    return read_joins(folder)
