"""What a threshold does on a test set: recalls, alarms and precision, each with its interval."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.metrics.thresholds import Threshold
from damage_perception.proportions import interval, precision_at
from damage_perception.report import DamageType, Severity

DEPTH_BINS_MM = (0, 5, 8, 12, 20, 30, math.inf)
LOOKALIKE = 'lookalike:'  # tag of prints that look like damage
HARD = (LOOKALIKE, 'oddity:')  # tags of sound items that tempt to an alarm
Bools = NDArray[np.bool_]


def operating_point(outcomes: Outcomes, threshold: Threshold, prevalence: float) -> dict[str, Any]:
    """Judge a test set by one threshold, and say at what prevalence of damage it is how precise."""
    called = ~outcomes.unknown & (np.nan_to_num(outcomes.score, nan=-1.0) >= threshold.value)
    sound = ~outcomes.damaged & ~outcomes.unknown
    false_alarms = _share(called, sound)
    recall = _share(called, outcomes.damaged)
    plain = sound & ~_tagged(outcomes, HARD)
    plain_rate = _share(called, plain)
    values = np.unique(threshold.value)
    result: dict[str, Any] = {
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
        'alarms_lookalike': _share(called, sound & _tagged(outcomes, (LOOKALIKE,))),
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
    for low, high in pairwise(DEPTH_BINS_MM):
        rows = outcomes.damaged & (depth >= low) & (depth < high)
        if rows.any():
            result[f'{low}+' if math.isinf(high) else f'{low}-{high}'] = _share(called, rows)
    return result


def _of_severity(outcomes: Outcomes, severity: Severity) -> Bools:
    worst = np.array([sample.severity == severity for sample in outcomes.samples])
    rows: Bools = outcomes.damaged & np.asarray(worst, bool)
    return rows


def _tagged(outcomes: Outcomes, prefixes: tuple[str, ...]) -> Bools:
    return np.array(
        [any(tag.startswith(prefixes) for tag in sample.tags) for sample in outcomes.samples], bool
    )
