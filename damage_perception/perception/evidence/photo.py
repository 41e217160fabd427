"""A photograph without depth: judged by colour alone, and said to be so.

There is no calibration for it: the scores of sound photographs reach those of damaged ones. So its
P is what the trees take it for, its report says no threshold, and nothing counts as damaged.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.evidence.assessor import Asked, Assessor, Memory
from damage_perception.perception.evidence.evidence import Evidence
from damage_perception.perception.geometry.geometry import DamageBlob, GeometrySettings
from damage_perception.perception.view.item_view import DEFAULT_RESOLUTION_M, ItemView
from damage_perception.report import (
    DamageInstance,
    DamageReport,
    Health,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
)

REASON = 'no depth was given: by colour alone P is not calibrated and nothing counts as damaged'
LEAST_SIDE_PX = 64  # smaller pictures show no item
_LONGEST_M = 0.3  # what is taken for the longest side of what a photograph shows
_CAMERA_FREE = np.eye(4)
_NOWHERE = Pose((math.nan, math.nan, math.nan), (0.0, 0.0, 0.0, 1.0))


def photo_view(rgb: NDArray[np.uint8]) -> ItemView:
    """Take a photograph (H, W, 3) uint8 for the square view of an item of usual size."""
    scale = _LONGEST_M / DEFAULT_RESOLUTION_M / max(rgb.shape[:2])
    size = tuple(max(16, round(side * scale)) for side in rgb.shape[1::-1])
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    everywhere = np.ones(small.shape[:2], bool)
    nothing = np.full(small.shape[:2], np.nan, np.float32)
    return ItemView(
        small, nothing, nothing, everywhere, everywhere, DEFAULT_RESOLUTION_M, _CAMERA_FREE, 1.0,
        DEFAULT_RESOLUTION_M,
    )  # fmt: skip


def judge_photo(rgb: NDArray[np.uint8], assessor: Assessor) -> DamageReport:
    """Judge a photograph of one item that fills it; health is DEGRADED at best.

    The report has no threshold, so nothing in it counts as damaged.

    Args:
        rgb: (H, W, 3) uint8, red first.
        assessor: with weights; geometry alone sees nothing here.
    """
    height, width = rgb.shape[:2]
    if min(height, width) < LEAST_SIDE_PX:
        return DamageReport(0, '', width, height, Health.UNKNOWN, f'a picture of {width}x{height} '
                            f'pixels shows no item; give {LEAST_SIDE_PX} a side')  # fmt: skip
    view = photo_view(rgb)
    evidence = assessor.assess([Asked(view, view, (), Memory())], GeometrySettings())[0]
    if math.isnan(evidence.score):
        return DamageReport(0, '', width, height, Health.UNKNOWN, 'without depth only a network '
                            'judges; set network.weights')  # fmt: skip
    item = _report(rgb.shape[:2], view, evidence)
    return DamageReport(0, '', width, height, Health.DEGRADED, REASON, (item,))


def _report(shape: tuple[int, ...], view: ItemView, evidence: Evidence) -> ItemReport:
    size = (shape[1], shape[0])
    damages = tuple(_instance(blob, size, number + 1) for number, blob in enumerate(evidence.blobs))
    confidence = cv2.resize(evidence.confidence, size, interpolation=cv2.INTER_LINEAR)
    return ItemReport(
        track_id=1,
        sku='',
        sku_confidence=0.0,
        pose=_NOWHERE,
        size=(math.nan, math.nan, math.nan),
        roi=Roi(0, 0, *size),
        confidence=evidence.probability,
        segmentation_score=evidence.score,
        anomaly_score=math.nan,
        status=Status.DEPTH_POOR | Status.NO_REFERENCE,
        frames=1,
        damages=damages,
        mask=np.ones(shape, bool),
        confidence_map=np.asarray(confidence, np.float32),
    )


def _instance(blob: DamageBlob, size: tuple[int, int], value: int) -> DamageInstance:
    shrinks = size[0] < blob.mask.shape[1]  # then nearest pixels could miss what is thin
    way = cv2.INTER_AREA if shrinks else cv2.INTER_NEAREST
    large = cv2.resize(255 * blob.mask.astype(np.uint8), size, interpolation=way) > 0
    rows, columns = np.nonzero(large)
    roi = Roi(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1,
              int(np.ptp(rows)) + 1)  # fmt: skip
    return DamageInstance(
        blob.damage_type, Severity.UNKNOWN, blob.confidence, roi,
        (math.nan, math.nan, math.nan), math.nan, math.nan, value, large[roi.slices],
    )  # fmt: skip
