"""Render item number so-and-so of a data set: its product, its split, its references."""

from __future__ import annotations

from dataclasses import replace

from damage_perception.synthesis.compose import render_product
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.products import Product, make_product
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec

_ATTEMPTS = 5
_FEWEST_ITEM_PIXELS = 600


def product_of(spec: SynthesisSpec, seed: int, index: int) -> tuple[int, Product]:
    """Give the number and the product of an item."""
    number = index // spec.copies
    return number, make_product(seed, number, spec.style, spec.families)


def split_of(spec: SynthesisSpec, seed: int, number: int) -> str:
    """Give the split of a product: 80 / 10 / 10 %, or the two halves of the shifted family."""
    draw = stream(seed, 0x5417, number).random()
    if spec.style == 'shifted':
        return 'shifted_val' if draw < 0.5 else 'shifted_test'
    return 'train' if draw < 0.8 else 'val' if draw < 0.9 else 'test'


def render_sample(
    spec: SynthesisSpec, seed: int, index: int, references: int = 1, shots: int = 1
) -> Sample:
    """Render item `index` of the data set `seed`; the same arguments give the same bytes.

    Args:
        spec: what to synthesise.
        seed: seed of the data set.
        index: number of the item.
        references: views of the sound product to add, at most.
        shots: pictures of the scene, as a track gathers them; all but the first are in `more`.
    """
    number, product = product_of(spec, seed, index)
    wanted = stream(seed, 0xDA4A, index).random() < spec.damaged
    for attempt in range(_ATTEMPTS):
        rng = stream(seed, 0x17E4, index, attempt)
        sample = render_product(spec, product, rng, wanted, shots=shots)
        seen = int(sample.item_mask.sum()) >= _FEWEST_ITEM_PIXELS
        if seen and (not wanted or sample.damages):
            break
    split = split_of(spec, seed, number)
    views = tuple(render_reference(spec, seed, number, k) for k in range(references))
    return _named(sample, f'{product.sku}-{index:07d}', split, views)


def render_reference(spec: SynthesisSpec, seed: int, number: int, k: int) -> Sample:
    """Render reference view `k` of product `number`; a stated share is damaged or outdated."""
    product = make_product(seed, number, spec.style, spec.families)
    flaw = stream(seed, 0xF1A3, number).random()
    bad, old = flaw < spec.bad_references, 1 - flaw < spec.old_references
    rng = stream(seed, 0x2EF5, number, k)
    shown = product.redesigned() if old else product
    sample = render_product(spec, shown, rng, bad, plain=True)
    tags = ('reference:damaged',) * bool(sample.damages) + ('reference:old_design',) * old
    split = split_of(spec, seed, number)
    return _named(sample, f'{product.sku}-r{k}', split, (), tags)


def _named(
    sample: Sample, item_id: str, split: str, references: tuple[Sample, ...],
    tags: tuple[str, ...] = (),
) -> Sample:  # fmt: skip
    return replace(sample, item_id=item_id, split=split, references=references,
                   tags=sample.tags + tags)  # fmt: skip
