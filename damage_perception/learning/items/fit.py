"""Grow the trees that tell which pieces of a picture are one item."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.exported_trees import exported_trees
from damage_perception.learning.items.pairs_seen import Row
from damage_perception.network.boosted_trees import BoostedTrees

_TREES = 200
_WRONG = 0.01  # share of the pairs of two items that may be joined, among pictures held out
_HELD_OUT = 5  # every fifth picture


@dataclass(frozen=True)
class Seen:
    """What one picture shows: features of pairs of pieces, and whether both are of one item."""

    rows: Sequence[Row]
    same: Sequence[bool]


def fit_joins(pictures: Sequence[Seen], seed: int) -> tuple[tuple[str, ...], float, BoostedTrees]:
    """Grow trees on four fifths of the pictures; the others tell from which logit to join.

    Returns:
        The features that are asked for, that logit, and the trees.
    """
    names = tuple(sorted({name for seen in pictures for row in seen.rows for name in row}))
    learnt = [seen for k, seen in enumerate(pictures) if k % _HELD_OUT]
    held_out = pictures[::_HELD_OUT]
    trees = _grown(learnt, names, seed)
    values, same, weights = _table(held_out, names)
    apart = ~same
    logits = trees.logits(values[apart])
    order = np.argsort(-logits)
    passed = np.cumsum(weights[apart][order]) / weights[apart].sum()
    least = float(logits[order][int(np.searchsorted(passed, _WRONG))])
    return names, max(0.0, least), trees


def _grown(pictures: Sequence[Seen], names: Sequence[str], seed: int) -> BoostedTrees:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    values, same, weights = _table(pictures, names)
    model = HistGradientBoostingClassifier(
        learning_rate=0.06, max_iter=_TREES, max_leaf_nodes=8, min_samples_leaf=15,
        l2_regularization=5.0, max_features=0.4, random_state=seed, early_stopping=False,
    )  # fmt: skip
    with threadpool_limits(1):
        model.fit(values, same, weights)
    return exported_trees(model)


def _table(
    pictures: Sequence[Seen], names: Sequence[str]
) -> tuple[NDArray[np.float32], NDArray[np.bool_], NDArray[np.float64]]:
    """Give features, truth and weights; a picture of many pieces weighs less for each."""
    rows = [[row.get(name, math.nan) for name in names] for seen in pictures for row in seen.rows]
    same = [value for seen in pictures for value in seen.same]
    weights = [1.0 / math.sqrt(len(seen.same)) for seen in pictures for _ in seen.same]
    return np.array(rows, np.float32), np.array(same, bool), np.array(weights)
