"""What differs between an item and its pristine references, as maps and as numbers.

Needs no network. Of several references, each place takes the one that explains it best: a copy's
own label, a wrinkle or a reference gone stale then costs nothing where another one agrees.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.comparison.alignment import Aligned
from damage_perception.perception.comparison.maps import (
    CELL_M,
    Cells,
    Difference,
    Map,
    Mask,
    difference,
    edges,
)  # fmt: skip
from damage_perception.perception.view.item_view import ItemView

COMPARISON_FEATURES = (
    'reference_fit', 'colour_median', 'colour_p99', 'colour_peak', 'low_p99_mm', 'high_p99_mm',
    'missing_cm2', 'missing_mm', 'missing_peak', 'lost_cm2', 'extra_cm2',
    'unexplained_share', 'unexplained_peak',
)  # fmt: skip
_GONE_M, _GONE_COLOUR = 0.01, 40.0  # what is typical where a unit is missing
_MISSING = 0.25  # product of both over what is typical
_LEAST_UNIT_M2 = 1e-4
_PEAK_SIGMA_M = 0.006  # damage is about as large as this


@dataclass(frozen=True, eq=False)
class ReferenceComparison:
    """An item against its references. Maps are (H, W) float32, NaN = not compared.

    Attributes:
        colour: difference in grey levels after the light was made equal.
        height_m: item over reference, metres; 0 within the misfit.
        missing: (H, W) bool, there the references have a unit and the item has none.
        features: each of COMPARISON_FEATURES; NaN where there is nothing to tell it from.
    """

    colour: NDArray[np.float32]
    height_m: NDArray[np.float32]
    missing: NDArray[np.bool_]
    features: dict[str, float]
    _own_edges: Map
    _unexplained: Map

    def explains(self, mask: NDArray[np.bool_]) -> float:
        """Tell how much of the print inside a mask (H, W) the references have too.

        Returns:
            Share of the strength of its edges, [0, 1]; NaN where it has none.
        """
        rows, columns = self._own_edges.shape
        small = cv2.resize(mask.astype(np.float32), (columns, rows), interpolation=cv2.INTER_AREA)
        own = float(np.sum(self._own_edges * small))
        return 1.0 - float(np.sum(self._unexplained * small)) / own if own > 0.0 else math.nan


def compare(view: ItemView, references: Sequence[Aligned]) -> ReferenceComparison | None:
    """Compare an item with references on its own grid; None without any."""
    if not references:
        return None
    item = Cells.of(view)
    found = [difference(item, Cells.of(reference.view)) for reference in references]
    best = _joined(found)
    own = edges(item)
    missing = _missing(best)
    fit = max(reference.fit for reference in references)
    features = {'reference_fit': fit} | _features(best, missing, own)
    rows, columns = view.item_mask.shape

    def large(values: Map) -> Map:
        enlarged = cv2.resize(values, (columns, rows), interpolation=cv2.INTER_NEAREST)
        return np.asarray(enlarged, np.float32)

    return ReferenceComparison(
        large(best.colour), large(best.height_m), large(missing.astype(np.float32)) > 0.5,
        features, own, best.unexplained,
    )  # fmt: skip


def comparison_features(view: ItemView, references: Sequence[Aligned]) -> dict[str, float]:
    """Give what the evidence takes from a comparison; empty where there is nothing to compare."""
    compared = compare(view, references)
    told = compared.features if compared else {}
    return {f'compared_{name}': value for name, value in told.items()}


def _joined(found: list[Difference]) -> Difference:
    """Take what differs least at each place."""
    if len(found) == 1:
        return found[0]
    heights = np.stack([each.height_m for each in found])
    size = np.where(np.isnan(heights), np.inf, np.abs(heights))
    least = np.argmin(size, axis=0)[None]
    return Difference(
        np.fmin.reduce([each.colour for each in found]),
        np.take_along_axis(heights, least, axis=0)[0],
        np.minimum.reduce([each.unexplained for each in found]),
        np.logical_and.reduce([each.lost for each in found]),
        np.logical_and.reduce([each.extra for each in found]),
    )


def _gone(found: Difference) -> Map:
    """Tell how much a place lies lower than the reference and looks different, 1 = typical."""
    low = np.clip(-np.nan_to_num(found.height_m) / _GONE_M, 0.0, 2.0)
    other = np.clip(np.nan_to_num(found.colour) / _GONE_COLOUR, 0.0, 2.0)
    return np.asarray(low * other, np.float32)


def _missing(found: Difference) -> Mask:
    """Find places as large as a unit that lie lower and look different."""
    compact = np.ones((3, 3), np.uint8)
    gone = (_gone(found) > _MISSING).astype(np.uint8)
    gone = cv2.morphologyEx(gone, cv2.MORPH_OPEN, compact)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(gone)
    least = _LEAST_UNIT_M2 / CELL_M**2
    units = [k for k in range(1, count) if stats[k, cv2.CC_STAT_AREA] >= least]
    return np.isin(labels, units)


def _features(found: Difference, missing: Mask, own: Map) -> dict[str, float]:
    features = dict.fromkeys(COMPARISON_FEATURES[1:], math.nan)
    cell_cm2 = 1e4 * CELL_M**2
    colour = found.colour[np.isfinite(found.colour)]
    if colour.size:
        total = float(own.sum())
        features |= {
            'colour_median': float(np.median(colour)),
            'colour_p99': float(np.percentile(colour, 99)),
            'colour_peak': float(_blurred(np.nan_to_num(found.colour)).max()),
            'lost_cm2': cell_cm2 * float(np.count_nonzero(found.lost)),
            'extra_cm2': cell_cm2 * float(np.count_nonzero(found.extra)),
            'unexplained_share': float(found.unexplained.sum()) / total if total else 0.0,
            'unexplained_peak': float(_blurred(found.unexplained).max()),
        }
    height = found.height_m[np.isfinite(found.height_m)]
    if height.size:
        low = np.maximum(-height, 0.0)
        gone = -found.height_m[missing]
        features |= {
            'low_p99_mm': 1e3 * float(np.percentile(low, 99)),
            'high_p99_mm': 1e3 * float(np.percentile(np.maximum(height, 0.0), 99)),
            'missing_cm2': cell_cm2 * float(gone.size),
            'missing_peak': float(_blurred(_gone(found)).max()),
            'missing_mm': 1e3 * float(np.percentile(gone, 90)) if gone.size else 0.0,
        }
    return features


def _blurred(values: Map) -> Map:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), _PEAK_SIGMA_M / CELL_M), np.float32)
