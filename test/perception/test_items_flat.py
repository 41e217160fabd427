"""Items too flat to stand out, and packs of units, on made pictures."""

from __future__ import annotations

import numpy as np
import pytest
from made_heaps import PIXEL_M, Block, Heap, heap

from damage_perception.perception.items.cut import ItemsSettings
from damage_perception.perception.items.items import FoundItem, find_items
from damage_perception.report import Status

CARD = (150, 60, 170)


def found(picture: Heap, alone: bool = False) -> list[FoundItem]:
    seen = picture.rgb, picture.height_m, picture.region
    return find_items(*seen, PIXEL_M, ItemsSettings(), alone)


def share(item: FoundItem, block: Block) -> float:
    """Give the intersection over union of an item and a block."""
    truth = np.zeros((320, 420), bool)
    truth[block.slices] = True
    mask = np.zeros_like(truth)
    mask[item.roi.slices] = item.mask
    return float((truth & mask).sum() / (truth | mask).sum())


def painted(picture: Heap, block: Block, colour: tuple[int, int, int]) -> Heap:
    picture.rgb[block.slices] = colour
    return picture


@pytest.mark.parametrize('top_m', [0.004, 0.007])
@pytest.mark.parametrize('seed', range(3))
def test_a_thin_mailer_of_another_colour_is_an_item(top_m: float, seed: int) -> None:
    block = Block(120, 90, 150, 110, top_m)
    (item,) = found(painted(heap(block, seed=seed), block, (200, 60, 60)))
    assert share(item, block) > 0.9
    assert item.status == Status(0)


@pytest.mark.parametrize('seed', range(3))
def test_a_stain_of_another_colour_is_no_item(seed: int) -> None:
    assert found(painted(heap(seed=seed), Block(120, 90, 150, 110), (200, 60, 60))) == []


def test_in_a_picture_of_one_item_it_is_what_looks_unlike_the_support() -> None:
    card = Block(120, 90, 150, 110)
    picture = painted(heap(seed=1), card, (200, 60, 60))
    (item,) = found(picture, alone=True)
    assert share(item, card) > 0.9
    assert found(heap(seed=1), alone=True) == []
    (taller,) = found(painted(heap(Block(300, 60, 60, 60, 0.08)), card, (200, 60, 60)), alone=True)
    assert share(taller, card) == 0.0  # it is found already, so the card is a stain


def test_a_card_and_its_pockets_are_one_item() -> None:
    card = Block(110, 80, 170, 120, 0.002)
    pockets = [Block(x, y, 30, 30, 0.02) for x in (125, 175, 225) for y in (95, 145)]
    picture = painted(heap(card, *pockets), card, CARD)
    (item,) = found(picture)
    assert share(item, card) > 0.9
    assert not item.status & Status.MERGED


def test_like_units_packed_together_are_one_item() -> None:
    units = [Block(x, y, 36, 36, 0.1) for x in (120, 164, 208, 252) for y in (70, 114, 158)]
    (item,) = found(heap(Block(116, 66, 176, 132, 0.05), *units, halo_px=2))
    assert share(item, Block(120, 70, 168, 124)) > 0.85


def test_parcels_of_many_sizes_are_no_pack() -> None:
    blocks = [
        Block(60, 60, 50, 80, 0.05), Block(111, 60, 80, 50, 0.12), Block(111, 111, 40, 60, 0.2),
        Block(60, 141, 50, 40, 0.1),
    ]  # fmt: skip
    assert len(found(heap(*blocks))) == 4


def test_a_shadow_is_no_part_of_an_item() -> None:
    block = Block(120, 90, 100, 90, 0.08)
    picture = heap(block)
    shadow = np.s_[95:180, 220:275]
    picture.rgb[shadow] = (0.55 * picture.rgb[shadow].astype(float)).astype(np.uint8)
    (item,) = found(picture)
    assert share(item, block) > 0.9
