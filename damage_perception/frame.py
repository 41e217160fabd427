"""The one input type: a colour image, its registered depth and the camera that took both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


class FrameError(ValueError):
    """An image, a depth image or a calibration that cannot be used; the text says why."""


@dataclass(frozen=True)
class CameraIntrinsics:
    """A rectified pinhole camera (REP-104: no distortion is left), lengths in pixels.

    Raises:
        FrameError: if a focal length or the size is not a positive, finite number.
    """

    width: int
    height: int
    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise FrameError(f'image size must be positive, got {self.width}x{self.height}')
        for name in ('fx', 'fy'):
            value = getattr(self, name)
            if not np.isfinite(value) or value <= 0.0:
                raise FrameError(f'{name} must be a positive number of pixels, got {value}')
        if not (np.isfinite(self.cx) and np.isfinite(self.cy)):
            raise FrameError(f'the principal point must be finite, got ({self.cx}, {self.cy})')


@dataclass(frozen=True)
class ItemIdentity:
    """What an item is said to be: by a barcode reader, by its looks or by an operator."""

    sku: str
    confidence: float = 1.0  # [0, 1]
    source: str = 'barcode'  # barcode | vision | operator
    stamp_ns: int = 0  # when it was said


@dataclass(frozen=True, eq=False)
class RgbdFrame:
    """One synchronised pair of colour and depth. Arrays are shared, never written to.

    Attributes:
        rgb: (H, W, 3) uint8, red first.
        depth_m: (H, W) float32, metres along the optical axis, NaN = invalid; None = no depth.
        camera: the calibration; None = none has arrived.
        stamp_ns: time of exposure, nanoseconds (REP-103 frames, ROS time).
        frame_id: the optical frame of the camera (x right, y down, z forward).
        identity: what the item in view is said to be, if somebody said.

    Raises:
        FrameError: if shapes or types do not fit each other.
    """

    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32] | None
    camera: CameraIntrinsics | None
    stamp_ns: int = 0
    frame_id: str = ''
    identity: ItemIdentity | None = None

    def __post_init__(self) -> None:
        shape = self.rgb.shape
        if self.rgb.ndim != 3 or shape[2] != 3 or self.rgb.dtype != np.uint8:
            raise FrameError(f'rgb must be (H, W, 3) uint8, got {shape} {self.rgb.dtype}')
        if 0 in shape:
            raise FrameError(f'rgb must not be empty, got {shape}')
        if self.depth_m is not None:
            if self.depth_m.dtype != np.float32:
                raise FrameError(f'depth must be float32 metres, got {self.depth_m.dtype}')
            if self.depth_m.shape != shape[:2]:
                raise FrameError(
                    f'depth must be (H, W) like rgb {shape[:2]}, got {self.depth_m.shape}; '
                    'use the depth topic that is registered to colour'
                )
        if self.camera is not None and (self.camera.height, self.camera.width) != shape[:2]:
            raise FrameError(
                f'camera info is for {self.camera.width}x{self.camera.height}, '
                f'the image is {shape[1]}x{shape[0]}'
            )


@dataclass(frozen=True, eq=False)
class MeasuredFrame(RgbdFrame):
    """A frame with depth and calibration: what perception works on."""

    depth_m: NDArray[np.float32]
    camera: CameraIntrinsics

    @classmethod
    def of(cls, frame: RgbdFrame) -> MeasuredFrame:
        """Take a frame as measured; depth that cannot be (infinite, not positive) becomes NaN.

        Raises:
            FrameError: naming what is missing.
        """
        if frame.camera is None:
            raise FrameError('no camera info has arrived')
        if frame.depth_m is None:
            raise FrameError('no depth has arrived')
        depth = frame.depth_m
        impossible = np.isinf(depth) | (depth <= 0.0)
        if impossible.any():
            depth = np.where(impossible, np.float32(np.nan), depth)
        if np.isnan(depth).all():
            raise FrameError('the depth image holds no valid pixel')
        return cls(frame.rgb, depth, frame.camera, frame.stamp_ns, frame.frame_id, frame.identity)
