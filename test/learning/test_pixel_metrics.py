"""IoU and AUPRO against hand-counted values."""

import math

import numpy as np
import pytest

from damage_perception.learning.metrics.pixel_metrics import IouCounter, aupro
from damage_perception.report import NOT_JUDGED, DamageType


def test_iou_by_type_is_pooled_over_images():
    counter = IouCounter()
    labelled = np.zeros((4, 4), np.uint8)
    labelled[0] = DamageType.CRUSH
    predicted = np.zeros((4, 4), np.uint8)
    predicted[0, :2] = DamageType.CRUSH
    predicted[1, :2] = DamageType.TEAR
    counter.add(predicted, labelled)
    counter.add(labelled, labelled)
    result = counter.result()
    assert result == {'crush': pytest.approx(6 / 8), 'any': pytest.approx(6 / 10)}


def test_damage_that_was_not_judged_counts_as_missed():
    counter = IouCounter()
    labelled = np.full((2, 2), DamageType.HOLE, np.uint8)
    counter.add(np.full((2, 2), NOT_JUDGED, np.uint8), labelled)
    assert counter.result() == {'hole': 0.0, 'any': 0.0}


def test_a_mask_of_another_size_is_refused():
    with pytest.raises(ValueError, match=r'mask must be \(2, 2\)'):
        IouCounter().add(np.zeros((2, 3), np.uint8), np.zeros((2, 2), np.uint8))


def test_perfect_maps_reach_one_and_blind_ones_half_the_limit():
    damaged = np.zeros((20, 20), bool)
    damaged[2:5, 2:5] = damaged[10:16, 10:12] = True
    assert aupro([(damaged.astype(np.float32), damaged)])[0.3] == pytest.approx(1.0)
    flat = np.full((20, 20), 0.5, np.float32)
    # one step from (0, 0) to (1, 1): the area up to f is f^2 / 2, divided by f
    assert aupro([(flat, damaged)], [0.3])[0.3] == pytest.approx(0.15)


def test_every_region_weighs_the_same():
    damaged = np.zeros((40, 40), bool)
    damaged[0:20, 0:20] = True
    damaged[30:32, 30:32] = True
    confidence = np.zeros((40, 40), np.float32)
    confidence[30:32, 30:32] = 1.0  # finds the small one only
    assert aupro([(confidence, damaged)], [0.01])[0.01] == pytest.approx(0.5, abs=0.01)


def test_not_judged_pixels_and_no_damage():
    damaged = np.zeros((5, 5), bool)
    assert math.isnan(aupro([(np.zeros((5, 5), np.float32), damaged)])[0.3])
    damaged[0, 0] = True
    nothing = np.full((5, 5), np.nan, np.float32)
    assert aupro([(nothing, damaged)], [0.3])[0.3] == pytest.approx(0.15)
