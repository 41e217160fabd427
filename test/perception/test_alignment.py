from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_views import made_view

from damage_perception.perception.alignment import bring_reference


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
