from __future__ import annotations

import numpy as np
import pytest

from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.assessor import Assessor
from damage_perception.perception.photo import judge_photo, photo_view
from damage_perception.report import Health, Status


def test_a_photograph_is_scaled_to_an_item_of_usual_size():
    view = photo_view(np.zeros((900, 1200, 3), np.uint8))
    assert view.item_mask.shape == (150, 200)
    assert not view.valid.any()


@pytest.mark.parametrize('shape', [(1, 1), (3, 2000), (480, 640)])
def test_it_is_judged_by_colour_and_says_so(shape):
    rgb = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    report = judge_photo(rgb, Assessor(NetworkSettings()))
    assert report.health is Health.DEGRADED
    assert 'colour alone' in report.reason
    item = report.items[0]
    assert 0.0 <= item.confidence <= 1.0
    assert item.status == Status.DEPTH_POOR | Status.NO_REFERENCE
    assert report.label_mask().shape == shape


def test_geometry_alone_sees_nothing_in_a_photograph():
    report = judge_photo(np.zeros((64, 64, 3), np.uint8), Assessor(NetworkSettings('none')))
    assert report.health is Health.UNKNOWN
    assert 'network.weights' in report.reason
