"""Reports made by hand: a damage and an item, of which a test says only what matters to it."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from damage_perception.report import (
    DamageInstance,
    DamageType,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
)

POSE = Pose((0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0))
_ROI = Roi(0, 0, 2, 2)
_SEEN = np.ones((2, 2), bool)
_DAMAGE = DamageInstance(
    damage_type=DamageType.CRUSH,
    severity=Severity.MAJOR,
    confidence=0.9,
    roi=_ROI,
    centroid=(0.0, 0.0, 1.0),
    area=0.002,
    depth=0.021,
    mask_value=1,
    mask=_SEEN,
)
_ITEM = ItemReport(
    track_id=1,
    sku='',
    sku_confidence=0.0,
    pose=POSE,
    size=(0.3, 0.2, 0.1),
    roi=_ROI,
    confidence=0.1,
    segmentation_score=1.0,
    anomaly_score=math.nan,
    status=Status(0),
    frames=1,
    damages=(),
    mask=_SEEN,
    confidence_map=np.zeros((2, 2), np.float32),
)


def made_damage(**changes: Any) -> DamageInstance:
    """Give a deep dent, but for what is changed."""
    return dataclasses.replace(_DAMAGE, **changes)


def made_item(**changes: Any) -> ItemReport:
    """Give a sound item, but for what is changed."""
    return dataclasses.replace(_ITEM, **changes)
