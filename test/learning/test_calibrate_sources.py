"""From labelled raw scores to a curve and a threshold: of predictions, a journal, the engine."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_evaluate import run_calibrate, write_many

from damage_perception.errors import CallError, UserError
from damage_perception.journal.journal import Journal, Review
from damage_perception.learning.calibration.journal_items import reviewed_outcomes
from damage_perception.learning.metrics.ranking import expected_calibration_error
from damage_perception.learning.metrics.score_curve import fit_curve
from damage_perception.perception.decision.calibration import GEOMETRY
from damage_perception.perception.decision.decision import JudgedDecision
from damage_perception.perception.decision.item_history import Versions
from damage_perception.report import ItemReport, Pose, Roi, Status, Verdict


def test_the_curve_gives_the_probability_at_the_prevalence() -> None:
    """Two normal scores of one width part by a logistic, so its truth is known."""
    rng = np.random.default_rng(5)
    sound, damaged = rng.normal(0, 1, 20_000), rng.normal(3, 1, 2_000)
    curve = fit_curve(sound, damaged, 0.01)
    assert curve.slope == pytest.approx(3.0, rel=0.1)
    assert curve.offset == pytest.approx(-4.5 + math.log(0.01 / 0.99), abs=0.4)
    scores = np.concatenate([rng.normal(0, 1, 99_000), rng.normal(3, 1, 1_000)])
    truth = np.arange(100_000) >= 99_000
    assert expected_calibration_error(truth, curve.probability(scores)) < 0.005


def test_scores_that_part_the_items_wholly_give_a_finite_slope() -> None:
    curve = fit_curve(np.linspace(0, 1, 50), np.linspace(5, 6, 50), 0.001)
    assert 0.0 < curve.slope < 100.0
    assert curve.probability(0.5) < 0.001 < curve.probability(5.5)


def test_too_few_items_and_scores_without_meaning_are_refused() -> None:
    with pytest.raises(UserError, match='29 damaged items were judged, 30 of each are needed'):
        fit_curve(np.zeros(100), np.ones(29), 0.001)
    rng = np.random.default_rng(0)
    with pytest.raises(UserError, match='do not score higher'):
        fit_curve(rng.normal(1, 1, 200), rng.normal(0, 1, 200), 0.001)


def test_raw_scores_of_predictions_give_a_calibration_that_the_nodes_take(tmp_path: Path) -> None:
    write_many(tmp_path, detector=GEOMETRY)
    dataset = json.loads((tmp_path / 'dataset.json').read_text())
    dataset['annotations'] = [
        {'id': n, 'image_id': n, 'category_id': 1, 'segmentation': [[0, 0, 4, 0, 4, 4]],
         'bbox': [0, 0, 4, 4], 'area': 8, 'iscrowd': 0, 'severity': 'major'}
        for n in range(1, 41)
    ]  # fmt: skip
    (tmp_path / 'dataset.json').write_text(json.dumps(dataset))
    rng = np.random.default_rng(2)
    said = [json.loads(line) for line in (tmp_path / 'p.jsonl').read_text().splitlines()]
    for line in said:
        line['raw_score'] = rng.normal(8.0 if line['image_id'] <= 40 else 1.0, 1.0)
    (tmp_path / 'p.jsonl').write_text(''.join(json.dumps(line) + '\n' for line in said))
    found = run_calibrate(tmp_path, plots=tmp_path / 'plots')
    assert found.detector == GEOMETRY
    assert found.curve is not None
    edge = (np.log(found.point.threshold / (1 - found.point.threshold)) - found.curve.offset) / (
        found.curve.slope
    )
    assert 2.0 < edge < 7.0
    assert found.evidence['damaged']['called_damaged'] >= 35
    assert (tmp_path / 'plots' / 'scores.png').stat().st_size > 5000


def entry(number: int, score: float, found: str | None, decision: str, **more: Any) -> dict:
    return {
        'id': number, 'sku': 'A', 'decision': decision, 'confidence': 0.1,
        'segmentation_score': score, 'found': found, 'found_type': 'crush', 'found_minor': 0,
        'versions': json.dumps({'detector': GEOMETRY}),
    } | more  # fmt: skip


def test_reviewed_decisions_are_labelled_scores_of_the_detector_in_use() -> None:
    entries = [
        entry(1, 9.0, 'sound', 'DIVERT', versions=json.dumps({'detector': 'older'})),
        entry(2, 1.0, 'sound', 'PASS'),
        entry(3, 1.5, None, 'PASS'),
        entry(4, 7.0, 'damaged', 'DIVERT', found_minor=1),
        entry(5, 6.0, 'sound', 'DIVERT'),
        entry(6, None, None, 'UNKNOWN', confidence=None),
    ]
    outcomes = reviewed_outcomes(entries)
    assert outcomes.damaged.tolist() == [False, True, False]
    assert outcomes.raw.tolist() == [1.0, 7.0, 6.0]
    assert not outcomes.major.any()
    assert {said.detector for said in outcomes.predictions} == {GEOMETRY}


def test_a_journal_that_tells_nothing_or_too_kindly_is_refused() -> None:
    with pytest.raises(UserError, match='no decision on an item that was judged'):
        reviewed_outcomes([entry(1, 1.0, None, 'UNKNOWN', confidence=None)])
    with pytest.raises(UserError, match=r'none of the 1 decisions .* was reviewed'):
        reviewed_outcomes([entry(1, 1.0, None, 'PASS')])
    kind = [entry(1, 1.0, 'sound', 'PASS'), entry(2, 8.0, None, 'DIVERT')]
    with pytest.raises(UserError, match='0 of 1 diverted or inspected items were reviewed, but 1'):
        reviewed_outcomes(kind)


def test_the_engine_gives_a_calibration_or_says_how_many_items_are_missing(tmp_path: Path) -> None:
    """What no score of theirs could make enough is refused before anything is rendered."""
    engine = {'labels': None, 'predictions': None, 'engine': 3, 'damaged': 0.4}
    with pytest.raises(UserError, match=r'2 sound items cannot support .* at least 149 are'):
        run_calibrate(tmp_path, **engine)
    with pytest.raises(UserError, match='30 of each are needed'):
        run_calibrate(tmp_path, **engine, budget=0.9, confidence=0.5)


@pytest.mark.parametrize(
    ('options', 'said'),
    [
        ({'predictions': None}, 'go together'),
        ({'labels': None, 'predictions': None}, 'give one of --labels'),
        ({'engine': 5}, 'give one of --labels'),
        ({'prevalence': 0.0}, '--prevalence must lie between 0 and 1'),
    ],
)
def test_wrong_calls_are_refused(tmp_path: Path, options: dict[str, Any], said: str) -> None:
    with pytest.raises(CallError, match=said):
        run_calibrate(tmp_path, **options)


def test_a_journal_that_was_reviewed_gives_a_calibration(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    journal = Journal(tmp_path / 'j.sqlite', 10_000, {})
    for track in range(1, 301):
        damaged = track % 6 == 0
        score = rng.normal(7.0 if damaged else 1.0, 1.0)
        journal.record('source', decided(track, score))
        assert journal.review(track, track, Review(damaged))
    found = run_calibrate(
        tmp_path, labels=None, predictions=None, journal=tmp_path / 'j.sqlite', budget=0.02
    )
    assert found.detector == GEOMETRY
    assert found.point.sound_items == 250
    assert found.evidence['damaged']['called_damaged'] >= 40
    assert set(found.evidence['files_sha256']) == {'j.sqlite'}


def decided(track: int, score: float) -> JudgedDecision:
    pose = Pose((0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0))
    evidence = ItemReport(
        track, 'A', 1.0, pose, (0.1, 0.1, 0.1), Roi(0, 0, 1, 1), 0.1, score, math.nan, Status(0),
        5, (), np.ones((1, 1), bool), np.zeros((1, 1), np.float32),
    )  # fmt: skip
    verdict = Verdict.DIVERT if score > 4.0 else Verdict.PASS
    return JudgedDecision(
        track, 'camera', track, 'A', verdict, 0.1, 0.5, 5, 'why', pose, evidence=evidence,
        versions=Versions(GEOMETRY, 'c', ''),
    )  # fmt: skip
