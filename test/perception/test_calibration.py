"""What a calibration makes of items, and how a wrong one is refused."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_reports import made_damage, made_item

from damage_perception.errors import UserError
from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.decision.calibration import (
    GEOMETRY,
    UNCALIBRATED,
    Calibration,
    OperatingPoint,
    ScoreCurve,
)
from damage_perception.perception.decision.calibration_file import (
    detector_calibration,
    load_calibration,
    write_calibration,
)
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import (
    DamageReport,
    Health,
    ItemReport,
)
from damage_perception.settings import Settings

POINT = OperatingPoint(0.05, 0.3, 0.04, 200, 3)
CURVE = ScoreCurve(2.0, -8.0)
MADE = Calibration(POINT, 0.95, 'ab' * 32, CURVE, 0.002)


def item(score: float, confidence: float, *others: float) -> ItemReport:
    """An item with a damage as sure as itself and others, and pixels as sure as these."""
    sure = (confidence, *others)
    return made_item(
        segmentation_score=score,
        confidence=confidence,
        damages=tuple(made_damage(confidence=value) for value in sure),
        mask=np.ones((1, len(sure)), bool),
        confidence_map=np.array([*sure, math.nan], np.float32)[None],
    )


@given(st.floats(-5, 60), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_the_worst_place_says_what_the_item_says_and_the_order_stays(score, worst, other) -> None:
    worst, other = max(worst, other), min(worst, other)
    said = MADE.apply(item(score, worst, other))
    assert said.confidence == pytest.approx(float(CURVE.probability(score)), abs=1e-12)
    first, second = (damage.confidence for damage in said.damages)
    assert first == pytest.approx(said.confidence, abs=1e-4)
    assert 0.0 <= second <= first <= 1.0
    pixels = said.confidence_map[0]
    np.testing.assert_allclose(pixels[:2], [first, second], atol=1e-4)
    assert math.isnan(pixels[2])


def test_what_was_not_judged_stays_so() -> None:
    unjudged = item(math.nan, math.nan)
    assert MADE.apply(unjudged) is unjudged
    assert UNCALIBRATED.apply(found := item(3.0, 0.4)) is found


def test_a_file_gives_back_what_was_written(tmp_path: Path) -> None:
    write_calibration(tmp_path / 'new' / 'c.yaml', MADE)
    back = load_calibration(tmp_path / 'new' / 'c.yaml')
    assert back == MADE
    assert len(back.version) == 64
    write_calibration(tmp_path / 'd.yaml', dataclasses.replace(MADE, confidence=0.9))
    assert load_calibration(tmp_path / 'd.yaml').version != back.version


@pytest.mark.parametrize(
    ('line', 'named'),
    [
        ('slope: -1.0', 'curve.slope must be above 0'),
        ('slope: .nan', 'slope must be a number'),
        ('slope: steep', "slope must be a number, got 'steep'"),
        ('other: 1.0', "'slope' is missing"),
    ],
)
def test_a_curve_that_makes_no_sense_is_refused(tmp_path: Path, line: str, named: str) -> None:
    path = tmp_path / 'c.yaml'
    write_calibration(path, MADE)
    path.write_text(path.read_text().replace('slope: 2.0', line))
    with pytest.raises(UserError, match=f'c.yaml: {named}'):
        load_calibration(path)


def test_the_pipeline_refuses_a_calibration_of_other_weights_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / 'c.yaml'
    write_calibration(path, MADE)
    settings = Settings()
    settings = dataclasses.replace(
        settings, decision=dataclasses.replace(settings.decision, calibration_file=str(path))
    )
    settings = dataclasses.replace(settings, network=NetworkSettings(weights='none'))
    with pytest.raises(UserError) as caught:
        DamagePipeline(settings)
    said = str(caught.value)
    assert f'{path} was made for weights abababababab, but {GEOMETRY} judges here' in said
    assert '\n' not in said


def test_a_calibration_without_a_map_of_raw_scores_is_for_evaluations_only(tmp_path: Path) -> None:
    write_calibration(tmp_path / 'c.yaml', dataclasses.replace(MADE, curve=None))
    with pytest.raises(UserError, match='does not say what a raw score means'):
        detector_calibration(str(tmp_path / 'c.yaml'), 'ab' * 32)
    with pytest.raises(UserError, match='cannot be read'):
        detector_calibration(str(tmp_path / 'absent.yaml'), GEOMETRY)


def test_the_shipped_one_is_of_what_judges_and_every_report_names_it() -> None:
    pipeline = DamagePipeline()
    shipped = detector_calibration('', pipeline.detector)
    assert shipped.detector == pipeline.detector
    assert shipped.point.sound_items >= 59
    report = pipeline.signed(DamageReport(0, '', 0, 0, Health.UNKNOWN, 'dark'))
    assert report.threshold == shipped.point.threshold
    assert (report.detector, report.calibration) == (pipeline.detector, shipped.version)


def test_a_threshold_that_is_set_goes_before_the_calibrated_one() -> None:
    settings = Settings()
    changed = dataclasses.replace(
        settings, decision=dataclasses.replace(settings.decision, threshold=0.7)
    )
    pipeline = DamagePipeline(changed, MADE_FOR_GEOMETRY)
    assert pipeline.signed(DamageReport(0, '', 0, 0, Health.OK)).threshold == 0.7
    pipeline.settings = settings
    assert pipeline.signed(DamageReport(0, '', 0, 0, Health.OK)).threshold == 0.3


MADE_FOR_GEOMETRY = dataclasses.replace(MADE, detector='')
