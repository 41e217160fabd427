"""All measures of a test set as one dict that goes into `metrics.json`.

UNKNOWN is an outcome of its own: in rankings an UNKNOWN damaged item stands last, since it was not
found, and an UNKNOWN sound item is left out, since it raised no alarm; recalls are shares of all
damaged items, false-alarm rates shares of the sound items that were judged.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.metrics import ranking
from damage_perception.learning.metrics.located import located_metrics
from damage_perception.learning.metrics.operating_point import operating_point
from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.metrics.thresholds import thresholds
from damage_perception.perception.decision.calibration import Calibration
from damage_perception.report import DamageType

FORMAT = 'damage_perception/metrics 1'
Bools = NDArray[np.bool_]
MEASURES: dict[str, ranking.Measure] = {
    'auroc': ranking.auroc,
    'ap': ranking.average_precision,
    'recall_at_50_precision': ranking.recall_at_precision,
    'roc_recall_at_1pct': lambda d, s: ranking.recall_at_false_alarms(d, s, 0.01),
    'roc_recall_at_0.1pct': lambda d, s: ranking.recall_at_false_alarms(d, s, 0.001),
}
OF_A_TYPE = ('auroc', 'roc_recall_at_1pct', 'roc_recall_at_0.1pct')


def evaluate(
    outcomes: Outcomes,
    calibration: Calibration | None = None,
    prevalence: float = 0.001,
    repeats: int = 200,
) -> dict[str, Any]:
    """Measure everything.

    Args:
        outcomes: labels and predictions.
        calibration: where thresholds come from; None = cross-fitted halves of this set.
        prevalence: share of damaged items for which precision is stated.
        repeats: bootstrap repeats of the intervals.
    """
    result: dict[str, Any] = {'format': FORMAT, **_counts(outcomes)}
    result['intervals'] = {}
    for severity, wanted in (('any', outcomes.damaged), ('major', outcomes.major)):
        if wanted.any():
            values, intervals = _rankings(outcomes, wanted, repeats)
            result |= {f'{name}_{severity}': value for name, value in values.items()}
            result['intervals'] |= {f'{name}_{severity}': v for name, v in intervals.items()}
    result['by_type'] = _by_type(outcomes)
    judged = ~outcomes.unknown
    result['expected_calibration_error'] = ranking.expected_calibration_error(
        outcomes.damaged[judged], outcomes.score[judged]
    )
    result['operating_points'] = [
        operating_point(outcomes, threshold, prevalence)
        for threshold in thresholds(outcomes, calibration)
    ]
    return result | located_metrics(outcomes)


def _counts(outcomes: Outcomes) -> dict[str, Any]:
    def count(rows: Bools) -> dict[str, int]:
        return {
            'images': int(rows.sum()),
            'items': len(np.unique(outcomes.item[rows])),
            'unknown': int((rows & outcomes.unknown).sum()),
            'missed': int((rows & outcomes.missed).sum()),
        }

    return {
        'images': len(outcomes.score),
        'outcomes': {
            'sound': count(~outcomes.damaged),
            'damaged': count(outcomes.damaged),
            'major': count(outcomes.major),
        },
    }


def _rankings(
    outcomes: Outcomes, wanted: Bools, repeats: int
) -> tuple[dict[str, float], dict[str, tuple[float, float]]]:
    """Rank `wanted` above sound items; other damaged items (the minor ones) are left out."""
    rows, damaged, score = _ranked(outcomes, wanted)
    values = {name: measure(damaged, score) for name, measure in MEASURES.items()}
    intervals = {
        name: ranking.bootstrap_interval(
            MEASURES[name], damaged, score, outcomes.item[rows], repeats=repeats
        )
        for name in ('auroc', 'ap', 'roc_recall_at_1pct')
        if math.isfinite(values[name])
    }
    return values, intervals


def _by_type(outcomes: Outcomes) -> dict[str, Any]:
    """Rank each type of damage above sound items, and all that are not `missing_unit` together."""
    missing = DamageType.MISSING_UNIT
    groups = {kind.name.lower(): {kind} for kind in DamageType}
    groups[f'not_{missing.name.lower()}'] = set(DamageType) - {missing}
    result = {}
    for name, kinds in groups.items():
        wanted = np.array(
            [any(d.damage_type in kinds for d in s.damages) for s in outcomes.samples]
        )
        if wanted.any():
            _, damaged, score = _ranked(outcomes, wanted)
            result[name] = {'images': int(wanted.sum())} | {
                measure: MEASURES[measure](damaged, score) for measure in OF_A_TYPE
            }
    return result


def _ranked(outcomes: Outcomes, wanted: Bools) -> tuple[Bools, Bools, NDArray[np.float64]]:
    """Give the rows that are ranked, which of them are wanted, and their scores."""
    rows = wanted | (~outcomes.damaged & ~outcomes.unknown)
    return rows, wanted[rows], np.where(outcomes.unknown, -1.0, outcomes.score)[rows]
