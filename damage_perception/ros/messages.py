"""Reports, decisions and identities between the core and messages; names and numbers are equal."""

from __future__ import annotations

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Point, Quaternion, Vector3
from geometry_msgs.msg import Pose as PoseMessage
from sensor_msgs.msg import RegionOfInterest
from std_msgs.msg import Header

import damage_perception.msg as msg
from damage_perception.report import (
    NOT_JUDGED,
    DamageInstance,
    DamageReport,
    DamageType,
    Decision,
    Health,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
)
from damage_perception.ros.image_conversion import stamp_ns


def header(stamp: int, frame_id: str) -> Header:
    """Make a header of nanoseconds and a frame."""
    seconds, nanoseconds = divmod(stamp, 1_000_000_000)
    return Header(stamp=Time(sec=seconds, nanosec=nanoseconds), frame_id=frame_id)


def report_to_message(report: DamageReport) -> Any:
    """Make `DamageReport`; masks travel as images of their own."""
    return msg.DamageReport(
        header=header(report.stamp_ns, report.frame_id),
        health=int(report.health),
        reason=report.reason,
        threshold=float(report.threshold),
        detector=report.detector,
        calibration=report.calibration,
        gallery=report.gallery,
        drift=report.drift,
        items=[_item_to_message(item) for item in report.items],
    )


def report_from_message(message: Any) -> DamageReport:
    """Read a report back; its masks and confidence maps are empty, its image size is zero.

    Raises:
        ValueError: for a number without a meaning, by which damage could pass as sound.
    """
    if not 0.0 <= message.threshold <= 1.0:
        raise ValueError(f'threshold must lie in [0, 1], got {message.threshold}')
    return DamageReport(
        stamp_ns=stamp_ns(message),
        frame_id=message.header.frame_id,
        width=0,
        height=0,
        health=Health(message.health),
        reason=message.reason,
        threshold=message.threshold,
        detector=message.detector,
        calibration=message.calibration,
        gallery=message.gallery,
        drift=message.drift,
        items=tuple(_item_from_message(item) for item in message.items),
    )


def decision_to_message(decision: Decision) -> Any:
    """Make `DivertDecision`."""
    return msg.DivertDecision(
        header=header(decision.stamp_ns, decision.frame_id),
        track_id=decision.track_id,
        sku=decision.sku,
        decision=int(decision.decision),
        confidence=float(decision.confidence),
        threshold=float(decision.threshold),
        frames=decision.frames,
        reason=decision.reason,
        pose=_pose_to_message(decision.pose),
        age=float(decision.age),
        health=int(decision.health),
        size=_size_to_message(decision.size),
    )


def label_info_message(image_header: Any, threshold: float) -> Any:
    """Make `LabelInfo`: the names of the values of `damage/mask`."""
    names = {kind.value: kind.name.lower() for kind in DamageType}
    names |= {0: 'none', NOT_JUDGED: 'not_judged'}
    return msg.LabelInfo(
        header=image_header,
        class_map=[msg.LabelClass(class_id=i, class_name=name) for i, name in names.items()],
        threshold=threshold,
    )


def _item_to_message(item: ItemReport) -> Any:
    return msg.ItemReport(
        track_id=item.track_id,
        sku=item.sku,
        sku_confidence=float(item.sku_confidence),
        pose=_pose_to_message(item.pose),
        size=_size_to_message(item.size),
        roi=_roi_to_message(item.roi),
        confidence=float(item.confidence),
        segmentation_score=float(item.segmentation_score),
        anomaly_score=float(item.anomaly_score),
        status=int(item.status),
        frames=item.frames,
        damages=[_damage_to_message(damage) for damage in item.damages],
    )


def _item_from_message(message: Any) -> ItemReport:
    return ItemReport(
        track_id=message.track_id,
        sku=message.sku,
        sku_confidence=message.sku_confidence,
        pose=_pose_from_message(message.pose),
        size=(message.size.x, message.size.y, message.size.z),
        roi=_roi_from_message(message.roi),
        confidence=message.confidence,
        segmentation_score=message.segmentation_score,
        anomaly_score=message.anomaly_score,
        status=Status(message.status),
        frames=message.frames,
        damages=tuple(_damage_from_message(damage) for damage in message.damages),
        mask=np.empty((0, 0), np.bool_),
        confidence_map=np.empty((0, 0), np.float32),
    )


def _damage_to_message(damage: DamageInstance) -> Any:
    x, y, z = (float(value) for value in damage.centroid)
    return msg.DamageInstance(
        damage_type=int(damage.damage_type),
        severity=int(damage.severity),
        confidence=float(damage.confidence),
        roi=_roi_to_message(damage.roi),
        centroid=Point(x=x, y=y, z=z),
        area=float(damage.area),
        depth=float(damage.depth),
        mask_value=damage.mask_value,
    )


def _damage_from_message(message: Any) -> DamageInstance:
    return DamageInstance(
        damage_type=DamageType(message.damage_type),
        severity=Severity(message.severity),
        confidence=message.confidence,
        roi=_roi_from_message(message.roi),
        centroid=(message.centroid.x, message.centroid.y, message.centroid.z),
        area=message.area,
        depth=message.depth,
        mask_value=message.mask_value,
        mask=np.empty((0, 0), np.bool_),
    )


def _roi_to_message(roi: Roi) -> RegionOfInterest:
    return RegionOfInterest(x_offset=roi.x, y_offset=roi.y, width=roi.width, height=roi.height)


def _roi_from_message(message: Any) -> Roi:
    return Roi(message.x_offset, message.y_offset, message.width, message.height)


def _size_to_message(size: tuple[float, float, float]) -> Vector3:
    x, y, z = (float(length) for length in size)
    return Vector3(x=x, y=y, z=z)


def _pose_to_message(pose: Pose) -> PoseMessage:
    px, py, pz = (float(value) for value in pose.position)
    x, y, z, w = (float(value) for value in pose.orientation)
    return PoseMessage(position=Point(x=px, y=py, z=pz), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _pose_from_message(message: Any) -> Pose:
    p, q = message.position, message.orientation
    return Pose((p.x, p.y, p.z), (q.x, q.y, q.z, q.w))
