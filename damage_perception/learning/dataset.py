"""One labelled image of any data set: what every reader gives and everything else takes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics, RgbdFrame
from damage_perception.learning.images import read_depth, read_mask, read_rgb
from damage_perception.report import DamageType, Severity

Mask = NDArray[np.bool_]


class Region(Protocol):
    """Pixels of an image, decoded only when asked for."""

    def read(self) -> Mask:
        """Give the region as (H, W) bool."""


@dataclass(frozen=True)
class MaskFile:
    """A region that lies in an image file, where it is not black."""

    path: Path

    def read(self) -> Mask:
        """Give the region as (H, W) bool."""
        return read_mask(self.path)


@dataclass(frozen=True)
class Damage:
    """One labelled damage; `region` None = its place is not labelled."""

    damage_type: DamageType
    severity: Severity = Severity.UNKNOWN
    depth_m: float = math.nan  # largest deviation from the sound surface, inwards positive
    region: Region | None = None


@dataclass(frozen=True)
class Reference:
    """A pristine picture of the same product; `camera` None = that of the sample it belongs to."""

    rgb: Path
    depth: Path | None = None
    camera: CameraIntrinsics | None = None


@dataclass(frozen=True, eq=False)
class Sample:
    """One labelled image; arrays are read when asked for.

    Attributes:
        image_id: its name in predictions, unique in its data set.
        rgb: file of the colour image, or (H, W, 3) uint8.
        depth: file of the registered depth, or (H, W) float32 metres with NaN invalid; None = none.
        camera: calibration; None = unknown.
        damaged: the item's label; None = not labelled.
        damages: what is damaged, as far as labelled.
        items: pixels of each labelled item; none = the image is a crop of one item.
        tags: what is in the picture (`lookalike:*`, `oddity:*`, `material:*` ...).
        references: pristine pictures of the same product.
        sku: product; '' = unknown.
        item_id: physical item; images of one item are not independent.
        split: train, val, test or what the data set calls it.
    """

    image_id: int | str
    rgb: Path | NDArray[np.uint8]
    depth: Path | NDArray[np.float32] | None = None
    camera: CameraIntrinsics | None = None
    damaged: bool | None = None
    damages: tuple[Damage, ...] = ()
    items: tuple[Region, ...] = ()
    tags: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    sku: str = ''
    item_id: str = ''
    split: str = ''

    @property
    def severity(self) -> Severity:
        """Give the worst severity among the damages; UNKNOWN where none is labelled."""
        return max((damage.severity for damage in self.damages), default=Severity.UNKNOWN)

    def read_rgb(self) -> NDArray[np.uint8]:
        """Give the colour image as (H, W, 3) uint8, red first."""
        return read_rgb(self.rgb) if isinstance(self.rgb, Path) else self.rgb

    def read_shape(self) -> tuple[int, int]:
        """Give rows and columns, of the calibration if there is one: that costs no decoding."""
        if self.camera is not None:
            return self.camera.height, self.camera.width
        height, width = self.read_rgb().shape[:2]
        return height, width

    def read_depth_m(self) -> NDArray[np.float32] | None:
        """Give depth as (H, W) float32 metres, NaN invalid; None = the sample has none."""
        return read_depth(self.depth) if isinstance(self.depth, Path) else self.depth

    def frame(self) -> RgbdFrame:
        """Give what a camera would have given.

        Raises:
            UserError: if the files do not fit each other.
        """
        try:
            return RgbdFrame(self.read_rgb(), self.read_depth_m(), self.camera)
        except ValueError as error:
            raise UserError(f'image {self.image_id} ({self.rgb}): {error}') from None

    def label_mask(self) -> NDArray[np.uint8] | None:
        """Paint the damages: (H, W) uint8 DamageType; None = their places are not labelled."""
        located = [damage for damage in self.damages if damage.region is not None]
        if self.damaged is None or (self.damaged and not located):
            return None
        mask = np.zeros(self.read_shape(), np.uint8)
        for damage in located:
            pixels = damage.region.read()  # type: ignore[union-attr]
            if pixels.shape != mask.shape:
                raise UserError(
                    f'image {self.image_id} ({self.rgb}): the mask of a damage is {pixels.shape}, '
                    f'the image is {mask.shape}; label the image again at its own size'
                )
            mask[pixels] = damage.damage_type or DamageType.ANOMALY
        return mask


def fit_camera(points: NDArray[np.float32]) -> CameraIntrinsics | None:
    """Find the pinhole camera that saw organised points, by least squares.

    Args:
        points: (H, W, 3) float32 metres in the camera's frame, NaN = invalid.

    Returns:
        None if too few points are valid or they do not fit a pinhole within half a pixel.
    """
    height, width = points.shape[:2]
    valid = np.isfinite(points).all(axis=2) & (points[..., 2] > 0)
    if np.count_nonzero(valid) < 100:
        return None
    rows, columns = np.nonzero(valid)
    focal, centre = [], []
    for axis, pixel in ((0, columns), (1, rows)):
        slope = points[..., axis][valid].astype(np.float64) / points[..., 2][valid]
        system = np.stack([slope, np.ones_like(slope)], axis=1)
        (f, c), *_ = np.linalg.lstsq(system, pixel.astype(np.float64), rcond=None)
        if not f > 0 or np.sqrt(np.mean((system @ [f, c] - pixel) ** 2)) > 0.5:
            return None
        focal.append(float(f))
        centre.append(float(c))
    return CameraIntrinsics(width, height, focal[0], focal[1], centre[0], centre[1])


def largest_side(image: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """Shrink an image so that its longer side is at most `pixels`."""
    scale = pixels / max(image.shape[:2])
    if scale >= 1.0:
        return image
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
