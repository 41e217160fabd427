"""Whether the rate of an outcome keeps to its budget, told as early as chance allows."""

from __future__ import annotations

import math
from dataclasses import dataclass

from damage_perception.report import Verdict
from damage_perception.setting import check_ranges, setting

_ODDS = 10.0  # the rate to be found fastest has this many times the odds of the budget
# Chance of a false warning: at most 1 % in 10,000 items.
_LIMIT = math.log(10_000 / 0.01)


@dataclass
class BudgetWatch:
    """A CUSUM of the log-likelihood ratio of a rate far over the budget against the budget.

    It warns when the sum reaches ln(10,000 / 0.01): each start of a sum is a one-sided sequential
    test that is crossed by chance with probability 0.01 / 10,000 at most (Ville's inequality), so
    that within 10,000 items that keep to the budget one of them does with at most 1 %. It ends to
    warn when the sum is back at zero, where it starts, and never changes a threshold.

    Source: E. S. Page, Continuous inspection schemes, Biometrika 41 (1954); for single items
    M. R. Reynolds and Z. G. Stoumbos, A CUSUM chart for monitoring a proportion when inspecting
    continuously, Journal of Quality Technology 31 (1999).

    Attributes:
        budget: share of items, within (0, 1), that the outcome may have.
        warning: whether the rate lies over the budget, as far as can be told.
    """

    budget: float
    warning: bool = False
    _sum: float = 0.0

    def take(self, happened: bool) -> bool:
        """Take the next item; tells whether a warning begins with it."""
        odds = _ODDS * self.budget / (1.0 - self.budget)
        rate = odds / (1.0 + odds)
        if happened:
            step = math.log(rate / self.budget)
        else:
            step = math.log((1.0 - rate) / (1.0 - self.budget))
        # Held at the limit, so that a long warning ends as soon as a short one.
        self._sum = min(max(self._sum + step, 0.0), _LIMIT)
        begins = self._sum >= _LIMIT and not self.warning
        self.warning = self._sum >= _LIMIT or (self.warning and self._sum > 0.0)
        return begins


@dataclass(frozen=True)
class WatchSettings:
    """What share of all items may have which outcome before somebody is told."""

    divert_budget: float = setting(
        0.01, 'Share of items that may be diverted or inspected before diagnostics warn.',
        low=1e-5, high=0.9,
    )  # fmt: skip
    unknown_budget: float = setting(
        0.05,
        'Share of items that may be UNKNOWN, or unlike their references, before diagnostics warn.',
        low=1e-5, high=0.9,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_ranges(self)


class OutcomeWatch:
    """Watch what is decided against its budgets; `settings` may be replaced at any time."""

    def __init__(self, settings: WatchSettings) -> None:
        self.settings = settings
        self._diverts = BudgetWatch(settings.divert_budget)
        self._unknown = BudgetWatch(settings.unknown_budget)
        self._suspect = BudgetWatch(settings.unknown_budget)

    def take(self, verdict: Verdict, suspect_reference: bool = False) -> None:
        """Take the decision on the next item, and whether its references look stale."""
        self._diverts.budget = self.settings.divert_budget
        self._unknown.budget = self._suspect.budget = self.settings.unknown_budget
        self._diverts.take(verdict in (Verdict.DIVERT, Verdict.INSPECT))
        self._unknown.take(verdict is Verdict.UNKNOWN)
        self._suspect.take(suspect_reference)

    def warnings(self) -> list[str]:
        """Say which rates lie over their budgets; empty = none."""
        watches = {
            'diverted or inspected': self._diverts,
            'UNKNOWN': self._unknown,
            'unlike their references': self._suspect,
        }
        return [
            f'more than {watch.budget:.3%} of the items are {name}: check the camera, the light '
            'and whether designs have changed'
            for name, watch in watches.items()
            if watch.warning
        ]
