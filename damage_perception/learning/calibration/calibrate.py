"""From labels and predictions of a data set to a `Calibration` with its evidence."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.calibration.calibration import (
    TooFewItemsError,
    check_count,
    fit_threshold,
    item_scores,
)
from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.metrics.score_curve import fit_curve
from damage_perception.perception.decision.calibration import (
    Calibration,
    OperatingPoint,
    ScoreCurve,
)

BUDGETS = (0.05, 0.01, 0.001, 0.0001)  # further points, for evaluation
QUANTILES = (0.5, 0.9, 0.99, 0.999)


def calibrate(
    outcomes: Outcomes,
    budget: float,
    confidence: float = 0.95,
    groups: str = 'family',
    files: tuple[Path, ...] = (),
    prevalence: float = 0.001,
) -> Calibration:
    """Fit what a raw score means, the thresholds of all and of product groups, further budgets.

    Without raw scores the scores are taken for P(damaged) as they are; such a calibration serves
    an evaluation, the nodes refuse it.

    Args:
        outcomes: labels and predictions.
        budget: share of sound items that may be diverted.
        confidence: chance that the bounds hold.
        groups: what is before the colon of the tags that name a product's group.
        files: what the numbers came from; their hashes go into the evidence.
        prevalence: share of damaged items for which P(damaged) is stated.

    Raises:
        UserError: if the sample cannot support the budget, or mixes detectors.
    """
    judged = (said for said in outcomes.predictions if not math.isnan(said.score))
    detectors = {said.detector for said in judged}
    if len(detectors) > 1:
        raise UserError('the predictions come from more than one set of weights; judge all again')
    check_count(len(sound_item_scores(outcomes, ~outcomes.damaged)), budget, confidence)
    curve = _curve(outcomes, prevalence) if outcomes.has_raw else None
    if curve is not None:
        outcomes = outcomes.rescored(curve)
    sound = sound_item_scores(outcomes, ~outcomes.damaged)
    point = fit_threshold(sound, budget, confidence)
    fits = {}
    for tag in outcomes.tags(f'{groups}:'):
        scores = sound_item_scores(outcomes, ~outcomes.damaged & outcomes.tagged(tag))
        try:
            fits[tag] = fit_threshold(scores, budget, confidence)
        except TooFewItemsError:
            continue  # the common threshold serves this group
    return Calibration(
        point=point,
        confidence=confidence,
        detector=next(iter(detectors), ''),
        curve=curve,
        prevalence=prevalence,
        groups=fits,
        points=tuple(_further_points(sound, confidence)),
        evidence=_evidence(outcomes, sound, point.threshold, files),
    )


def _curve(outcomes: Outcomes, prevalence: float) -> ScoreCurve:
    raw = [
        item_scores(outcomes.raw[rows], outcomes.item[rows])[0]
        for rows in (~outcomes.damaged, outcomes.damaged)
    ]
    sound, damaged = (scores[np.isfinite(scores)] for scores in raw)
    return fit_curve(sound, damaged, prevalence)


def sound_item_scores(outcomes: Outcomes, rows: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the highest score of each item among the rows, items that nobody judged left out."""
    scores, _ = item_scores(outcomes.score[rows], outcomes.item[rows])
    return scores[~np.isnan(scores)]


def _further_points(sound: NDArray[np.float64], confidence: float) -> list[OperatingPoint]:
    points = []
    for budget in BUDGETS:
        try:
            points.append(fit_threshold(sound, budget, confidence))
        except UserError:
            continue  # a point of evaluation only; the asked budget has its own refusal
    return points


def _evidence(
    outcomes: Outcomes, sound: NDArray[np.float64], threshold: float, files: tuple[Path, ...]
) -> dict[str, Any]:
    def found(rows: NDArray[np.bool_]) -> dict[str, int]:
        scores, _ = item_scores(outcomes.score[rows], outcomes.item[rows])
        return {
            'items': len(scores),
            'unknown': int(np.isnan(scores).sum()),
            'called_damaged': int((scores >= threshold).sum()),
        }

    return {
        'sound': found(~outcomes.damaged),
        'damaged': found(outcomes.damaged),
        'major': found(outcomes.major),
        'sound_quantiles': {str(q): float(np.quantile(sound, q)) for q in QUANTILES},
        'sound_highest': [round(float(score), 6) for score in np.sort(sound)[::-1][:10]],
        'files_sha256': {path.name: _sha256(path) for path in files},
    }


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
