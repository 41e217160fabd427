from __future__ import annotations

import math

import numpy as np
import pytest

from damage_perception.network.network_settings import NetworkSettings
from damage_perception.overlay import draw_overlay
from damage_perception.perception.evidence.assessor import Assessor
from damage_perception.perception.evidence.evidence import Evidence
from damage_perception.perception.evidence.photo import LEAST_SIDE_PX, judge_photo, photo_view
from damage_perception.perception.geometry.geometry import DamageBlob
from damage_perception.report import DamageType, Health, Severity, Status


def test_a_photograph_is_scaled_to_an_item_of_usual_size():
    view = photo_view(np.zeros((900, 1200, 3), np.uint8))
    assert view.item_mask.shape == (150, 200)
    assert not view.valid.any()


@pytest.mark.parametrize('shape', [(LEAST_SIDE_PX, 2000), (480, 640)])
def test_it_is_judged_by_colour_and_says_so(shape):
    rgb = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    report = judge_photo(rgb, Assessor(NetworkSettings()))
    assert report.health is Health.DEGRADED
    assert 'colour alone' in report.reason
    item = report.items[0]
    assert 0.0 <= item.confidence <= 1.0
    assert item.status == Status.DEPTH_POOR | Status.NO_REFERENCE
    assert report.label_mask().shape == shape


class Alarmed:
    """Sees a tear in the upper half of everything."""

    def assess(self, items, settings):
        mask = np.zeros(items[0].view.item_mask.shape, bool)
        mask[: len(mask) // 2] = True
        tear = DamageBlob(DamageType.TEAR, mask, math.nan, 0.9)
        return [Evidence(5.0, 0.9, np.where(mask, 0.9, 0.0).astype(np.float32), [tear])]


def test_however_sure_the_network_is_nothing_counts_as_damaged():
    rgb = np.full((120, 160, 3), 200, np.uint8)
    report = judge_photo(rgb, Alarmed())
    (damage,) = report.items[0].damages
    assert (damage.damage_type, damage.severity) == (DamageType.TEAR, Severity.UNKNOWN)
    assert damage.mask.shape == (60, 160)
    assert report.shown() == []
    assert not report.label_mask().any()
    assert not report.instance_mask().any()
    middle = draw_overlay(rgb, report)[40:80, 40:120]
    assert (middle == 200).all()  # nothing is painted


class Scratched:
    """Sees a slit in one row of everything."""

    def __init__(self, row):
        self.row = row

    def assess(self, items, settings):
        mask = np.zeros(items[0].view.item_mask.shape, bool)
        mask[self.row, 20:60] = True
        slit = DamageBlob(DamageType.TEAR, mask, math.nan, 0.9)
        return [Evidence(5.0, 0.9, np.zeros(mask.shape, np.float32), [slit])]


@pytest.mark.parametrize('row', range(4))
def test_a_thin_damage_is_not_lost_in_a_small_picture(row):
    small = np.zeros((LEAST_SIDE_PX, LEAST_SIDE_PX, 3), np.uint8)
    (damage,) = judge_photo(small, Scratched(row)).items[0].damages
    assert damage.mask.any()


@pytest.mark.parametrize('shape', [(1, 1), (3, 2000), (LEAST_SIDE_PX - 1, 640)])
def test_a_picture_that_can_show_no_item_is_not_judged(shape):
    report = judge_photo(np.zeros((*shape, 3), np.uint8), Assessor(NetworkSettings()))
    assert report.health is Health.UNKNOWN
    assert f'{shape[1]}x{shape[0]} pixels shows no item; give {LEAST_SIDE_PX}' in report.reason
    assert report.items == ()


def test_geometry_alone_sees_nothing_in_a_photograph():
    report = judge_photo(np.zeros((64, 64, 3), np.uint8), Assessor(NetworkSettings('none')))
    assert report.health is Health.UNKNOWN
    assert 'network.weights' in report.reason
