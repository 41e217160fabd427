"""A frame from files: colour and depth as images, the camera as JSON."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import typer
from numpy.typing import NDArray

from damage_perception.errors import CallError, UserError
from damage_perception.frame import CameraIntrinsics, FrameError, RgbdFrame

NAMES = ('fx', 'fy', 'cx', 'cy')


def load_frame(rgb: Path, depth: Path | None = None, camera: Path | None = None) -> RgbdFrame:
    """Load a frame; depth and camera may be missing.

    Raises:
        UserError: if a file is broken.
        CallError: if a file is missing or the files do not fit each other.
    """
    colour = _decode(rgb, cv2.IMREAD_COLOR)
    depth_m = None if depth is None else load_depth(depth)
    try:
        intrinsics = None
        if camera is not None:
            intrinsics = load_camera(camera, colour.shape[1], colour.shape[0])
        return RgbdFrame(np.ascontiguousarray(colour[..., ::-1]), depth_m, intrinsics)
    except FrameError as error:
        raise CallError(f'{rgb}: {error}') from error


def load_depth(path: Path) -> NDArray[np.float32]:
    """Load a depth PNG (uint16 millimetres, 0 invalid) as (H, W) float32 metres, NaN invalid.

    Raises:
        UserError: if it is broken.
        CallError: if it is not such an image.
    """
    from damage_perception.perception.sensor.depth import depth_in_metres

    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise CallError(
            f'{path} must be a PNG of one uint16 channel (millimetres), '
            f'got {image.dtype} {image.shape}'
        )
    return depth_in_metres(image, '16UC1')


def load_camera(path: Path, width: int, height: int) -> CameraIntrinsics:
    """Load the intrinsics of an image of a size that is known.

    Raises:
        CallError: if the file has not either fx, fy, cx, cy or K as in a CameraInfo, whose P,
            that of the rectified picture, goes before K.
        FrameError: if the numbers make no camera.
    """
    try:
        content = json.loads(_read(path))
        width = int(content.get('width', width))
        height = int(content.get('height', height))
        taken, projected = _numbers(content, 'K'), _numbers(content, 'P')
        numbers = projected or taken or [float(content[name]) for name in NAMES]
        distorted = np.any(np.asarray(_field(content, 'D') or 0.0, float))
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError) as error:
        raise CallError(
            f'{path} must be JSON with fx, fy, cx, cy or with K (nine numbers)'
        ) from error
    if (taken or projected) and any(name in content for name in NAMES):
        raise CallError(f'{path} has both a matrix and fx, fy, cx, cy; leave out one of the two')
    if distorted and projected in ([], taken):
        _warn_of_distortion(path)
    return CameraIntrinsics(width, height, *numbers)


def _numbers(content: dict[str, Any], name: str) -> list[float]:
    """Give fx, fy, cx, cy of the matrix K or P of a CameraInfo; empty = it is not there or zero."""
    matrix = _field(content, name)
    if matrix is None or (name == 'P' and not np.any(matrix)):
        return []
    rows = np.asarray(matrix, float).reshape(3, -1)
    return [float(rows[place]) for place in ((0, 0), (1, 1), (0, 2), (1, 2))]


def _field(content: dict[str, Any], name: str) -> Any:
    return content.get(name, content.get(name.lower()))


@lru_cache  # once a file, which references share
def _warn_of_distortion(path: Path) -> None:
    typer.echo(f'{path} has lens distortion (D), which is not taken out; rectify first', err=True)


def _decode(path: Path, mode: int) -> NDArray[Any]:
    data = _read(path)
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), mode) if data else None
    except cv2.error:  # it claims to be larger than any camera's
        image = None
    if image is None:
        raise UserError(
            f'{path} is not an image that can be read; copy it again, or save it as PNG or JPEG'
        )
    return np.asarray(image)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CallError(f'{path} cannot be read ({error.strerror})') from error
