"""Where the network points on a view, and how far a damage reaches."""

from __future__ import annotations

import numpy as np
import pytest
from made_views import made_view

from damage_perception.network.judgement import NetworkJudgement
from damage_perception.perception.evidence.blobs import network_blobs
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageType


@pytest.fixture
def view() -> ItemView:
    return made_view(np.random.default_rng(0), (0.15, 0.1))


def said(view: ItemView, kind: DamageType, odds: float, *places: tuple[slice, slice]):
    log_odds = np.full(view.item_mask.shape, -8.0, np.float32)
    for place in places:
        log_odds[place] = odds
    return NetworkJudgement(log_odds, np.full(log_odds.shape, kind, np.uint8))


OVER_THE_EDGE = (slice(0, 60), slice(0, 60))  # its belt margin is 20 pixels wide


def test_damage_lies_on_the_item(view):
    (blob,) = network_blobs(view, said(view, DamageType.CRUSH, 3.0, OVER_THE_EDGE))
    assert not (blob.mask & ~view.item_mask).any()
    assert blob.mask[40, 40]


def test_what_was_spilt_lies_beside_it_too(view):
    (blob,) = network_blobs(view, said(view, DamageType.SPILL, 3.0, OVER_THE_EDGE))
    assert blob.mask[5, 5]
    assert blob.mask[40, 40]


def test_damage_wholly_beside_the_item_is_none(view):
    beside = (slice(0, 12), slice(0, 60))
    assert network_blobs(view, said(view, DamageType.TEAR, 3.0, beside)) == []


def test_a_hole_through_the_item_is_on_it(view):
    hole = (slice(45, 57), slice(55, 67))
    mask = view.item_mask.copy()
    mask[hole] = False
    view = ItemView(**{**vars(view), 'item_mask': mask})
    (blob,) = network_blobs(view, said(view, DamageType.HOLE, 3.0, hole))
    assert blob.mask[hole].all()


@pytest.mark.parametrize(('odds', 'count'), [(-1.0, 0), (1.0, 1)])
def test_a_flat_map_points_nowhere_unless_damage_is_likelier(view, odds, count):
    everywhere = (slice(None), slice(None))
    assert len(network_blobs(view, said(view, DamageType.SPILL, odds, everywhere))) == count


def test_the_likeliest_place_is_pointed_at(view):
    place = (slice(40, 60), slice(50, 70))
    (blob,) = network_blobs(view, said(view, DamageType.DECONSTRUCTION, -2.0, place))
    assert np.count_nonzero(blob.mask) == 400
