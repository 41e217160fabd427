"""Pictures of many products, items and references, rendered once and kept on disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.training.training_view import as_found
from damage_perception.learning.training.view_store import engine_digest
from damage_perception.perception.identification.picture import (
    INPUT_VERSION,
    ItemPicture,
    picture_of,
)
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.records import write_whole
from damage_perception.synthesis.render import render_reference, render_sample
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.views import labelled_view

SHARD = 125  # products of a file


@dataclass(frozen=True)
class ProductSet:
    """Which products to render, and how often; references are sound, half of the items damaged."""

    style: str
    seed: int
    products: int
    items: int = 1
    references: int = 3

    @property
    def spec(self) -> SynthesisSpec:
        """What the engine is asked for."""
        return SynthesisSpec(
            style=self.style, copies=self.items, bad_references=0.0, old_references=0.0
        )

    def folder(self, cache: Path) -> Path:
        """Give where its pictures lie."""
        return cache / f'{self.style}-{self.seed}-{self.items}-{self.references}'


@dataclass(frozen=True, eq=False)
class ProductPictures:
    """Pictures and what is true of them, one of each a picture.

    Attributes:
        number: (N,) the product.
        reference: (N,) bool, a sound reference; else an item.
        sku, tags, damages: (N,) str; tags and kinds of damage joined by `|`.
        pictures: the pictures.
    """

    number: NDArray[np.int64]
    reference: NDArray[np.bool_]
    sku: NDArray[np.str_]
    tags: NDArray[np.str_]
    damages: NDArray[np.str_]
    pictures: list[ItemPicture]


def render_pictures(wanted: ProductSet, cache: Path) -> Iterator[int]:
    """Render what is missing; yield the number of products after each file.

    Raises:
        UserError: if the folder cannot be used, or holds pictures of another engine.
    """
    folder = wanted.folder(cache)
    _claim(folder, wanted)
    for first in range(0, wanted.products, SHARD):
        path = folder / f'{first:05d}.npz'
        if not path.is_file():
            _render_shard(wanted, first, path)
        yield min(first + SHARD, wanted.products)


def read_pictures(wanted: ProductSet, cache: Path) -> ProductPictures:
    """Read what was rendered."""
    parts = []
    for first in range(0, wanted.products, SHARD):
        with np.load(wanted.folder(cache) / f'{first:05d}.npz', allow_pickle=False) as file:
            parts.append({name: file[name] for name in file.files})
    all_of = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    kept = all_of['number'] < wanted.products
    arrays = {name: values[kept] for name, values in all_of.items()}
    pictures = [
        ItemPicture(*one)
        for one in zip(
            *(arrays[name] for name in ('rgb', 'cover', 'height_m', 'sizes_m')), strict=True
        )
    ]
    return ProductPictures(
        arrays['number'], arrays['reference'], arrays['sku'], arrays['tags'], arrays['damages'],
        pictures,
    )  # fmt: skip


def _render_shard(wanted: ProductSet, first: int, path: Path) -> None:
    rows = [row for number in range(first, first + SHARD) for row in _rows(wanted, number)]
    facts = dict(zip(('number', 'reference', 'sku', 'tags', 'damages'),
                     (np.array(column) for column in zip(*(row[0] for row in rows), strict=True)),
                     strict=True))  # fmt: skip
    names = ('rgb', 'cover', 'height_m', 'sizes_m')
    arrays = {name: np.stack([getattr(row[1], name) for row in rows]) for name in names}
    part = path.with_suffix('.part.npz')
    columns: dict[str, Any] = {**facts, **arrays}
    np.savez(part, **columns)
    part.replace(path)


def _rows(wanted: ProductSet, number: int) -> Iterator[tuple[tuple[object, ...], ItemPicture]]:
    """Render a product's items, then its references; one that is hardly seen is left out."""
    samples = [
        render_sample(wanted.spec, wanted.seed, number * wanted.items + copy, references=0)
        for copy in range(wanted.items)
    ]
    samples += [
        render_reference(wanted.spec, wanted.seed, number, k) for k in range(wanted.references)
    ]
    for place, sample in enumerate(samples):
        reference = place >= wanted.items
        copy = place - wanted.items if reference else place
        rng = stream(wanted.seed, 0x10C5, number, int(reference), copy)
        found = labelled_view(as_found(sample, rng))
        picture = picture_of(found.view) if found is not None else None
        if picture is not None:
            yield (number, reference, sample.sku, '|'.join(sample.tags), _damages(sample)), picture


def _damages(sample: Sample) -> str:
    return '|'.join(damage.truth.kind for damage in sample.damages)


def _claim(folder: Path, wanted: ProductSet) -> None:
    """Write what the folder holds, or check that it holds just that."""
    said = {**asdict(wanted), 'products': 0, 'input_version': INPUT_VERSION,
            'engine': engine_digest()}  # fmt: skip
    path = folder / 'pictures.json'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = json.loads(path.read_text(encoding='utf-8')) if path.is_file() else None
    except (OSError, ValueError) as error:
        raise UserError(f'{folder} cannot be used ({error}); give another cache') from None
    if there is None:
        write_whole(path, json.dumps(said).encode())
    elif there != said:
        raise UserError(f'{folder} holds pictures of another engine; give another cache')
