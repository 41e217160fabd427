"""Fit the evidence: boosted trees over what geometry, network, reference and quality say."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.exported_trees import exported_trees
from damage_perception.learning.metrics.ranking import auroc, recall_at_false_alarms
from damage_perception.learning.training.evidence_rows import Row
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.network.boosted_trees import BoostedTrees
from damage_perception.network.outputs import ANY, SCORES
from damage_perception.perception.evidence.evidence import EvidenceModel

# The surer these are, the higher the score: so a dent that geometry is sure of is never unlearned.
RISING = ('dent', 'lift', 'hole', f'net_{SCORES[ANY]}', 'net_item_top5', 'net_item_top25',
          'net_item_top100', 'net_item_sure')  # fmt: skip
_MINOR_WEIGHT = 0.5  # minor damage may be let go on
_COUNTS = (40, 80, 150, 300)  # of trees, among which the shifted validation split chooses
# What a product looks like, more than what is wrong with it; the split chooses whether to ask.
_OF_STYLE = ('grey', 'chroma', 'edges', 'local', 'beside', 'length', 'width')
_RATE = 0.05


def fit_evidence(
    rows: Sequence[Row],
    views: Sequence[StoredView],
    choosing: Sequence[Row],
    chosen_by: Sequence[StoredView],
    seed: int,
) -> EvidenceModel:
    """Fit trees on one split; choose on another how many, and whether they ask for style.

    Args:
        rows: features to learn from; a view may come several times, with less known each time.
        views: the view of each row.
        choosing: features of the shifted validation split.
        chosen_by: the view of each of those.
        seed: of the ties.
    """
    names = tuple(name for name in sorted({name for row in rows for name in row})
                  if any(math.isfinite(row.get(name, math.nan)) for row in rows))  # fmt: skip
    plain = tuple(name for name in names if not name.startswith(_OF_STYLE))
    candidates = [
        EvidenceModel(asked, first(trees, count))
        for asked in dict.fromkeys((plain, names))
        for trees in [_grown(rows, views, asked, seed)]
        for count in _COUNTS
    ]
    return max(candidates, key=lambda candidate: _merit(candidate, choosing, chosen_by))


def _grown(
    rows: Sequence[Row], views: Sequence[StoredView], names: Sequence[str], seed: int
) -> BoostedTrees:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    damaged = np.array([view.damaged for view in views])
    minor = damaged & ~np.array([view.major for view in views])
    model = HistGradientBoostingClassifier(
        learning_rate=_RATE, max_iter=_COUNTS[-1], max_leaf_nodes=8, min_samples_leaf=60,
        l2_regularization=10.0, max_features=0.4, random_state=seed, early_stopping=False,
        monotonic_cst=[int(name in RISING) for name in names],
    )  # fmt: skip
    with threadpool_limits(1):  # threads that wait for each other on a busy machine take minutes
        model.fit(_matrix(rows, names), damaged, np.where(minor, _MINOR_WEIGHT, 1.0))
    return exported_trees(model)


def first(trees: BoostedTrees, count: int) -> BoostedTrees:
    """Give the model of the first trees: each mends what those before it left."""
    arrays = {name: values[:count] for name, values in trees.tensors().items() if name != 'base'}
    return BoostedTrees(trees.base, **arrays)  # type: ignore[arg-type]


def _merit(model: EvidenceModel, rows: Sequence[Row], views: Sequence[StoredView]) -> float:
    scores = model.scores(list(rows))
    damaged = np.array([view.damaged for view in views])
    major = np.array([view.major for view in views])
    kept = major | ~damaged
    truth, ranked = major[kept], scores[kept]
    return auroc(truth, ranked) + recall_at_false_alarms(truth, ranked, 0.01)


def _matrix(rows: Sequence[Row], names: Sequence[str]) -> NDArray[np.float32]:
    return np.array([[row.get(name, math.nan) for name in names] for row in rows], np.float32)
