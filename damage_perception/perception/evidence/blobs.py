"""Damages cut out of what the network says about a view."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.judgement import NetworkJudgement
from damage_perception.perception.decision.odds import logistic
from damage_perception.perception.geometry.geometry import DamageBlob
from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.outline import filled
from damage_perception.quantiles import median, quantiles
from damage_perception.report import DamageType

_AROUND_M = 0.03  # the ring around a damage that its depth is measured from
_LEAST_AREA_M2 = 5e-5
_MOST = 8
_BELOW_PEAK = 3.0  # log-odds below its peak to which a damage reaches, where nothing is likelier
_FLOOR = -4.0  # log-odds below which nothing is pointed at
_FLAT = 0.5  # share of an item as near the peak, from which that is no place but all of it


def network_blobs(view: ItemView, network: NetworkJudgement) -> list[DamageBlob]:
    """Cut out what is likelier damage than not; if nothing is, the likeliest place.

    Damage lies on the item, in its holes too; only what was spilt lies beside it. Where nothing is
    likelier than not and half of the item is as likely as the rest, no place is pointed at.
    """
    odds = np.nan_to_num(network.log_odds, nan=-99.0)
    peak = float(odds.max(initial=-99.0))
    if peak < _FLOOR:
        return []
    item = filled(view.item_mask)
    body = odds > min(0.0, peak - _BELOW_PEAK)
    if peak < 0.0 and np.count_nonzero(body & item) > _FLAT * np.count_nonzero(item):
        return []
    least = _LEAST_AREA_M2 / view.resolution_m**2
    places = [_placed(network, place, item) for place in _larger(body, least)]
    blobs = [
        _blob(view, network, kind, mask)
        for kind, mask in places
        if np.count_nonzero(mask) >= max(1, least)
    ]
    return sorted(blobs, key=lambda blob: -blob.confidence)[:_MOST]


def _larger(body: NDArray[np.bool_], least: float) -> list[NDArray[np.bool_]]:
    """Take a mask apart; leave out pieces of fewer pixels."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(body.astype(np.uint8))
    large = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= least]
    return [labels == label for label in large]


def _placed(
    network: NetworkJudgement, mask: NDArray[np.bool_], item: NDArray[np.bool_]
) -> tuple[DamageType, NDArray[np.bool_]]:
    """Tell what a place shows, and cut off what lies beside the item and was not spilt."""
    votes = np.bincount(network.likeliest[mask], minlength=len(DamageType))
    kind = DamageType(int(votes.argmax()))
    return kind, mask if kind == DamageType.SPILL else mask & item


def _blob(
    view: ItemView, network: NetworkJudgement, kind: DamageType, mask: NDArray[np.bool_]
) -> DamageBlob:
    odds = quantiles(network.log_odds[mask], (0.95,))[0]
    # A liquid is flat: what depth tells there is of what it runs over.
    depth = 0.0 if kind == DamageType.SPILL else _depth(view, mask)
    return DamageBlob(kind, mask, depth, float(logistic(odds)))


def _depth(view: ItemView, mask: NDArray[np.bool_]) -> float:
    """Give how far a damage lies below what is around it, metres; NaN = not measured."""
    size = 2 * round(_AROUND_M / view.resolution_m) + 1
    wide = cv2.dilate(mask.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    around = view.height_m[wide & ~mask & view.item_mask]
    inside = view.height_m[mask]
    around, inside = around[np.isfinite(around)], inside[np.isfinite(inside)]
    if around.size < 20 or inside.size < 5:
        return math.nan
    low, high = quantiles(median(around) - inside, (0.05, 0.95))
    return high if high >= -low else low
