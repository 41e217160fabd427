"""What geometry and the quality of a view say of an item, as numbers for the evidence."""

from __future__ import annotations

import math

import numpy as np

from damage_perception.perception.geometry.geometry import GeometryEvidence
from damage_perception.perception.geometry.surface import Relief
from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.quality import convexity

ITEM_FEATURES = (
    'dent', 'lift', 'hole', 'rigid', 'deepest_mm', 'highest_mm', 'damage_cm2',
    'roughness', 'bulge_mm', 'noise_mm', 'frames',
    'measured', 'visible', 'convexity', 'length_m', 'width_m',
)  # fmt: skip


def item_features(
    view: ItemView, relief: Relief | None, geometry: GeometryEvidence
) -> dict[str, float]:
    """Give each of ITEM_FEATURES; NaN where there is nothing to tell it from."""
    nothing = dict.fromkeys(ITEM_FEATURES, math.nan)
    item = int(np.count_nonzero(view.item_mask))
    if not item:
        return nothing
    rows, columns = np.nonzero(view.item_mask)
    nothing |= {
        'frames': float(view.frames),
        'measured': np.count_nonzero(view.item_mask & view.valid) / item,
        'visible': np.count_nonzero(view.item_mask & view.seen) / item,
        'convexity': convexity(view),
        'length_m': float(np.ptp(columns) + 1) * view.resolution_m,
        'width_m': float(np.ptp(rows) + 1) * view.resolution_m,
    }
    return nothing if relief is None else nothing | _of_relief(view, relief, geometry)


def _of_relief(view: ItemView, relief: Relief, geometry: GeometryEvidence) -> dict[str, float]:
    depths = [1e3 * blob.depth_m for blob in geometry.blobs if math.isfinite(blob.depth_m)]
    area = sum(int(np.count_nonzero(blob.mask)) for blob in geometry.blobs)
    dent, lift, hole = geometry.significances
    return {
        'dent': dent,
        'lift': lift,
        'hole': hole,
        'rigid': geometry.rigid,
        'deepest_mm': max([0.0, *depths]),
        'highest_mm': max([0.0, *(-depth for depth in depths)]),
        'damage_cm2': 1e4 * area * view.resolution_m**2,
        'roughness': relief.scale_m / relief.std_m,
        'bulge_mm': 1e3 * relief.bulge_m,
        'noise_mm': 1e3 * relief.std_m,
    }
