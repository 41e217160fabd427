"""What of an outline counts as not judged: bites of any edge, not ragged borders."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_views import grid, made_view

from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.quality import is_bitten, view_status
from damage_perception.report import Status

SIZE_M = (0.2, 0.14)


def box(without: np.ndarray | None = None) -> ItemView:
    """Make a box of 20 x 14 cm without some of its pixels."""
    view = made_view(np.random.default_rng(0), SIZE_M)
    mask = view.item_mask if without is None else view.item_mask & ~without
    return dataclasses.replace(view, item_mask=mask)


def place() -> tuple[np.ndarray, np.ndarray]:
    return grid(box().item_mask.shape)


def test_a_whole_box_is_judged() -> None:
    assert view_status(box()) == Status(0)
    assert not is_bitten(box())


@pytest.mark.parametrize('side', [-1, 1])
def test_a_bite_out_of_an_edge_is_seen(side: int) -> None:
    x, y = place()
    bite = np.hypot(x - 0.03, y - side * SIZE_M[1] / 2) < 0.018
    assert bite.sum() < 0.05 * box().item_mask.sum()
    assert is_bitten(box(bite))


def test_a_ragged_border_is_no_bite() -> None:
    x, y = place()
    ragged = y > SIZE_M[1] / 2 - 0.006 * (1 + np.sin(x / 0.004)) / 2
    assert not is_bitten(box(ragged))


def test_crumbs_and_whiskers_beside_an_item_make_no_bite() -> None:
    x, y = place()
    crumb = np.hypot(x - 0.05, y - SIZE_M[1] / 2 - 0.018) < 0.004
    whisker = (np.abs(y) < 0.004) & (x > 0) & (x < SIZE_M[0] / 2 + 0.02)
    view = box()
    stretched = dataclasses.replace(view, item_mask=view.item_mask | crumb | whisker)
    assert not is_bitten(stretched)


def test_a_round_tin_has_no_bite() -> None:
    x, y = place()
    assert not is_bitten(box(np.hypot(x, y) > 0.065))


def test_no_item_has_no_bite() -> None:
    nothing = box(np.ones_like(box().item_mask))
    assert not is_bitten(nothing)
    assert view_status(nothing) == Status.DEPTH_POOR


def test_an_outline_far_from_convex_is_a_part_not_judged() -> None:
    x, y = place()
    assert view_status(box((x > 0.0) & (y > -0.02))) == Status.PARTLY_JUDGED


def test_the_outline_of_a_bag_may_be_hollower_than_that_of_a_box() -> None:
    x, y = place()
    hollow = box((np.abs(y) > 0.04) & (np.abs(x) < 0.025))
    bag = dataclasses.replace(hollow, height_m=(0.03 * np.cos(30.0 * x) - 0.02).astype(np.float32))
    assert view_status(hollow) == Status.PARTLY_JUDGED
    assert view_status(bag) == Status(0)
    assert not is_bitten(bag)
