"""The curve from a raw score to P(damaged), fitted to labelled items."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from damage_perception.errors import UserError
from damage_perception.perception.decision.calibration import ScoreCurve

FEWEST = 30  # items of each kind below which a curve says nothing


def fit_curve(
    sound: NDArray[np.float64], damaged: NDArray[np.float64], prevalence: float
) -> ScoreCurve:
    """Fit a logistic by maximum likelihood, weighted to a share of damaged items.

    Labels are drawn in by a pseudo-count each, so that scores which part the items wholly still
    give a finite slope.

    Source: J. Platt, Probabilistic outputs for support vector machines, 1999.

    Args:
        sound: (N,) raw scores of sound items, finite.
        damaged: (M,) raw scores of damaged items, finite.
        prevalence: share of items that are damaged where the curve is used.

    Raises:
        UserError: if there are too few items, or damaged ones do not score higher.
    """
    if min(len(sound), len(damaged)) < FEWEST:
        raise UserError(
            f'{len(sound):,} sound and {len(damaged):,} damaged items were judged, {FEWEST} of '
            'each are needed to say what a score means; label or render more'
        )
    scores = np.concatenate([sound, damaged])
    centre, scale = float(np.median(scores)), float(np.std(scores)) or 1.0
    x = (scores - centre) / scale
    target = np.concatenate([
        np.full(len(sound), 1.0 / (len(sound) + 2.0)),
        np.full(len(damaged), (len(damaged) + 1.0) / (len(damaged) + 2.0)),
    ])  # fmt: skip
    # Fitted as if both kinds were equally many, and moved to the prevalence afterwards: damaged
    # items would hardly count in a fit at 0.1 %.
    weight = np.repeat([0.5 / len(sound), 0.5 / len(damaged)], [len(sound), len(damaged)])

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = parameters[0] * x + parameters[1]
        miss = 1.0 / (1.0 + np.exp(-odds)) - target
        value = np.sum(weight * (np.logaddexp(0.0, odds) - target * odds))
        return float(value), np.array([np.sum(weight * miss * x), np.sum(weight * miss)])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, method='BFGS')
    slope, offset = (float(value) for value in found.x)
    if not slope > 1e-6:
        raise UserError(
            'damaged items do not score higher than sound ones, so the scores mean nothing; '
            'look at the labels and at the detector'
        )
    shift = float(np.log(prevalence) - np.log1p(-prevalence))
    return ScoreCurve(slope / scale, offset - slope * centre / scale + shift)
