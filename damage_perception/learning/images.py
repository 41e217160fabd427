"""Reading image files so that a broken one is refused by name and never half decoded."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError

MAX_PIXELS = 1 << 28  # phones take 200 million; what claims more is no picture of an item


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Give a colour image as (H, W, 3) uint8, red first."""
    image = _decode(path, cv2.IMREAD_COLOR_RGB)
    return np.asarray(image, np.uint8)


def read_mask(path: Path) -> NDArray[np.bool_]:
    """Give where an image is not black, as (H, W) bool."""
    return np.asarray(read_labels(path) > 0, np.bool_)


def read_labels(path: Path) -> NDArray[np.uint8]:
    """Give a label image as (H, W) uint8."""
    return np.asarray(_decode(path, cv2.IMREAD_GRAYSCALE), np.uint8)


def read_depth(path: Path) -> NDArray[np.float32]:
    """Give depth as (H, W) float32 metres, NaN invalid, from 16-bit millimetres (PNG) or xyz TIFF.

    Raises:
        UserError: if the file is neither.
    """
    if path.suffix.lower() in ('.tif', '.tiff'):
        return np.ascontiguousarray(read_points(path)[..., 2])
    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.dtype != np.uint16 or image.ndim != 2:
        raise UserError(
            f'{path}: depth must be a one-channel 16-bit PNG in millimetres, '
            f'got {image.dtype} {image.shape}'
        )
    depth: NDArray[np.float32] = image.astype(np.float32) * np.float32(0.001)
    depth[image == 0] = np.nan
    return depth


def read_points(path: Path) -> NDArray[np.float32]:
    """Give an organised point cloud as (H, W, 3) float32 metres, NaN where the sensor saw nothing.

    The file is a TIFF of three float channels x, y, z in metres, (0, 0, 0) = nothing.
    """
    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.dtype not in (np.float32, np.float64) or image.ndim != 3 or image.shape[2] != 3:
        raise UserError(
            f'{path}: points must be a TIFF of three float channels, got {image.dtype} '
            f'{image.shape}'
        )
    points: NDArray[np.float32] = image[..., ::-1].astype(
        np.float32
    )  # OpenCV gives the channels reversed
    points[~(np.isfinite(points).all(axis=2) & (points[..., 2] > 0))] = np.nan
    return points


def write_image(path: Path, image: NDArray[np.uint8] | NDArray[np.uint16]) -> None:
    """Write a label or grey image as PNG, making its folder.

    Raises:
        UserError: if it cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(path), image):
        raise UserError(f'{path} cannot be written; free some space or choose another folder')


def _decode(path: Path, flags: int) -> NDArray[Any]:
    """Decode a file in memory, so that OpenCV never sees a path it may quietly fail on."""
    try:
        data = np.fromfile(path, np.uint8)
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); check the path') from None
    try:
        image = cv2.imdecode(data, flags) if data.size else None
    except cv2.error:
        image = None
    if image is None:
        raise UserError(f'{path} is not a whole image file; copy or make it again')
    if image.shape[0] * image.shape[1] > MAX_PIXELS:
        raise UserError(f'{path} has {image.shape[1]}x{image.shape[0]} pixels; crop it')
    return np.asarray(image)
