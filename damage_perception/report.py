"""The one output type: what was found on each item of a frame, and what to do with an item.

Names and numbers equal those of the messages in `msg/`; `to_dict` gives the message's fields.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

import numpy as np
from numpy.typing import NDArray

NOT_JUDGED = 255  # value of a pixel of `damage/mask` that nobody looked at


class DamageType(IntEnum):
    """Kind of damage; also the COCO category and, but for UNKNOWN, the label of a pixel."""

    UNKNOWN = 0
    CRUSH = 1
    TEAR = 2
    HOLE = 3
    DECONSTRUCTION = 4
    SPILL = 5
    MISSING_UNIT = 6
    ANOMALY = 7


class Severity(IntEnum):
    """How bad a damage is."""

    UNKNOWN = 0
    MINOR = 1
    MAJOR = 2


class Health(IntEnum):
    """Whether the evidence of a frame can be trusted."""

    UNKNOWN = 0
    OK = 1
    DEGRADED = 2


class Verdict(IntEnum):
    """What a robot shall do with an item."""

    UNKNOWN = 0
    PASS = 1
    DIVERT = 2
    INSPECT = 3


class Status(IntFlag):
    """What was missing when an item was judged; 0 = nothing."""

    DEPTH_POOR = 1
    NO_REFERENCE = 2
    TRUNCATED = 4
    OCCLUDED = 8
    MERGED = 16
    PARTLY_JUDGED = 32
    REFERENCE_SUSPECT = 64


@dataclass(frozen=True)
class Roi:
    """An upright rectangle of an image, pixels; right and bottom edges are outside."""

    x: int
    y: int
    width: int
    height: int

    @property
    def slices(self) -> tuple[slice, slice]:
        """Rows and columns of an image array that the rectangle covers."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True)
class Pose:
    """Position (metres) and orientation (quaternion x, y, z, w) in the frame of the header."""

    position: tuple[float, float, float]
    orientation: tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class DamageInstance:
    """One damage. `mask` is (roi.height, roi.width) bool, True where the damage is seen."""

    damage_type: DamageType
    severity: Severity
    confidence: float  # [0, 1]
    roi: Roi
    centroid: tuple[float, float, float]  # metres, frame of the header; NaN = no depth
    area: float  # square metres of the face; NaN = no depth
    depth: float  # metres, largest deviation from the sound surface, inwards positive; NaN unknown
    mask_value: int  # its value in the instance mask, 1..254; 0 = that is full
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class ItemReport:
    """One item.

    `mask` is (roi.height, roi.width) bool, True where the item is seen; `confidence_map` of that
    shape float32 P(damage), NaN not judged.
    The pose is that of the item's oriented box: origin in its centre, x along its length, y along
    its width, z out of the face that the camera sees best.
    """

    track_id: int
    sku: str
    sku_confidence: float
    pose: Pose
    size: tuple[float, float, float]  # metres along the pose's x, y, z
    roi: Roi
    confidence: float  # calibrated P(damaged), NaN = not judged
    segmentation_score: float  # raw, NaN = branch absent
    anomaly_score: float  # raw, NaN = branch absent
    status: Status
    frames: int  # that the judgement rests on, as far as they are news; 0 = not judged
    damages: tuple[DamageInstance, ...]
    mask: NDArray[np.bool_]
    confidence_map: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class DamageReport:
    """All items of one frame. `health` UNKNOWN: nothing was judged, for the `reason` given."""

    stamp_ns: int
    frame_id: str
    width: int
    height: int
    health: Health
    reason: str = ''
    items: tuple[ItemReport, ...] = ()
    timings_ms: dict[str, float] = field(default_factory=dict)  # stage -> ms; never in to_dict
    threshold: float = 0.0  # P(damaged) from which an item counts as damaged; 0 = not said
    detector: str = ''  # SHA-256 of the weights, or `geometry` and a version
    calibration: str = ''  # SHA-256 of calibration.yaml
    gallery: str = ''  # version of the references; '' = none
    drift: str = ''  # what pictures or scores have drifted to; '' = nothing

    def label_mask(self) -> NDArray[np.uint8]:
        """Paint `damage/mask`: (H, W) uint8, 0 none, DamageType, 255 not judged."""
        mask = np.full((self.height, self.width), NOT_JUDGED, np.uint8)
        for item in self.items:
            judged = ~np.isnan(item.confidence_map)
            mask[item.roi.slices][judged] = 0
        for damage in self.shown():
            mask[damage.roi.slices][damage.mask] = damage.damage_type or DamageType.ANOMALY
        return mask

    def instance_mask(self) -> NDArray[np.uint8]:
        """Paint `damage/instance_mask`: (H, W) uint8, 0 none, else a damage's mask_value."""
        mask = np.zeros((self.height, self.width), np.uint8)
        for damage in self.shown():
            if damage.mask_value:
                mask[damage.roi.slices][damage.mask] = damage.mask_value
        return mask

    def confidence_image(self) -> NDArray[np.float32]:
        """Paint `damage/confidence`: (H, W) float32 P(damage), NaN not judged."""
        image = np.full((self.height, self.width), np.nan, np.float32)
        for item in self.items:
            patch = image[item.roi.slices]
            np.fmax(patch, item.confidence_map, out=patch)
        return image

    def shown(self) -> list[DamageInstance]:
        """Give the damages that count; the others are only pointed at.

        None counts where nobody said from which P(damaged) it would.
        """
        if not self.threshold:
            return []
        every = (damage for item in self.items for damage in item.damages)
        return [damage for damage in every if damage.confidence >= self.threshold]


@dataclass(frozen=True)
class Decision:
    """What to do with one item, said once."""

    stamp_ns: int  # stamp of the newest image that the decision rests on
    frame_id: str
    track_id: int
    sku: str
    decision: Verdict
    confidence: float  # P(damaged), NaN = not judged
    threshold: float
    frames: int  # in which it was seen clearly and judged; 0 = not judged
    reason: str
    pose: Pose
    age: float = 0.0  # seconds from the stamp to the decision
    health: Health = Health.OK  # of the evidence and, in a running node, of the station
    size: tuple[float, float, float] = (math.nan,) * 3  # metres along the pose's x, y, z


def header_dict(stamp_ns: int, frame_id: str) -> dict[str, Any]:
    """Give the fields of std_msgs/Header."""
    seconds, nanoseconds = divmod(stamp_ns, 1_000_000_000)
    return {'stamp': {'sec': seconds, 'nanosec': nanoseconds}, 'frame_id': frame_id}
