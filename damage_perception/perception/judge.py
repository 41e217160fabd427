"""Each item of a frame: its track, its fused view, the evidence on it, its report."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame
from damage_perception.perception.face import Face, find_face
from damage_perception.perception.fusion import fuse, independence
from damage_perception.perception.geometry import GeometryEvidence, find_damage
from damage_perception.perception.instances import ImageMap, make_instance
from damage_perception.perception.item_view import MARGIN_M, ItemView
from damage_perception.perception.items import FoundItem
from damage_perception.perception.projection import Plane, on_plane
from damage_perception.perception.rectify import rectify
from damage_perception.perception.sensor import SensorProfile
from damage_perception.perception.tracking import Observation, Track, Tracker
from damage_perception.perception.window import window_around
from damage_perception.report import DamageInstance, ItemReport, Pose, Status
from damage_perception.settings import Settings

_UNCLEAN = Status.TRUNCATED | Status.MERGED | Status.OCCLUDED
_LEAST_MEASURED = 0.4  # share of an item that must have depth
_LEAST_VISIBLE = 0.75  # share of its outline that must be seen
_LEAST_CONVEX = 0.92  # share of the hull of its outline that it must fill
_MOST_INSTANCES = 254  # values of the instance mask


@dataclass(eq=False)
class _Known:
    """What is remembered of a track."""

    axis: NDArray[np.float64]
    view: ItemView | None = None
    evidence: GeometryEvidence | None = None


class Judge:
    """Follow the items, fuse their views and judge them."""

    def __init__(self, settings: Settings, profile: SensorProfile | None = None) -> None:
        self.settings = settings
        self.profile = profile or SensorProfile()
        self._tracker = Tracker(settings.tracking)
        self._known: dict[int, _Known] = {}

    def reset(self) -> None:
        """Forget all tracks; ids are not used again."""
        self._tracker.reset()
        self._known.clear()

    def judge(
        self, frame: MeasuredFrame, found: list[FoundItem], support: Plane
    ) -> tuple[ItemReport, ...]:
        """Give a report for each item of a frame."""
        self._tracker.settings = self.settings.tracking
        faces = [find_face(frame, i.mask, i.roi, support, self.profile) for i in found]
        seen = [
            _observe(frame, item, face, support) for item, face in zip(found, faces, strict=True)
        ]
        tracks = self._tracker.update(seen, frame.stamp_ns)
        self._known = {
            track.track_id: self._known.get(track.track_id) or _Known(np.zeros(3))
            for track in self._tracker.tracks
        }
        reports: list[ItemReport] = []
        used = 0
        for item, face, track in zip(found, faces, tracks, strict=True):
            report = self._report(frame, item, face, track, found, used)
            used += len(report.damages)
            reports.append(report)
        return tuple(reports)

    def _report(
        self,
        frame: MeasuredFrame,
        item: FoundItem,
        face: Face | None,
        track: Track,
        found: list[FoundItem],
        used: int,
    ) -> ItemReport:
        known = self._known[track.track_id]
        status = item.status | Status.NO_REFERENCE
        if face is None:
            return _blind(item, track, status | Status.DEPTH_POOR, frame)
        face = face.like(known.axis)
        known.axis = face.axes[:, 0]
        view = self._view(frame, item, face, track, found, known, status)
        evidence = known.evidence
        if evidence is None or known.view is not view:
            evidence = find_damage(view, self.settings.geometry)
        known.evidence = evidence if known.view is view else known.evidence
        status |= _quality(view)
        return self._judged(frame, item, face, track, status, view, evidence, used)

    def _view(
        self,
        frame: MeasuredFrame,
        item: FoundItem,
        face: Face,
        track: Track,
        found: list[FoundItem],
        known: _Known,
        status: Status,
    ) -> ItemView:
        """Look at the item now and fuse it with what was seen; unclean looks are not fused."""
        margin = int(np.ceil(2 * MARGIN_M * frame.camera.fx / max(face.centre[2], 1e-3)))
        window = window_around(item, found, frame.rgb.shape, margin)
        new = rectify(frame, window, face, self.profile)
        if status & _UNCLEAN:
            return new
        fused = None
        if known.view is not None:
            pixels = track.motion_m * frame.camera.fx / face.centre[2]
            correlation = self.profile.correlation_px
            fused = fuse(known.view, new, independence(float(pixels), correlation))
        known.view = fused or new
        known.evidence = None
        return known.view

    def _judged(
        self,
        frame: MeasuredFrame,
        item: FoundItem,
        face: Face,
        track: Track,
        status: Status,
        view: ItemView,
        evidence: GeometryEvidence,
        used: int,
    ) -> ItemReport:
        image = ImageMap(view, item.roi, item.mask, frame.depth_m, frame.camera)
        damages: list[DamageInstance] = []
        for blob in evidence.blobs[: max(0, _MOST_INSTANCES - used)]:
            damage = make_instance(blob, view, image, used + len(damages) + 1)
            if damage is not None:
                damages.append(damage)
        sku, sku_confidence = _identity(frame)
        return ItemReport(
            track_id=track.track_id,
            sku=sku,
            sku_confidence=sku_confidence,
            pose=face.pose,
            size=(float(face.size[0]), float(face.size[1]), float(face.size[2])),
            roi=item.roi,
            confidence=evidence.probability,
            segmentation_score=evidence.score,
            anomaly_score=math.nan,
            status=status,
            frames=max(1, track.frames),
            damages=tuple(damages),
            mask=item.mask,
            confidence_map=image.bring(evidence.confidence),
        )


def _identity(frame: MeasuredFrame) -> tuple[str, float]:
    return (frame.identity.sku, frame.identity.confidence) if frame.identity else ('', 0.0)


def _observe(
    frame: MeasuredFrame, item: FoundItem, face: Face | None, support: Plane
) -> Observation:
    colour = frame.rgb[item.roi.slices][item.mask].mean(axis=0)
    if face is not None:
        return Observation(face.centre, face.size, colour, not item.status & _UNCLEAN)
    u, v = item.roi.x + item.roi.width / 2, item.roi.y + item.roi.height / 2
    place = on_plane(np.array(u), np.array(v), support, frame.camera)
    metres = support.offset / frame.camera.fx
    size = np.array([item.roi.width * metres, item.roi.height * metres, 0.0])
    return Observation(np.nan_to_num(place), size, colour, whole=False)


def _quality(view: ItemView) -> Status:
    """Tell what of an item could not be judged.

    A bite out of its outline is no face that was judged: a deep dent at an edge looks like the
    gap between two items, and what was cut off must not make the rest sound.
    """
    item = int(np.count_nonzero(view.item_mask))
    if not item:
        return Status.DEPTH_POOR
    measured = np.count_nonzero(view.item_mask & view.valid) / item
    visible = np.count_nonzero(view.item_mask & view.seen) / item
    # Closed by a centimetre: a border between touching boxes is found only so well.
    size = 2 * round(0.005 / view.resolution_m) + 1
    closed = cv2.morphologyEx(
        view.item_mask.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((size, size), np.uint8)
    )
    rows, columns = np.nonzero(closed)
    hull = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
    whole = len(rows) / max(cv2.contourArea(hull), 1.0)
    status = Status.DEPTH_POOR if measured < _LEAST_MEASURED else Status(0)
    partly = visible < _LEAST_VISIBLE or whole < _LEAST_CONVEX
    return status | (Status.PARTLY_JUDGED if partly else Status(0))


def _blind(item: FoundItem, track: Track, status: Status, frame: MeasuredFrame) -> ItemReport:
    """Report an item whose depth is too poor for a face: it is there, and not judged."""
    sku, sku_confidence = _identity(frame)
    position = tuple(float(value) for value in track.last.position_m)
    size = tuple(float(value) for value in track.last.size_m)
    return ItemReport(
        track_id=track.track_id,
        sku=sku,
        sku_confidence=sku_confidence,
        pose=Pose(position, (0.0, 0.0, 0.0, 1.0)),  # type: ignore[arg-type]
        size=size,  # type: ignore[arg-type]
        roi=item.roi,
        confidence=math.nan,
        segmentation_score=math.nan,
        anomaly_score=math.nan,
        status=status,
        frames=track.frames,
        damages=(),
        mask=item.mask,
        confidence_map=np.full(item.mask.shape, np.nan, np.float32),
    )
