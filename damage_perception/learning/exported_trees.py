"""Take boosted trees out of the library that grew them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.network.boosted_trees import BoostedTrees


def exported_trees(model: Any) -> BoostedTrees:
    """Give the trees of a `HistGradientBoostingClassifier`; leaves point at themselves."""
    grown = [predictors[0].nodes for predictors in model._predictors]
    most = max(len(nodes) for nodes in grown)
    shape = (len(grown), most)
    own = np.broadcast_to(np.arange(most, dtype=np.int32), shape)
    feature, left, right = np.zeros(shape, np.int32), own.copy(), own.copy()
    threshold, value = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    missing = np.zeros(shape, bool)
    for row, nodes in enumerate(grown):
        inner = ~nodes['is_leaf'].astype(bool)
        spot = np.flatnonzero(inner)
        feature[row, spot] = nodes['feature_idx'][inner]
        threshold[row, spot] = _not_above(nodes['num_threshold'][inner])
        left[row, spot], right[row, spot] = nodes['left'][inner], nodes['right'][inner]
        missing[row, spot] = nodes['missing_go_to_left'][inner].astype(bool)
        value[row, np.flatnonzero(~inner)] = nodes['value'][~inner]
    base = np.asarray(model._baseline_prediction, np.float32).reshape(1)
    return BoostedTrees(base, feature, threshold, left, right, missing, value)


def _not_above(thresholds: NDArray[np.float64]) -> NDArray[np.float32]:
    """Round down, so that the float32 values that were learned from still go the same way."""
    rounded = thresholds.astype(np.float32)
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)
