"""What every backend says of the golden items, beside what was said when the weights were made."""

from __future__ import annotations

import json

import pytest
from golden_items import GOLDEN, golden_scores, golden_views

from damage_perception.errors import CallError
from damage_perception.installed import shared_file
from damage_perception.network.backends import present
from damage_perception.perception.decision.calibration_file import SHIPPED, load_calibration

_HALF = 1e-2  # by which half precision may change P(damaged)


@pytest.fixture(scope='module')
def views():
    return golden_views()


@pytest.fixture(scope='module')
def golden():
    said = json.loads(GOLDEN.read_text())
    assert len(said) >= 6
    return said


@pytest.fixture(scope='module')
def calibration():
    return load_calibration(shared_file(SHIPPED))


@pytest.mark.parametrize('backend', present())
def test_scores_and_decisions_are_what_they_were(views, golden, calibration, backend):
    for now, then in zip(golden_scores(views, backend), golden, strict=True):
        assert now['network'] == pytest.approx(then['network'], abs=1e-3)
        assert diverted(now, calibration) == diverted(then, calibration)


@pytest.mark.parametrize('backend', [name for name in present() if name != 'onnxruntime'])
def test_half_precision_changes_no_clear_decision(views, golden, calibration, backend):
    try:
        said = golden_scores(views, backend, 'bf16')
    except CallError as error:
        pytest.skip(str(error))
    clear = 0
    for now, then in zip(said, golden, strict=True):
        expected = probability(then, calibration)
        assert probability(now, calibration) == pytest.approx(expected, abs=_HALF)
        # Nearer to the threshold than half precision may move it, either decision is right.
        if abs(expected - calibration.point.threshold) > _HALF:
            assert diverted(now, calibration) == diverted(then, calibration)
            clear += 1
    assert clear >= 6


def probability(said, calibration) -> float:
    return float(calibration.curve.probability(said['evidence']))


def diverted(said, calibration) -> bool:
    return probability(said, calibration) >= calibration.point.threshold
