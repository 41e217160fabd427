"""From distances to a rule: how sure an identification is, and when to say that it is unknown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from damage_perception.learning.identification.views import ProductPictures
from damage_perception.perception.identification.identification import (
    SIZE_FLOOR_M,
    Identifier,
    distances,
    probabilities,
    prototype,
)
from damage_perception.perception.identification.network import (
    DIMENSION,
    IdentificationNetwork,
)

GATE = 0.2  # largest deviation of a size from the references', a share
_BATCH = 256


@dataclass(frozen=True, eq=False)
class Trial:
    """Items and how far each is from every enrolled product.

    Attributes:
        distance: (N, P) squared, infinite where the size rules a product out.
        sure: (N,).
        own: (N,) column of the right product.
        rows: (N,) row of the item in the data.
        skus: (P,).
    """

    distance: NDArray[np.float64]
    sure: NDArray[np.float64]
    own: NDArray[np.int64]
    rows: NDArray[np.int64]
    skus: NDArray[np.str_]

    def hidden(self) -> Trial:
        """Give the same items with their own product not enrolled."""
        distance = self.distance.copy()
        distance[np.arange(len(distance)), self.own] = np.inf
        return Trial(distance, self.sure, np.full_like(self.own, -1), self.rows, self.skus)


def features_of(
    network: IdentificationNetwork, data: ProductPictures
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the features of all pictures and how sure they are."""
    identifier = Identifier(network)
    parts = [
        identifier.features_of(data.pictures[first : first + _BATCH])
        for first in range(0, len(data.pictures), _BATCH)
    ]
    return np.concatenate([part[0] for part in parts]), np.concatenate([part[1] for part in parts])


def compare(network: IdentificationNetwork, data: ProductPictures, gate: float) -> Trial:
    """Compare each item with the mean of the references of every product."""
    features, sure = features_of(network, data)
    skus = np.unique(data.sku[data.reference])
    table = np.stack([prototype(features[data.reference & (data.sku == sku)]) for sku in skus])
    rows = np.flatnonzero(~data.reference & np.isin(data.sku, skus))
    distance = distances(features[rows], table).astype(np.float64)
    lengths = features[rows, None, -3:-1]
    slack = np.maximum(gate * table[:, DIMENSION:], SIZE_FLOOR_M)
    distance[~(np.abs(lengths - table[:, DIMENSION:]) <= slack).all(axis=2)] = np.inf
    return Trial(distance, sure[rows].astype(np.float64), np.searchsorted(skus, data.sku[rows]),
                 rows, skus)  # fmt: skip


def fit_rule(trial: Trial, invented: float = 0.01) -> tuple[float, ...]:
    """Fit probabilities by likelihood on items of known and, their own hidden, unknown products.

    Args:
        trial: validation items.
        invented: share of the items of products that are not enrolled that may be named: a wrong
            name brings wrong references, no name only brings none.

    Returns:
        The rule of `IdentificationNetwork`.
    """
    hidden = trial.hidden()
    right = np.isfinite(trial.distance[np.arange(len(trial.own)), trial.own])

    def surprise(values: NDArray[np.float64]) -> float:
        rule = (float(np.exp(values[0])), float(np.exp(values[1])), float(values[2]))
        known = probabilities(trial.distance, trial.sure, rule)
        told = known[np.arange(len(known)), np.where(right, trial.own, -1)]
        unknown = probabilities(hidden.distance, hidden.sure, rule)[:, -1]
        return float(-np.log(np.maximum(told, 1e-12)).mean()
                     - np.log(np.maximum(unknown, 1e-12)).mean())  # fmt: skip

    fitted = minimize(surprise, np.array([np.log(0.1), np.log(20.0), 0.0]), method='Nelder-Mead',
                    options={'maxiter': 200, 'xatol': 1e-3, 'fatol': 1e-5}).x  # fmt: skip
    rule = (float(np.exp(fitted[0])), float(np.exp(fitted[1])), float(fitted[2]))
    best = probabilities(hidden.distance, hidden.sure, rule)[:, :-1].max(axis=1)
    return (*rule, float(np.quantile(best, 1 - invented)), GATE)
