"""Images and calibrations of messages as arrays, without copying the pixels.

Messages are duck-typed (`sensor_msgs` as rclpy gives them, or as `rosbags` reads them), so that
recordings convert the same way as topics and no ROS is needed.
"""

from __future__ import annotations

import importlib
import sys
from array import array
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics, FrameError
from damage_perception.perception.sensor.depth import DEPTH_DTYPES, depth_in_metres

MAX_SIDE = 16384  # pixels; larger is a corrupt message, not a camera

_CHANNELS = {'rgb8': 3, 'bgr8': 3, 'rgba8': 4, 'bgra8': 4, 'mono8': 1}
_RED_FIRST = {
    'rgb8': slice(None),
    'bgr8': slice(None, None, -1),
    'rgba8': slice(0, 3),
    'bgra8': slice(2, None, -1),
}


def stamp_ns(message: Any) -> int:
    """Give the time of a message's header in nanoseconds."""
    stamp = message.header.stamp
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def image_to_rgb(message: Any) -> NDArray[np.uint8]:
    """View an image message as (H, W, 3) uint8, red first; read-only.

    Encodings beside rgb8, bgr8, rgba8, bgra8 and mono8 need `cv_bridge`.

    Raises:
        FrameError: for a size, step, length or encoding that cannot be used.
    """
    encoding = message.encoding
    if encoding in DEPTH_DTYPES:
        raise FrameError(f'the colour topic carries {encoding}, which is depth; swap the topics')
    if encoding not in _CHANNELS:
        return _convert_by_cv_bridge(message)
    pixels = _view(message, np.dtype(np.uint8), _CHANNELS[encoding])
    if encoding == 'mono8':
        return np.broadcast_to(pixels, (*pixels.shape[:2], 3))
    return pixels[..., _RED_FIRST[encoding]]


def image_to_depth(message: Any) -> NDArray[np.float32]:
    """Give a depth message as (H, W) float32 metres, NaN invalid (REP-118).

    Raises:
        FrameError: for a size, step, length or encoding that cannot be used.
    """
    dtype = DEPTH_DTYPES.get(message.encoding)
    if dtype is None:
        raise FrameError(
            f'depth encoding {message.encoding!r} has no defined unit; '
            'publish 16UC1 (millimetres) or 32FC1 (metres)'
        )
    ordered = dtype.newbyteorder('>' if message.is_bigendian else '<')
    return depth_in_metres(_view(message, ordered, 1)[..., 0], message.encoding)


def fill_image(message: Any, pixels: NDArray[Any], encoding: str) -> Any:
    """Put pixels (H, W) or (H, W, C) into an empty image message; the caller sets the header.

    The one copy that is made is into `array.array`, the only type that rclpy takes over as it is.
    """
    pixels = np.ascontiguousarray(pixels)
    message.height, message.width = pixels.shape[:2]
    message.encoding = encoding
    message.step = pixels.strides[0]
    message.is_bigendian = int(sys.byteorder == 'big')
    data = array('B')
    data.frombytes(pixels.reshape(-1).view(np.uint8).data)
    message.data = data
    return message


def camera_intrinsics(message: Any) -> CameraIntrinsics:
    """Give the pinhole camera of the rectified image that a `CameraInfo` describes.

    The projection P belongs to the rectified image; K stands in where a driver leaves P zero.
    Binning and region of interest are applied.

    Raises:
        FrameError: if the calibration is zero or not finite.
    """
    raw, rectified = _pinholes(message)
    fx, cx, fy, cy = (rectified if rectified[[0, 2]].all() else raw).tolist()
    if fx == 0.0 or fy == 0.0:
        raise FrameError('the camera is not calibrated (K is zero); calibrate it')
    bin_x, bin_y, roi = message.binning_x or 1, message.binning_y or 1, message.roi
    return CameraIntrinsics(
        width=(roi.width or message.width) // bin_x,
        height=(roi.height or message.height) // bin_y,
        fx=fx / bin_x,
        fy=fy / bin_y,
        cx=(cx - roi.x_offset) / bin_x,
        cy=(cy - roi.y_offset) / bin_y,
    )


def is_distorted(message: Any) -> bool:
    """Tell whether a `CameraInfo` is that of an image with lens distortion.

    What rectifies an image keeps D and K of the lens beside it and tells the camera of the
    rectified image by P, so with D only a P that is zero or still that of the lens tells.
    """
    raw, rectified = _pinholes(message)
    untold = not rectified[[0, 2]].all() or np.allclose(raw, rectified)
    return bool(np.any(np.asarray(message.d, float)) and untold)


def _pinholes(message: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give fx, cx, fy, cy of K and of P."""
    matrix, projection = np.asarray(message.k, float), np.asarray(message.p, float)
    return matrix[[0, 2, 4, 5]], projection[[0, 2, 5, 6]]


def _view(message: Any, dtype: np.dtype[Any], channels: int) -> NDArray[Any]:
    """View the bytes of an image as (H, W, channels)."""
    height, width, step = int(message.height), int(message.width), int(message.step)
    if not (0 < height <= MAX_SIDE and 0 < width <= MAX_SIDE):
        raise FrameError(f'image size must be 1 to {MAX_SIDE} pixels, got {width}x{height}')
    pixel_bytes = channels * dtype.itemsize
    if step < width * pixel_bytes:
        raise FrameError(
            f'step must be at least {width * pixel_bytes} bytes '
            f'({width} pixels of {message.encoding}), got {step}'
        )
    data = memoryview(message.data).cast('B') if len(message.data) else b''
    if len(data) != step * height:
        raise FrameError(
            f'image data must be {step * height} bytes (step {step} x height {height}), '
            f'got {len(data)}'
        )
    strides = (step, pixel_bytes, dtype.itemsize)
    pixels: NDArray[Any] = np.ndarray((height, width, channels), dtype, data, 0, strides)
    pixels.flags.writeable = False
    return pixels


def _convert_by_cv_bridge(message: Any) -> NDArray[np.uint8]:
    """Leave Bayer, YUV and the like to `cv_bridge`, which copies."""
    try:
        bridge = importlib.import_module('cv_bridge').CvBridge()
    except ImportError:
        raise FrameError(
            f'colour encoding {message.encoding!r} needs cv_bridge: install '
            'ros-$ROS_DISTRO-cv-bridge, or publish rgb8 or bgr8'
        ) from None
    try:
        return np.asarray(bridge.imgmsg_to_cv2(message, 'rgb8'), np.uint8)
    except Exception as error:  # cv_bridge raises its own and OpenCV's types
        raise FrameError(f'cv_bridge cannot read {message.encoding!r}: {error}') from error
