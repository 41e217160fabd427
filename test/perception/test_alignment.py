from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_views import made_view

from damage_perception.perception.comparison.alignment import Aligner, bring_reference


def printed(seed: int, size_m=(0.2, 0.12)):
    """A face with a print of its own."""
    rng = np.random.default_rng(seed)
    view = made_view(rng, size_m, drop_outs=0.0)
    rows, columns = view.item_mask.shape
    spots = cv2.resize(rng.uniform(0, 255, (6, 9, 3)).astype(np.float32), (columns, rows))
    rgb = np.where(view.item_mask[..., None], spots, view.rgb).astype(np.uint8)
    return replace(view, rgb=rgb)


def turned(view, quarters: int):
    names = ('rgb', 'height_m', 'height_std_m', 'item_mask', 'seen')
    return replace(view, **{name: np.ascontiguousarray(np.rot90(getattr(view, name), quarters))
                            for name in names})  # fmt: skip


def misfit_mm(view, warp, truth):
    rows, columns = np.nonzero(view.item_mask)
    off = (warp - truth) @ np.stack([columns, rows, np.ones(len(rows))])
    return 1e3 * view.resolution_m * np.sqrt(np.mean(np.sum(off**2, axis=0)))


@pytest.mark.parametrize('quarters', [0, 2])
def test_a_reference_is_brought_whichever_way_round_it_lies(quarters):
    view = printed(0)
    found = bring_reference(view, turned(view, quarters))
    assert found is not None
    difference = np.abs(found.view.rgb.astype(int) - view.rgb)[view.item_mask]
    assert np.median(difference) < 4
    assert found.view.item_mask.shape == view.item_mask.shape


def test_a_square_item_may_lie_a_quarter_turn_off():
    view = printed(1, (0.15, 0.14))
    found = bring_reference(view, turned(view, 1))
    assert found is not None
    assert np.median(np.abs(found.view.rgb.astype(int) - view.rgb)[view.item_mask]) < 6


def test_what_has_another_outline_is_no_reference():
    view = printed(0)
    other = replace(view, rgb=np.zeros_like(view.rgb), item_mask=~view.item_mask)
    assert bring_reference(view, other) is None


def test_a_label_of_its_own_does_not_pull_an_item():
    view = printed(0)
    plain = replace(view, rgb=np.where(view.item_mask[..., None], np.uint8(150), view.rgb))
    item, reference = plain.rgb.copy(), plain.rgb.copy()
    item[40:75, 50:80] = 240
    reference[40:75, 62:92] = 240  # 18 mm beside it
    found = bring_reference(replace(plain, rgb=item), replace(plain, rgb=reference))
    assert found is not None
    assert misfit_mm(view, found.warp, np.eye(2, 3)) < 3


def test_what_hangs_out_of_an_item_does_not_turn_it():
    view = printed(0)
    mask = view.item_mask.copy()
    mask[5:50, 2:22] = True  # a flap beside the item, of another colour
    rgb = np.where((mask & ~view.item_mask)[..., None], np.uint8((230, 40, 160)), view.rgb)
    found = bring_reference(replace(view, item_mask=mask, rgb=rgb), view)
    assert found is not None
    assert misfit_mm(view, found.warp, np.eye(2, 3)) < 3


@pytest.mark.parametrize('degrees', [35.0, 140.0, 250.0])
def test_a_disc_may_lie_at_any_angle(degrees):
    view = printed(2, (0.12, 0.12))
    rows, columns = np.indices(view.item_mask.shape)
    middle = (view.item_mask.shape[0] - 1) / 2
    disc = np.hypot(rows - middle, columns - middle) < 39
    view = replace(view, item_mask=disc, rgb=np.where(disc[..., None], view.rgb, np.uint8(60)))
    turn = cv2.getRotationMatrix2D((middle, middle), degrees, 1.0)
    size = view.item_mask.shape[::-1]
    found = bring_reference(view, replace(view, rgb=cv2.warpAffine(view.rgb, turn, size)))
    assert found is not None
    assert misfit_mm(view, found.warp, turn) < 2


def test_a_reference_of_another_resolution_is_brought():
    view = printed(0)
    size = (view.item_mask.shape[1] * 2, view.item_mask.shape[0] * 2)
    fine = {name: cv2.resize(getattr(view, name).astype(np.float32), size)
            for name in ('height_m', 'height_std_m')}  # fmt: skip
    fine |= {name: cv2.resize(getattr(view, name).astype(np.uint8), size) > 0
             for name in ('item_mask', 'seen')}  # fmt: skip
    reference = replace(view, rgb=cv2.resize(view.rgb, size), resolution_m=0.00075, **fine)
    found = bring_reference(view, reference)
    assert found is not None
    assert np.median(np.abs(found.view.rgb.astype(int) - view.rgb)[view.item_mask]) < 8
    assert np.allclose(found.warp[:, :2], 2 * np.eye(2), atol=0.05)


def test_one_aligner_serves_many_references_alike():
    view = printed(0)
    aligner = Aligner(view)
    first, again = (aligner.bring(turned(view, 2)) for _ in range(2))
    alone = bring_reference(view, turned(view, 2))
    assert first is not None
    assert again is not None
    assert alone is not None
    assert np.array_equal(first.view.rgb, again.view.rgb)
    assert np.array_equal(first.warp, alone.warp)


@pytest.mark.parametrize('empty', ['item', 'reference', 'seen', 'depth'])
def test_what_shows_nothing_is_no_error(empty):
    view = printed(0)
    nothing = np.zeros_like(view.item_mask)
    item = replace(view, item_mask=nothing) if empty == 'item' else view
    reference = replace(view, item_mask=nothing) if empty == 'reference' else view
    if empty == 'seen':
        reference = replace(view, seen=nothing)
    if empty == 'depth':
        reference = replace(view, height_m=np.full_like(view.height_m, np.nan))
    found = bring_reference(item, reference)
    assert (found is not None) == (empty == 'depth')


def test_a_speck_in_a_large_picture_is_looked_at_in_whole_pixels():
    view = printed(0)
    speck = np.zeros_like(view.item_mask)
    speck[50:54, 60:63] = True
    found = bring_reference(replace(view, item_mask=speck), view)
    assert found is None or found.view.item_mask.shape == speck.shape
