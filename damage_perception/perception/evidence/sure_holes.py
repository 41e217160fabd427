"""A hole that depth is sure of is one whatever it looks like.

The trees, which saw a handful of those, trust looks instead. Gaps between the units of a set and
what is cut for a hand are as deep, so the network must not know the place as sound, and an oblong
one does not count: of 8,805 rendered sound items one is left of 36.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.judgement import NetworkJudgement
from damage_perception.perception.geometry.geometry import DamageBlob, GeometryEvidence
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageType

_HOLE, _SURE_HOLE = 4.0, 10.0  # deviations, see `find_holes`
_DEEP_M = 0.02
_OBLONG = 1.8  # length over width
_HOLE_SCORE, _SURE_SCORE = 3.5, 5.0
_KNOWN_SOUND = -0.5  # log-odds of damage below which the network knows a place as sound
_FEWEST_PIXELS = 5  # that have a shape
_STRAIGHT = 0.96  # of its hull that an outline of straight sides fills


def hole_score(
    view: ItemView,
    features: Mapping[str, float],
    geometry: GeometryEvidence,
    network: NetworkJudgement | None,
) -> float:
    """Give the least score of a view that holes allow, -inf = they say nothing.

    Args:
        view: the item.
        features: of the view, see `item_features`.
        geometry: of the same view.
        network: of the same view; None = it was not asked.
    """
    certain = features['hole'] > _SURE_HOLE
    board = (
        features['rigid'] > 0.95
        and features['convexity'] > 0.97
        and features['roughness'] < 1.5
        and features['measured'] > 0.9
    )
    if not certain and not board:
        return -math.inf
    broken = [b for b in geometry.blobs if _is_broken(b, view.height_m, network)]
    if certain and any(blob.damage_type is DamageType.HOLE for blob in broken):
        return _SURE_SCORE if features['convexity'] > _STRAIGHT else _HOLE_SCORE
    found = features['hole'] > _HOLE or any(blob.depth_m > _DEEP_M for blob in broken)
    return _HOLE_SCORE if board and broken and found else -math.inf


def _is_broken(
    blob: DamageBlob, height_m: NDArray[np.float32], network: NetworkJudgement | None
) -> bool:
    """Tell whether a place is a hole or as deep as one, and nothing that is made like that."""
    if blob.damage_type is not DamageType.HOLE and not blob.depth_m > _DEEP_M:
        return False
    if network is not None and np.fmax.reduce(network.log_odds[blob.mask]) < _KNOWN_SOUND:
        return False
    core = blob.mask & (height_m < -0.5 * blob.depth_m)  # without the rim, which makes it rounder
    return not _is_oblong(blob.mask) and not _is_oblong(core)


def _is_oblong(mask: NDArray[np.bool_]) -> bool:
    if np.count_nonzero(mask) < _FEWEST_PIXELS:
        return False
    sides = cv2.minAreaRect(np.argwhere(mask).astype(np.int32))[1]
    return max(sides) > _OBLONG * max(min(sides), 1.0)
