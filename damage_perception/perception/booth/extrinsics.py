"""Where a camera of a booth stands, and its reports told in the frame of the booth."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from damage_perception.report import DamageInstance, DamageReport, ItemReport, Pose

_UNIT = 0.01  # that the length of a quaternion may be off from 1


@dataclass(frozen=True, eq=False)
class Extrinsics:
    """The pose of a camera's optical frame (REP-103) in the frame of the booth.

    Attributes:
        turn: from the camera's axes to those of the booth.
        position_m: (3,) where the camera is, metres.
    """

    turn: Rotation
    position_m: NDArray[np.float64]

    @classmethod
    def of(cls, numbers: Sequence[float]) -> Extrinsics:
        """Make them of x, y, z (metres) and qx, qy, qz, qw, as tf2 writes a transform.

        Raises:
            ValueError: if these are not seven numbers with a quaternion of length 1.
        """
        values = np.asarray(numbers, np.float64)
        if values.shape != (7,) or not np.isfinite(values).all():
            raise ValueError(f'must be seven numbers x y z qx qy qz qw, got {list(numbers)}')
        length = float(np.linalg.norm(values[3:]))
        if abs(length - 1.0) > _UNIT:
            raise ValueError(f'must end in a quaternion of length 1, got one of {length:.3g}')
        return cls(Rotation.from_quat(values[3:]), values[:3])

    def bring(self, report: DamageReport, frame_id: str) -> DamageReport:
        """Give a report with poses and centroids in the frame of the booth, of that name."""
        items = tuple(self._item(item) for item in report.items)
        return dataclasses.replace(report, frame_id=frame_id, items=items)

    def _item(self, item: ItemReport) -> ItemReport:
        damages = tuple(self._damage(damage) for damage in item.damages)
        return dataclasses.replace(item, pose=self._pose(item.pose), damages=damages)

    def _damage(self, damage: DamageInstance) -> DamageInstance:
        return dataclasses.replace(damage, centroid=self._point(damage.centroid))

    def _pose(self, pose: Pose) -> Pose:
        turned = np.asarray(pose.orientation, np.float64)
        if np.isfinite(turned).all() and turned.any():
            turned = (self.turn * Rotation.from_quat(turned)).as_quat()
        x, y, z, w = (float(value) for value in turned)
        return Pose(self._point(pose.position), (x, y, z, w))

    def _point(self, point: tuple[float, float, float]) -> tuple[float, float, float]:
        x, y, z = (float(value) for value in self.turn.apply(point) + self.position_m)
        return x, y, z
