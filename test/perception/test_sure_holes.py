from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_views import made_view

from damage_perception.network.judgement import NetworkJudgement
from damage_perception.perception.evidence.sure_holes import hole_score
from damage_perception.perception.geometry.geometry import DamageBlob, find_damage
from damage_perception.report import DamageType

_BOARD = {'rigid': 1.0, 'convexity': 1.0, 'roughness': 1.0, 'measured': 0.99, 'hole': 0.0}
_NOTHING = -np.inf


@pytest.fixture(scope='module')
def view():
    return made_view(np.random.default_rng(0), (0.2, 0.15))


def score(view, shape, network_odds=0.0, kind=DamageType.HOLE, depth_m=0.03, **features):
    """What is said of a view with one place of a shape (rows, columns) that is that deep."""
    mask = np.zeros(view.item_mask.shape, bool)
    mask[40 : 40 + shape[0], 40 : 40 + shape[1]] = True
    height_m = np.where(mask, np.float32(-depth_m), view.height_m)
    broken = dataclasses.replace(view, height_m=height_m)
    geometry = dataclasses.replace(find_damage(view), blobs=[DamageBlob(kind, mask, depth_m, 0.9)])
    network = None
    if network_odds is not None:
        odds = np.where(mask, np.float32(network_odds), np.float32(-5.0))
        network = NetworkJudgement(odds, mask.astype(np.uint8), {})
    return hole_score(broken, _BOARD | features, geometry, network)


def test_in_a_board_less_will_do(view):
    assert score(view, (9, 10), hole=5.0) >= 3.5
    assert score(view, (9, 10), hole=5.0, rigid=0.5) == _NOTHING
    assert score(view, (9, 10), hole=0.0) >= 3.5, 'deep'
    assert score(view, (9, 10), hole=0.0, depth_m=0.01) == _NOTHING
    assert score(view, (9, 10), hole=0.0, kind=DamageType.CRUSH) >= 3.5, 'deep, whatever its name'


def test_what_depth_is_sure_of_counts_anywhere(view):
    assert score(view, (9, 10), hole=12.0, rigid=0.5) >= 5.0
    bag = score(view, (9, 10), hole=12.0, rigid=0.5, convexity=0.9)
    assert 3.5 <= bag < 5.0
    lost = score(view, (9, 10), hole=12.0, depth_m=np.nan)
    assert lost >= 5.0, 'no depth at all comes back'


def test_without_the_network_geometry_says_it_alone(view):
    assert score(view, (9, 10), network_odds=None, hole=12.0) >= 5.0


def test_what_is_cut_for_a_hand_is_no_hole(view):
    assert score(view, (9, 30), hole=12.0) == _NOTHING


def test_the_rim_of_a_cut_makes_it_no_rounder(view):
    mask = np.zeros(view.item_mask.shape, bool)
    mask[40:60, 40:70] = True
    height_m = np.where(mask, np.float32(-0.005), view.height_m)
    height_m[45:54, 40:70] = -0.03
    geometry = dataclasses.replace(
        find_damage(view), blobs=[DamageBlob(DamageType.CRUSH, mask, 0.03, 0.9)]
    )
    cut = dataclasses.replace(view, height_m=height_m)
    assert hole_score(cut, _BOARD, geometry, None) == _NOTHING
    height_m[mask] = -0.03
    assert hole_score(cut, _BOARD, geometry, None) >= 3.5


def test_what_the_network_knows_as_sound_is_none(view):
    assert score(view, (9, 10), network_odds=-2.0, hole=20.0) == _NOTHING
    assert score(view, (9, 10), network_odds=np.nan, hole=20.0) >= 5.0, 'it did not look there'
