"""The contact sheets of docs/synthesis.md: `python -m damage_perception.synthesis.doc_pictures`."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.compose import render_product
from damage_perception.synthesis.contact_sheet import sample_tile, sheet
from damage_perception.synthesis.damage import DAMAGE_NAMES
from damage_perception.synthesis.lookalikes import LOOKALIKES
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.products import FAMILIES, make_product
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec

Image = NDArray[np.uint8]

_PLAIN = SynthesisSpec(damaged=0.0, neighbours=0.0, oddities=0.0, oblique=0.15, truncated=0.0)
_ODDITIES = ('tape', 'sticker', 'strap', 'dust', 'scuffs', 'writing', 'handle', 'embossing',
             'film', 'rail', 'neighbour_touching', 'neighbour_on_top')  # fmt: skip


def damages(name: str, count: int, seed: int) -> list[Image]:
    """Tiles of one kind of damage."""
    spec = replace(_PLAIN, damaged=1.0, damages=(name,), several=0.0, copies=1, oddities=0.1)
    tiles: list[Image] = []
    index = 0
    while len(tiles) < count:
        sample = render_sample(spec, seed, index, 0)
        index += 1
        if sample.damages:
            tiles.append(sample_tile(sample))
    return tiles


def lookalikes(count: int, seed: int) -> list[Image]:
    """Tiles of sound items with prints that look like damage, `count` of each."""
    families = ('retail_carton', 'retail_carton', 'powder_bag', 'bottle', 'blister')
    tiles = []
    for number, name in enumerate(LOOKALIKES):
        for k in range(count):
            family = families[(number + k) % len(families)]
            product = replace(make_product(seed, 10 * number + k, families=(family,)),
                              lookalike=name)  # fmt: skip
            tiles.append(sample_tile(render_product(_PLAIN, product, stream(seed, number, k))))
    return tiles


def oddities(seed: int) -> list[Image]:
    """One tile of a sound item with each harmless oddity."""
    spec = replace(_PLAIN, oddities=0.6, neighbours=0.5, copies=1)
    waiting, tiles, index = list(_ODDITIES), [], 0
    while waiting and index < 400:
        sample = render_sample(spec, seed, index, 0)
        index += 1
        found = [name for name in waiting if f'oddity:{name}' in sample.tags]
        if found:
            waiting.remove(found[0])
            caption = replace(sample, tags=(f'family:{found[0]}', *sample.tags[-1:]))
            tiles.append(sample_tile(caption))
    return tiles


def families(count: int, seed: int) -> list[Image]:
    """Tiles of sound items of each family."""
    return [
        sample_tile(render_product(_PLAIN, make_product(seed, k, families=(family,)),
                                   stream(seed, number, k)))
        for number, family in enumerate(FAMILIES)
        for k in range(count)
    ]  # fmt: skip


def main() -> None:
    """Write the sheets as JPEG."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, default=Path('docs/synthesis'))
    parser.add_argument('--seed', type=int, default=12)
    call = parser.parse_args()
    call.out.mkdir(parents=True, exist_ok=True)
    pictures = {name: sheet(damages(name, 7, call.seed), 7) for name in DAMAGE_NAMES}
    pictures['lookalikes'] = sheet(lookalikes(2, call.seed), 8)
    pictures['oddities'] = sheet(oddities(call.seed), 6)
    pictures['families'] = sheet(families(2, call.seed), 11)
    for name, image in pictures.items():
        cv2.imwrite(str(call.out / f'{name}.jpg'), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])


if __name__ == '__main__':
    main()
