"""One look at one item: where it is in a frame, its face, and how it is reported."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from damage_perception.frame import ItemIdentity, MeasuredFrame
from damage_perception.perception.evidence.evidence import Evidence
from damage_perception.perception.geometry.instances import ImageMap, make_instance
from damage_perception.perception.identification.item_identity import SeenIdentity
from damage_perception.perception.items.items import FoundItem
from damage_perception.perception.projection import Plane, on_plane
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.tracking import Observation, Track
from damage_perception.perception.view.face import Face
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageInstance, ItemReport, Pose, Status

UNCLEAN = Status.TRUNCATED | Status.MERGED | Status.OCCLUDED
_MOST_INSTANCES = 254  # values of the instance mask
_ROUNDING = 1e-6  # of a sum of shares of frames
_UNTURNED = (0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True, eq=False)
class Look:
    """An item in a frame; `face` is None where it shows too little depth for one."""

    frame: MeasuredFrame
    item: FoundItem
    face: Face | None
    profile: SensorProfile  # the noise of the frame's depth
    seen: SeenIdentity = field(default_factory=SeenIdentity)  # what its track looks like
    said: ItemIdentity | None = None  # what its track was said to be

    @property
    def identity(self) -> ItemIdentity | None:
        """Which product it is; None = unknown."""
        return self.seen.settled(self.said)

    @property
    def sku(self) -> str:
        """The product; '' = unknown."""
        return self.identity.sku if self.identity else ''

    @property
    def is_clean(self) -> bool:
        """Whether all of the item and nothing else is seen."""
        return not self.item.status & UNCLEAN

    def observation(self, support: Plane) -> Observation:
        """Give what tracking compares."""
        roi = self.item.roi
        colour = np.array(cv2.mean(self.frame.rgb[roi.slices], self.item.mask.view(np.uint8))[:3])
        if self.face is not None:
            axes = self.face.axes[:, :2]
            return Observation(self.face.centre, self.face.size, colour, self.is_clean, axes)
        middle = np.array(roi.x + roi.width / 2), np.array(roi.y + roi.height / 2)
        place = on_plane(*middle, support, self.frame.camera)
        metres = support.offset / self.frame.camera.fx
        size = np.array([roi.width * metres, roi.height * metres, 0.0])
        return Observation(np.nan_to_num(place), size, colour, whole=False)


def judged_report(
    look: Look,
    track: Track,
    status: Status,
    view: ItemView,
    evidence: Evidence,
    used: int,
) -> ItemReport:
    """Report an item with its damages in the image; `used` instance values are taken.

    A damage that finds none left is reported without one.
    """
    image = ImageMap(view, look.item.roi, look.item.mask, look.frame.depth_m, look.frame.camera)
    damages: list[DamageInstance] = []
    for blob in evidence.blobs:
        value = used + len(damages) + 1
        damage = make_instance(blob, view, image, value if value <= _MOST_INSTANCES else 0)
        if damage is not None:
            damages.append(damage)
    pose = look.face.pose if look.face is not None else _pose_of(track)
    confidence_map = image.bring(evidence.confidence)
    # A frame that is hardly news counts for little; so does the first of a view begun anew.
    frames = 0 if math.isnan(evidence.probability) else math.ceil(view.frames - _ROUNDING)
    return _report(look, track, status, pose, evidence, frames, tuple(damages), confidence_map)


def unjudged_report(look: Look, track: Track, status: Status) -> ItemReport:
    """Report an item whose depth is too poor for a face: it is there, and not judged."""
    nothing = np.full(look.item.mask.shape, np.nan, np.float32)
    return _report(look, track, status, _pose_of(track), None, 0, (), nothing)


def _pose_of(track: Track) -> Pose:
    x, y, z = (float(value) for value in track.last.position_m)
    return Pose((x, y, z), _UNTURNED)


def _report(
    look: Look,
    track: Track,
    status: Status,
    pose: Pose,
    evidence: Evidence | None,
    frames: int,
    damages: tuple[DamageInstance, ...],
    confidence_map: np.ndarray,
) -> ItemReport:
    identity = look.identity
    # Along the axes of the pose, so that of the face as it was turned.
    size = track.last.size_m if look.face is None else look.face.size
    length, width, height = (float(value) for value in size)
    return ItemReport(
        track_id=track.track_id,
        sku=identity.sku if identity else '',
        sku_confidence=identity.confidence if identity else 0.0,
        pose=pose,
        size=(length, width, height),
        roi=look.item.roi,
        confidence=evidence.probability if evidence else math.nan,
        segmentation_score=evidence.score if evidence else math.nan,
        anomaly_score=math.nan,
        status=status,
        frames=frames,
        damages=damages,
        mask=look.item.mask,
        confidence_map=confidence_map,
    )
