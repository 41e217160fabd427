"""Items on made pictures: how many, where, and what is said to be doubtful."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_heaps import CARDBOARD, PIXEL_M, Block, Heap, heap

from damage_perception.perception.items.cut import ItemsSettings
from damage_perception.perception.items.items import FoundItem, find_items
from damage_perception.report import Status


def found(picture: Heap, pixel_m: float = PIXEL_M) -> list[FoundItem]:
    return find_items(picture.rgb, picture.height_m, picture.region, pixel_m, ItemsSettings())


def overlap(item: FoundItem, block: Block, scale: int = 1) -> float:
    """Give the intersection over union of an item and a block."""
    top, left = scale * block.y - item.roi.y, scale * block.x - item.roi.x
    bottom, right = top + scale * block.height, left + scale * block.width
    inside = item.mask[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].sum()
    return float(inside / (item.mask.sum() + scale**2 * block.width * block.height - inside))


def assert_same(items: list[FoundItem], blocks: list[Block], least: float = 0.85) -> None:
    assert len(items) == len(blocks)
    for block in blocks:
        assert max(overlap(item, block) for item in items) > least


@pytest.mark.parametrize('top_m', [0.025, 0.08, 0.25])
@pytest.mark.parametrize('seed', range(3))
def test_one_box_is_found_whole_and_without_doubt(top_m: float, seed: int) -> None:
    block = Block(120, 90, 130, 90, top_m)
    (item,) = found(heap(block, seed=seed))
    assert overlap(item, block) > 0.93
    assert item.status == Status(0)


def test_an_empty_belt_has_no_items() -> None:
    for seed in range(5):
        assert found(heap(seed=seed)) == []


@pytest.mark.parametrize('seed', range(3))
def test_boxes_of_different_height_that_touch_are_two(seed: int) -> None:
    blocks = [Block(80, 90, 100, 100, 0.06), Block(180, 90, 90, 100, 0.12)]
    assert_same(found(heap(*blocks, seed=seed)), blocks)


@pytest.mark.parametrize('seed', range(3))
def test_boxes_of_one_height_are_told_apart_by_the_gap_between_them(seed: int) -> None:
    blocks = [Block(80, 90, 130, 90), Block(86, 180, 130, 90)]
    assert_same(found(heap(*blocks, seed=seed)), blocks, least=0.95)


def test_tape_and_closing_flaps_split_no_carton() -> None:
    block = Block(90, 80, 180, 110)
    picture = heap(block)
    picture.rgb[134:137, 90:270] = 40  # the flaps meet along the middle
    picture.rgb[80:190, 170:190] = (215, 170, 60)  # tape across
    picture.rgb[125:146, 90:270][:, 60:] = (215, 170, 60)
    (item,) = found(picture)
    assert overlap(item, block) > 0.93


def test_printed_stripes_split_no_carton() -> None:
    block = Block(90, 80, 180, 110)
    picture = heap(block)
    for x in range(150, 200, 7):
        picture.rgb[82:188, x : x + 3] = 40
    (item,) = found(picture)
    assert overlap(item, block) > 0.93


@pytest.mark.parametrize('x', [60, 150])
def test_a_dent_splits_no_box(x: int) -> None:
    block = Block(90, 80, 160, 120, 0.12)
    picture = heap(block)
    v, u = np.mgrid[:320, :420]
    distance = np.hypot(u - 90 - x, v - 140) / 30.0
    dent = 0.03 * np.clip(1.0 - distance**2, 0.0, 1.0)
    picture.height_m[block.slices] -= dent[block.slices].astype(np.float32)
    (item,) = found(picture)
    assert overlap(item, block) > 0.93
    assert not item.status & Status.MERGED


def test_a_box_beyond_the_region_is_truncated() -> None:
    whole, cut = Block(200, 60, 80, 80), Block(5, 180, 100, 80)
    first, second = found(heap(whole, cut))
    assert first.status == Status(0)
    assert second.status == Status.TRUNCATED
    assert second.roi.x == 20  # where the region of interest starts


def test_a_box_at_the_border_of_the_image_is_truncated() -> None:
    (item,) = found(heap(Block(0, 100, 90, 80), margin=0))
    assert item.status == Status.TRUNCATED


def test_what_lies_under_another_item_is_occluded() -> None:
    under, upper = Block(80, 80, 160, 110, 0.05), Block(150, 130, 150, 120, 0.15)
    items = found(heap(under, upper))
    assert len(items) == 2
    assert items[0].status & Status.OCCLUDED
    assert items[1].status == Status(0)


def test_a_heap_without_any_border_is_merged() -> None:
    picture = heap(Block(80, 80, 60, 160), Block(80, 200, 180, 60))
    picture.rgb[195:205, 80:140] = CARDBOARD  # no gap shows where they meet
    picture.rgb[200:260, 138:142] = CARDBOARD
    (item,) = found(picture)
    assert item.status == Status.MERGED


def test_a_rail_at_the_border_is_no_item() -> None:
    rail = Block(392, 0, 8, 320, 0.05, (150, 150, 150))
    block = Block(100, 100, 80, 80)
    assert_same(found(heap(rail, block)), [block], least=0.9)


def test_the_edge_of_a_belt_is_no_item_and_what_comes_into_view_is_one() -> None:
    edge = Block(0, 0, 420, 16, 0.016)
    assert found(heap(edge, margin=0, halo_px=1)) == []
    (item,) = found(heap(Block(150, 0, 90, 60, 0.1), margin=0))
    assert item.status & Status.TRUNCATED


def test_a_shadow_is_no_item() -> None:
    block = Block(100, 100, 90, 90)
    picture = heap(block)
    picture.rgb[100:260, 200:300] = picture.rgb[100:260, 200:300] // 3
    assert_same(found(picture), [block], least=0.9)


@pytest.mark.parametrize('seed', range(5))
def test_sixty_percent_of_the_depth_may_be_missing(seed: int) -> None:
    blocks = [Block(60, 60, 120, 90), Block(230, 150, 110, 100, 0.15)]
    assert_same(found(heap(*blocks, seed=seed, missing=0.6)), blocks)


def test_a_hundred_items() -> None:
    blocks = [Block(40 + 60 * (k % 10), 40 + 60 * (k // 10), 36, 36) for k in range(100)]
    items = found(heap(*blocks, shape=(660, 660), halo_px=3))
    assert_same(items, blocks, least=0.8)
    corners = [(item.roi.y, item.roi.x) for item in items]
    assert corners == sorted(corners)


def test_a_large_picture_is_searched_at_a_coarser_step() -> None:
    blocks = [Block(60, 60, 120, 90), Block(230, 150, 110, 100, 0.15)]
    small = heap(*blocks)
    large = Heap(
        *(
            np.repeat(np.repeat(part, 4, 0), 4, 1)
            for part in (small.rgb, small.height_m, small.region)
        )
    )
    items = found(large, PIXEL_M / 4.0)
    assert len(items) == 2
    assert all(item.mask.any(axis=0).all() and item.mask.any(axis=1).all() for item in items)
    for block in blocks:
        assert max(overlap(item, block, scale=4) for item in items) > 0.9


def test_no_depth_and_no_region_give_no_items() -> None:
    picture = heap(Block(100, 100, 80, 80))
    picture.height_m[:] = np.nan
    assert found(picture) == []
    blind = heap(Block(100, 100, 80, 80))
    blind.region[:] = False
    assert found(blind) == []


@pytest.mark.parametrize('height_m', [0.0, 0.1, np.nan])
def test_a_single_pixel(height_m: float) -> None:
    rgb = np.zeros((1, 1, 3), np.uint8)
    height = np.full((1, 1), height_m, np.float32)
    assert find_items(rgb, height, np.ones((1, 1), bool), PIXEL_M, ItemsSettings()) == []


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    pixel_m=st.sampled_from([0.0002, 0.002, 0.02, 0.2]),
    seed=st.integers(0, 1000),
)
def test_any_picture_gives_items_inside_the_region(
    shape: tuple[int, int], pixel_m: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    rgb = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    height = rng.normal(0.0, 0.1, shape).astype(np.float32)
    height[rng.random(shape) < 0.3] = np.nan
    region = np.zeros(shape, bool)
    region[shape[0] // 4 :, shape[1] // 5 :] = True
    taken = np.zeros(shape, int)
    for item in find_items(rgb, height, region, pixel_m, ItemsSettings()):
        assert item.mask.shape == (item.roi.height, item.roi.width)
        assert item.mask.any()
        taken[item.roi.slices] += item.mask
    assert taken.max() <= 1
    assert not taken[~region].any() or pixel_m < 0.001  # a coarser step may look over the rim


def test_the_same_picture_gives_the_same_items() -> None:
    picture = heap(Block(80, 90, 100, 100, 0.06), Block(180, 90, 90, 100, 0.12))
    one, other = found(picture), found(picture)
    assert [item.roi for item in one] == [item.roi for item in other]
    assert all(np.array_equal(a.mask, b.mask) for a, b in zip(one, other, strict=True))


def test_settings_out_of_range_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match='min_height_m must lie in'):
        ItemsSettings(min_height_m=0.0)
