"""One sample: an item as an RGB-D camera sees it, with the whole truth about it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.synthesis.patch import Damage


@dataclass(frozen=True, eq=False)
class SeenDamage:
    """A damage and where the camera sees it, (H, W) bool."""

    truth: Damage
    mask: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Sample:
    """A picture of one item and the truth about it. Arrays are (H, W) unless said.

    Attributes:
        rgb: (H, W, 3) uint8, red first.
        depth_m: float32 metres as measured, NaN = invalid.
        true_depth_m: float32 metres.
        camera: intrinsics of this crop.
        item_mask: bool, what is seen of the item.
        others_mask: bool, what is seen of other items.
        damages: what is seen of its damages.
        plane: the support, in the optical frame.
        profile: the noise of the depth camera, as a calibration would give it.
        pose: (4, 4) float64, item frame (origin on the support below the item's centre, x along
            its length, z up) to the optical frame.
        size: length, width, height of the sound item, metres.
        sku, item_id: which product, which copy.
        split: train | val | test, or shifted_val | shifted_test.
        tags: family, style, oddities, look-alikes, sensor.
        more: further pictures of the same scene, (rgb, depth_m), each with noise of its own.
        references: pristine views of the product.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    true_depth_m: NDArray[np.float32]
    camera: CameraIntrinsics
    item_mask: NDArray[np.bool_]
    others_mask: NDArray[np.bool_]
    damages: tuple[SeenDamage, ...]
    plane: Plane
    profile: SensorProfile
    pose: NDArray[np.float64]
    size: tuple[float, float, float]
    sku: str
    item_id: str
    split: str
    tags: tuple[str, ...]
    more: tuple[tuple[NDArray[np.uint8], NDArray[np.float32]], ...] = ()
    references: tuple[Sample, ...] = field(default=())

    def label_map(self) -> NDArray[np.uint8]:
        """Give the type of damage at each pixel, 0 = none."""
        labels = np.zeros(self.item_mask.shape, np.uint8)
        for damage in self.damages:
            labels[damage.mask] = damage.truth.damage_type
        return labels
