"""Damage that shows in the shape of a face, without a network: dents, crushed edges, holes, flaps.

Everything is said in deviations of the sensor's noise and of the face's own roughness. Print has
no relief, so it never counts.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.geometry.holes import Hole, find_holes
from damage_perception.perception.geometry.relief import (
    basin_significance,
    dent_significance,
    edge_distance,
    lift_significance,
    rigidity,
    smoothed,
)
from damage_perception.perception.geometry.surface import Relief, own_relief
from damage_perception.perception.view.item_view import ItemView
from damage_perception.quantiles import quantiles
from damage_perception.report import DamageType
from damage_perception.setting import check_ranges, setting

_MOST_BLOBS = 16


@dataclass(frozen=True)
class GeometrySettings:
    """How relief becomes P(damaged).

    The logistic was fitted (4.2 and 2.7, which the defaults keep within 0.1) on 5000 made views:
    boxes and soft packs at 0.8 to 1.4 m, 1 to 10 frames, noise of the default sensor profile, in
    half of them dents 30 to 60 mm wide and 6 to 40 mm deep; weighted as if one item in a thousand
    were damaged. On real sound parcels, single frames, the highest significance seen was 3.2.
    """

    half_significance: float = setting(
        4.1,
        'Significance (deviations) at which an item is as likely damaged as sound.',
        low=1.0,
        high=50.0,
    )
    steepness: float = setting(
        2.8,
        'Slope of the logistic from significance to P(damaged), 1/deviation.',
        low=0.01,
        high=20.0,
    )
    min_area_m2: float = setting(
        5e-5, 'Smallest area of a damage, square metres.', low=0.0, high=1.0
    )

    def __post_init__(self) -> None:
        check_ranges(self)

    def probability(self, significance: NDArray[np.float32] | float) -> NDArray[np.float32]:
        """Map significance to P(damaged), [0, 1]."""
        power = np.clip(
            self.steepness * (self.half_significance - np.asarray(significance)), -60.0, 60.0
        )
        return np.asarray(1.0 / (1.0 + np.exp(power)), np.float32)


@dataclass(frozen=True, eq=False)
class DamageBlob:
    """One damage of a view.

    Attributes:
        damage_type: CRUSH, HOLE or DECONSTRUCTION.
        mask: (H, W) bool.
        depth_m: largest deviation from the smooth surface, inwards positive, NaN unknown.
        confidence: P(damage), [0, 1].
    """

    damage_type: DamageType
    mask: NDArray[np.bool_]
    depth_m: float
    confidence: float


@dataclass(frozen=True, eq=False)
class GeometryEvidence:
    """What the shape of a view says.

    Attributes:
        score: significance of the worst place, deviations; NaN = not judged.
        probability: P(damaged) of the item, [0, 1], NaN = not judged.
        confidence: (H, W) float32 P(damage) in [0, 1], NaN = not judged.
        blobs: the damages, surest first.
        significances: of the worst dent, lifted part and hole, deviations; 0 = none.
        rigid: from soft pack (0) to board (1); NaN = not judged.
    """

    score: float
    probability: float
    confidence: NDArray[np.float32]
    blobs: list[DamageBlob]
    significances: tuple[float, float, float] = (0.0, 0.0, 0.0)
    rigid: float = float('nan')


def find_damage(
    view: ItemView, settings: GeometrySettings | None = None, relief: Relief | None = None
) -> GeometryEvidence:
    """Judge a view by its shape. Never raises on missing depth: what is not seen is NaN.

    Args:
        view: the item.
        settings: see `GeometrySettings`.
        relief: the view's own relief if it is known already.
    """
    settings = settings or GeometrySettings()
    relief = relief or own_relief(view)
    if relief is None:
        nothing = np.full(view.item_mask.shape, np.nan, np.float32)
        return GeometryEvidence(float('nan'), float('nan'), nothing, [])
    edge_m = edge_distance(relief)
    rigid = rigidity(relief, edge_m)
    known = _known(relief)
    dents = known * np.maximum(
        dent_significance(relief, rigid, edge_m), basin_significance(relief, rigid)
    )
    lifts = known * lift_significance(relief, rigid, edge_m)
    holes = find_holes(view, relief)
    significance = _enlarge(np.maximum(dents, lifts), view)
    judged = view.item_mask & view.seen & (_enlarge(known, view) > 0.5)
    for hole in holes:
        significance[hole.mask] = np.maximum(significance[hole.mask], hole.significance)
        judged |= hole.mask
    confidence = np.where(judged, settings.probability(significance), np.float32(np.nan))
    deepest_hole = max((hole.significance for hole in holes), default=0.0)
    worst = (max(float(dents.max()), 0.0), max(float(lifts.max()), 0.0), deepest_hole)
    score = max(worst) if judged.any() else float('nan')
    blobs = [_hole_blob(hole, settings) for hole in holes]
    blobs += _relief_blobs(view, relief, dents, DamageType.CRUSH, settings)
    blobs += _relief_blobs(view, relief, lifts, DamageType.DECONSTRUCTION, settings)
    blobs = [blob for blob in blobs if blob.confidence >= 0.5]
    blobs.sort(key=lambda blob: -blob.confidence)
    probability = float(settings.probability(score))  # NaN stays NaN
    return GeometryEvidence(score, probability, confidence, blobs[:_MOST_BLOBS], worst, rigid)


def _enlarge(values: NDArray[np.float32], view: ItemView) -> NDArray[np.float32]:
    height, width = view.item_mask.shape
    large = cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)


def _known(relief: Relief) -> NDArray[np.float32]:
    """Give 1 where a cell is of the face and enough depth lies around to judge it."""
    _, share = smoothed(relief, relief.residual_m, 0.012)
    return np.asarray((share > 0.35) & (relief.item > 0.0), np.float32)


def _hole_blob(hole: Hole, settings: GeometrySettings) -> DamageBlob:
    confidence = float(settings.probability(hole.significance))
    return DamageBlob(DamageType.HOLE, hole.mask, hole.depth_m, confidence)


def _relief_blobs(
    view: ItemView,
    relief: Relief,
    significance: NDArray[np.float32],
    damage_type: DamageType,
    settings: GeometrySettings,
) -> list[DamageBlob]:
    """Cut the significant places out: what deviates by a third of their peak belongs to them."""
    sure = significance >= settings.half_significance
    if not sure.any():
        return []
    sign = 1.0 if damage_type is DamageType.CRUSH else -1.0
    mean, _ = smoothed(relief, relief.residual_m, 0.004)
    inward = np.where(relief.item > 0.5, -sign * mean, 0.0)
    seeds = sure.copy()
    blobs: list[DamageBlob] = []
    while seeds.any() and len(blobs) < _MOST_BLOBS:
        peak = np.unravel_index(np.argmax(np.where(seeds, significance, 0.0)), seeds.shape)
        near = inward[max(0, peak[0] - 2) : peak[0] + 3, max(0, peak[1] - 2) : peak[1] + 3]
        body = (inward > float(near.max()) / 3.0) | sure
        _, labels = cv2.connectedComponents(body.astype(np.uint8))
        coarse = labels == labels[peak]
        seeds &= ~coarse
        mask = (_enlarge(coarse.astype(np.float32), view) > 0.5) & view.item_mask & view.seen
        if np.count_nonzero(mask) * view.resolution_m**2 >= settings.min_area_m2:
            confidence = float(settings.probability(float(significance[peak])))
            depth = sign * _deepest(view, relief, mask, sign)
            blobs.append(DamageBlob(damage_type, mask, depth, confidence))
    return blobs


def _deepest(view: ItemView, relief: Relief, mask: NDArray[np.bool_], sign: float) -> float:
    """Give the largest deviation within a mask but for a twentieth, which flying pixels may be."""
    below = sign * (_enlarge(relief.surface_m, view)[mask] - view.height_m[mask])
    below = below[np.isfinite(below)]
    return quantiles(below, (0.95,))[0]
