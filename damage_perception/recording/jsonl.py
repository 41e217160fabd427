"""Reports and decisions as the nested dicts that mirror the messages, and as lines of JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from damage_perception.report import (
    NOT_JUDGED,
    DamageInstance,
    DamageReport,
    DamageType,
    Decision,
    ItemReport,
    Pose,
    Roi,
    header_dict,
)


def report_dict(report: DamageReport) -> dict[str, Any]:
    """Give the fields of DamageReport.msg; masks and timings are not among them."""
    return {
        'header': header_dict(report.stamp_ns, report.frame_id),
        'health': int(report.health),
        'reason': report.reason,
        'items': [_item_dict(item) for item in report.items],
        'threshold': float(report.threshold),
        'detector': report.detector,
        'calibration': report.calibration,
        'gallery': report.gallery,
        'drift': report.drift,
    }


def decision_dict(decision: Decision) -> dict[str, Any]:
    """Give the fields of DivertDecision.msg."""
    return {
        'header': header_dict(decision.stamp_ns, decision.frame_id),
        'track_id': decision.track_id,
        'sku': decision.sku,
        'decision': int(decision.decision),
        'confidence': float(decision.confidence),
        'threshold': float(decision.threshold),
        'frames': decision.frames,
        'reason': decision.reason,
        'pose': _pose_dict(decision.pose),
        'age': float(decision.age),
        'health': int(decision.health),
        'size': _xyz(decision.size),
    }


def label_info_dict(report: DamageReport) -> dict[str, Any]:
    """Give the fields of LabelInfo.msg: the names of the values of `damage/mask`."""
    names = {kind.value: kind.name.lower() for kind in DamageType}
    names |= {0: 'none', NOT_JUDGED: 'not_judged'}
    return {
        'header': header_dict(report.stamp_ns, report.frame_id),
        'class_map': [{'class_id': i, 'class_name': name} for i, name in names.items()],
        'threshold': float(report.threshold),
    }


def report_line(report: DamageReport) -> str:
    """Give the line of a frame: its report, with `type` and the size of its image."""
    size = {'width': report.width, 'height': report.height}
    return to_json({'type': 'report', **report_dict(report), **size})


def decision_line(decision: Decision) -> str:
    """Give the line of a decision."""
    return to_json({'type': 'decision', **decision_dict(decision)})


def to_json(value: dict[str, Any]) -> str:
    """Write one line of strict JSON: numbers that are not finite become null."""
    return json.dumps(_finite(value), ensure_ascii=False, separators=(', ', ': '), allow_nan=False)


def _item_dict(item: ItemReport) -> dict[str, Any]:
    return {
        'track_id': item.track_id,
        'sku': item.sku,
        'sku_confidence': float(item.sku_confidence),
        'pose': _pose_dict(item.pose),
        'size': _xyz(item.size),
        'roi': _roi_dict(item.roi),
        'confidence': float(item.confidence),
        'segmentation_score': float(item.segmentation_score),
        'anomaly_score': float(item.anomaly_score),
        'status': int(item.status),
        'frames': item.frames,
        'damages': [_damage_dict(damage) for damage in item.damages],
    }


def _damage_dict(damage: DamageInstance) -> dict[str, Any]:
    return {
        'damage_type': int(damage.damage_type),
        'severity': int(damage.severity),
        'confidence': float(damage.confidence),
        'roi': _roi_dict(damage.roi),
        'centroid': _xyz(damage.centroid),
        'area': float(damage.area),
        'depth': float(damage.depth),
        'mask_value': damage.mask_value,
    }


def _roi_dict(roi: Roi) -> dict[str, Any]:
    return {
        'x_offset': int(roi.x),
        'y_offset': int(roi.y),
        'height': int(roi.height),
        'width': int(roi.width),
        'do_rectify': False,
    }


def _pose_dict(pose: Pose) -> dict[str, Any]:
    x, y, z, w = (float(value) for value in pose.orientation)
    return {'position': _xyz(pose.position), 'orientation': {'x': x, 'y': y, 'z': z, 'w': w}}


def _xyz(values: tuple[float, float, float]) -> dict[str, float]:
    x, y, z = (float(value) for value in values)
    return {'x': x, 'y': y, 'z': z}


def _finite(value: Any) -> Any:
    """Replace NaN and infinity by None; round to what float32 messages carry apart."""
    if isinstance(value, dict):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_finite(entry) for entry in value]
    if isinstance(value, float):
        return float(f'{value:.7g}') if math.isfinite(value) else None
    return value
