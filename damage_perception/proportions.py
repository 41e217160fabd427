"""What a count of events in a sample says about a share: bounds, sample sizes, precision."""

from __future__ import annotations

import math

from scipy.stats import beta


def upper_bound(events: int, trials: int, confidence: float = 0.95) -> float:
    """Give the one-sided upper Clopper-Pearson bound of a share.

    Args:
        events: how often it happened, 0 to `trials`.
        trials: independent trials; 0 gives 1.0, since nothing is known.
        confidence: chance in [0, 1) that the bound holds.

    Source: C. Clopper and E. Pearson, Biometrika 26 (1934), as quantiles of a beta distribution.
    """
    _check(events, trials, confidence)
    if events >= trials:
        return 1.0
    return float(beta.ppf(confidence, events + 1, trials - events))


def interval(events: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Give the two-sided Clopper-Pearson interval of a share."""
    _check(events, trials, confidence)
    if trials == 0:
        return 0.0, 1.0
    tail = (1.0 - confidence) / 2.0
    low = 0.0 if events == 0 else float(beta.ppf(tail, events, trials - events + 1))
    high = 1.0 if events == trials else float(beta.ppf(1.0 - tail, events + 1, trials - events))
    return low, high


def trials_needed(budget: float, confidence: float = 0.95) -> int:
    """Say how many trials without one event bound a share by `budget`: 2,995 for 0.1 % at 95 %."""
    check_budget(budget, confidence)
    return math.ceil(math.log1p(-confidence) / math.log1p(-budget) - 1e-9)


def events_allowed(trials: int, budget: float, confidence: float = 0.95) -> int:
    """Give the most events that still keep the upper bound within `budget`; -1 = not even none."""
    check_budget(budget, confidence)
    low, high = -1, trials
    while high - low > 1:
        middle = (low + high) // 2
        if upper_bound(middle, trials, confidence) <= budget:
            low = middle
        else:
            high = middle
    return low


def precision_at(recall: float, false_alarm_rate: float, prevalence: float) -> float:
    """Give the share of alarms that are right when a share `prevalence` of items is damaged.

    Bayes' rule; NaN where there is no alarm at all.
    """
    hits = recall * prevalence
    alarms = hits + false_alarm_rate * (1.0 - prevalence)
    return hits / alarms if alarms > 0.0 else math.nan


def check_budget(budget: float, confidence: float) -> None:
    """Refuse a budget or a confidence outside (0, 1).

    Raises:
        ValueError: naming the value.
    """
    for name, value in (('budget', budget), ('confidence', confidence)):
        if not 0.0 < value < 1.0:
            raise ValueError(f'{name} must lie between 0 and 1, got {value}')


def _check(events: int, trials: int, confidence: float) -> None:
    if not 0 <= events <= trials:
        raise ValueError(f'events must lie in [0, {trials}], got {events}')
    if not 0.0 <= confidence < 1.0:
        raise ValueError(f'confidence must lie in [0, 1), got {confidence}')
