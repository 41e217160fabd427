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

from damage_perception.learning import ranking
from damage_perception.learning.located import located_metrics
from damage_perception.learning.outcomes import Outcomes
from damage_perception.learning.proportions import interval, precision_at
from damage_perception.learning.thresholds import Threshold, thresholds
from damage_perception.perception.calibration import Calibration
from damage_perception.report import DamageType, Severity

FORMAT = 'damage_perception/metrics 1'
DEPTH_BINS_MM = (0, 5, 8, 12, 20, 30, math.inf)
HARD = ('lookalike:', 'oddity:')
Bools = NDArray[np.bool_]


def evaluate(
    outcomes: Outcomes,
    calibration: Calibration | None = None,
    prevalence: float = 0.001,
    repeats: int = 300,
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
    judged = ~outcomes.unknown
    result['expected_calibration_error'] = ranking.expected_calibration_error(
        outcomes.damaged[judged], outcomes.score[judged]
    )
    result['operating_points'] = [
        _operating_point(outcomes, threshold, prevalence)
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
    rows = wanted | (~outcomes.damaged & ~outcomes.unknown)
    damaged = wanted[rows]
    score = np.where(outcomes.unknown, -1.0, outcomes.score)[rows]
    measures: dict[str, ranking.Measure] = {
        'auroc': ranking.auroc,
        'ap': ranking.average_precision,
        'recall_at_50_precision': ranking.recall_at_precision,
        'roc_recall_at_1pct': lambda d, s: ranking.recall_at_false_alarms(d, s, 0.01),
        'roc_recall_at_0.1pct': lambda d, s: ranking.recall_at_false_alarms(d, s, 0.001),
    }
    values = {name: measure(damaged, score) for name, measure in measures.items()}
    intervals = {
        name: ranking.bootstrap_interval(
            measures[name], damaged, score, outcomes.item[rows], repeats=repeats
        )
        for name in ('auroc', 'ap', 'roc_recall_at_1pct')
        if math.isfinite(values[name])
    }
    return values, intervals


def _operating_point(outcomes: Outcomes, threshold: Threshold, prevalence: float) -> dict[str, Any]:
    called = ~outcomes.unknown & (np.nan_to_num(outcomes.score, nan=-1.0) >= threshold.value)
    sound = ~outcomes.damaged & ~outcomes.unknown
    false_alarms = _share(called, sound)
    recall = _share(called, outcomes.damaged)
    plain = sound & ~np.isin(np.arange(len(sound)), _rows_tagged(outcomes))
    plain_rate = _share(called, plain)
    values = np.unique(threshold.value)
    result = {
        'budget': threshold.budget,
        'threshold': float(values[0]) if len(values) == 1 else [float(v) for v in values],
        'threshold_from': threshold.source,
        'sound_items_behind_it': int(threshold.sound_items),
        'bound': threshold.bound,
        'recall_any': recall,
        'recall_major': _share(called, outcomes.major) if outcomes.has_major else None,
        'false_alarms': false_alarms,
        'precision_at_prevalence': _precision(recall, false_alarms, prevalence),
        'recall_by_type': _by_type(outcomes, called),
        'recall_by_severity': {
            severity.name.lower(): _share(called, rows)
            for severity in Severity
            if (rows := _of_severity(outcomes, severity)).any()
        },
        'recall_by_depth_mm': _by_depth(outcomes, called),
        'alarms_plain': plain_rate,
        'alarms_by_tag': {},
    }
    for tag in outcomes.tags(*HARD):
        share = _share(called, sound & outcomes.tagged(tag))
        if share['of'] and plain_rate['rate']:
            share['times_plain'] = share['rate'] / plain_rate['rate']
        result['alarms_by_tag'][tag] = share
    return result


def _share(called: Bools, rows: Bools) -> dict[str, Any]:
    """Give a share with its two-sided 95 % Clopper-Pearson interval."""
    events, trials = int((called & rows).sum()), int(rows.sum())
    low, high = interval(events, trials)
    rate = events / trials if trials else math.nan
    return {'count': events, 'of': trials, 'rate': rate, 'low': low, 'high': high}


def _precision(recall: dict[str, Any], alarms: dict[str, Any], prevalence: float) -> dict[str, Any]:
    return {
        'prevalence': prevalence,
        'precision': precision_at(recall['rate'], alarms['rate'], prevalence),
        'low': precision_at(recall['low'], alarms['high'], prevalence),
        'high': precision_at(recall['high'], alarms['low'], prevalence),
    }


def _by_type(outcomes: Outcomes, called: Bools) -> dict[str, Any]:
    result = {}
    for kind in DamageType:
        rows = np.array([any(d.damage_type == kind for d in s.damages) for s in outcomes.samples])
        if rows.any():
            result[kind.name.lower()] = _share(called, rows)
    return result


def _by_depth(outcomes: Outcomes, called: Bools) -> dict[str, Any]:
    depth = outcomes.depth_m * 1000.0
    result = {}
    for low, high in zip(DEPTH_BINS_MM, DEPTH_BINS_MM[1:]):
        rows = outcomes.damaged & (depth >= low) & (depth < high)
        if rows.any():
            result[f'{low}+' if math.isinf(high) else f'{low}-{high}'] = _share(called, rows)
    return result


def _of_severity(outcomes: Outcomes, severity: Severity) -> Bools:
    worst = np.array([sample.severity == severity for sample in outcomes.samples])
    return outcomes.damaged & worst


def _rows_tagged(outcomes: Outcomes) -> list[int]:
    return [
        row
        for row, sample in enumerate(outcomes.samples)
        if any(tag.startswith(HARD) for tag in sample.tags)
    ]
