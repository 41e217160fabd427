"""What a raw score means and which P(damaged) is diverted, as `damage-perception calibrate` found.

Only asking; the fitting needs labelled data and lies in `learning/`, the file in
`calibration_file.py`.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.perception.decision.odds import log_odds, logistic, shifted
from damage_perception.report import ItemReport

GEOMETRY = 'geometry 2'  # names the detector without a network; counts up when its scores change


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it rests on.

    Attributes:
        budget: share of sound items that may be diverted.
        threshold: P(damaged) from which an item is diverted.
        bound: upper bound of the share of sound items diverted; at most the budget.
        sound_items: independent sound items behind it.
        alarms: how many of those reach the threshold.
    """

    budget: float
    threshold: float
    bound: float
    sound_items: int
    alarms: int


@dataclass(frozen=True)
class ScoreCurve:
    """P(damaged) of a raw score: a logistic, so strictly rising and never at 0 or 1.

    Source: J. Platt, Probabilistic outputs for support vector machines, 1999.

    Attributes:
        slope: log-odds per unit of the raw score, above 0.
        offset: log-odds at score 0.
    """

    slope: float
    offset: float

    def log_odds(self, score: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Map raw scores to log-odds; NaN stays NaN."""
        return self.slope * np.asarray(score, np.float64) + self.offset

    def probability(self, score: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Map raw scores to P(damaged), within (0, 1); NaN stays NaN."""
        return logistic(self.log_odds(score))


@dataclass(frozen=True)
class Calibration:
    """Threshold, budget and evidence.

    Attributes:
        point: what the nodes use.
        confidence: chance that the bounds hold.
        detector: SHA-256 of the weights that were calibrated, or GEOMETRY; '' = not said.
        curve: what a raw score means; None = the scores calibrated were P(damaged) already.
        prevalence: share of damaged items for which `curve` was made.
        groups: points of product groups that had data enough of their own, by tag
            (`family:carton`).
        points: further budgets, largest first, for evaluation.
        evidence: everything else that was measured, as written.
        version: SHA-256 of the file; '' = there is none.
    """

    point: OperatingPoint
    confidence: float
    detector: str = ''
    curve: ScoreCurve | None = None
    prevalence: float = 0.001
    groups: Mapping[str, OperatingPoint] = field(default_factory=dict)
    points: tuple[OperatingPoint, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)
    version: str = field(default='', compare=False)

    def threshold_for(self, group: str = '') -> float:
        """Give the threshold of a product group, or the common one."""
        return self.groups.get(group, self.point).threshold

    def check_detector(self, detector: str, source: str = 'the calibration') -> None:
        """Refuse a detector that was not the one calibrated; both must be known to differ.

        Raises:
            UserError: naming both.
        """
        if self.detector and detector and self.detector != detector:
            raise UserError(
                f'{source} was made for {named(self.detector)}, but {named(detector)} judges '
                'here; run damage-perception calibrate for it or give its own calibration'
            )

    def said(self, score: float, probability: float) -> float:
        """Give P(damaged) of a raw score; `probability` is what the detector takes it for."""
        if self.curve is None or not math.isfinite(score):
            return probability
        return float(self.curve.probability(score))

    def apply(self, item: ItemReport) -> ItemReport:
        """Give an item the P(damaged) of its raw score; its damages and pixels move along.

        What the calibration adds to the log-odds of the item is added to those of each damage and
        pixel, so that the worst place of an item still says what the item says.
        """
        if self.curve is None or not math.isfinite(item.segmentation_score):
            return item
        said = self.curve.log_odds(item.segmentation_score)
        shift = float(said - log_odds(np.float64(item.confidence)))

        return dataclasses.replace(
            item,
            confidence=float(logistic(said)),
            damages=tuple(
                dataclasses.replace(damage, confidence=float(shifted(damage.confidence, shift)))
                for damage in item.damages
            ),
            confidence_map=shifted(item.confidence_map, shift),
        )


# Raw scores as they come, such as what a calibration is fitted to.
UNCALIBRATED = Calibration(OperatingPoint(1.0, 0.5, 1.0, 0, 0), 0.95)


def named(detector: str) -> str:
    """Name a detector for people: hashes are cut short."""
    return detector if ' ' in detector else f'weights {detector[:12]}'
