"""A view as pictures that people and other programs can open, and back.

`K.png` colour, `K_mask.png` (255 item, 128 around it, 0 not seen, 64 item but not seen),
`K_height.png` (uint16, 0 invalid, else 32768 + height in 0.1 mm), `K_height_std.png` (uint16, 0
invalid, else 1 + 0.01 mm) and `K.json`, what pictures cannot say. No bit of the store is lost.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from datetime import datetime
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.files import GalleryError
from damage_perception.perception.gallery.records import ReferenceView, State
from damage_perception.perception.view.codec import (
    MAX_SIDE,
    ViewError,
    check_view,
    quantise_height,
    quantise_std,
    restore_height,
    restore_std,
)
from damage_perception.perception.view.item_view import ItemView

FORMAT = 1
_GREYS = {(True, True): 255, (True, False): 64, (False, True): 128, (False, False): 0}
_PNG = b'\x89PNG\r\n\x1a\n'


def to_pictures(item: ReferenceView, stem: str) -> dict[str, bytes]:
    """Give the files of a reference by name; `stem` is their common beginning."""
    view, reference = item.view, item.reference
    height = quantise_height(view.height_m).astype(np.int32) + 32768  # int16 lowest is NaN: 0
    std = (quantise_std(view.height_std_m).astype(np.int32) + 1) % 65536
    grey = np.zeros(view.item_mask.shape, np.uint8)
    for (is_item, is_seen), value in _GREYS.items():
        grey[(view.item_mask == is_item) & (view.seen == is_seen)] = value
    said = {
        'format': FORMAT, 'resolution_m': view.resolution_m, 'frames': view.frames,
        'noise_correlation_m': view.noise_correlation_m, 'to_camera': view.to_camera.tolist(),
        'design': reference.design, 'by': reference.by, 'state': reference.state.value,
        'reason': reference.reason, 'enrolled_at': reference.enrolled_at.isoformat(),
        'features': item.features.tolist(),
    }  # fmt: skip
    return {
        f'{stem}.png': _png(np.ascontiguousarray(view.rgb[:, :, ::-1])),
        f'{stem}_height.png': _png(height.astype(np.uint16)),
        f'{stem}_height_std.png': _png(std.astype(np.uint16)),
        f'{stem}_mask.png': _png(grey),
        f'{stem}.json': json.dumps(said, indent=1, sort_keys=True).encode(),
    }


def from_pictures(read: Callable[[str], bytes], stem: str) -> Enrolment:
    """Read a reference back.

    Args:
        read: gives the bytes of a file by name.
        stem: common beginning of the names.

    Raises:
        GalleryError, ViewError: naming the file and what is wrong with it.
    """
    said = _said(read(f'{stem}.json'), f'{stem}.json')
    rgb = _picture(read, f'{stem}.png', np.uint8, 3)[:, :, ::-1]
    height = _picture(read, f'{stem}_height.png', np.uint16, 2).astype(np.int32) - 32768
    std = (_picture(read, f'{stem}_height_std.png', np.uint16, 2).astype(np.int32) - 1) % 65536
    grey = _picture(read, f'{stem}_mask.png', np.uint8, 2)
    try:
        view = ItemView(
            rgb=np.ascontiguousarray(rgb),
            height_m=restore_height(height.astype(np.int16)),
            height_std_m=restore_std(std.astype(np.uint16)),
            item_mask=(grey == 255) | (grey == 64),
            seen=grey >= 128,
            resolution_m=float(said['resolution_m']),
            to_camera=np.array(said['to_camera'], np.float64),
            frames=float(said['frames']),
            noise_correlation_m=float(said['noise_correlation_m']),
        )
        check_view(view)
        return Enrolment(
            view,
            design=str(said['design']),
            features=np.array(said['features'], np.float32),
            state=State(said['state']),
            reason=str(said['reason']),
            at=datetime.fromisoformat(said['enrolled_at']),
            by=str(said['by']),
        )
    except (KeyError, TypeError, ValueError, OverflowError, ViewError) as error:
        raise ViewError(f'{stem}.json or its pictures do not fit: {error}') from error


def _said(data: bytes, name: str) -> dict[str, Any]:
    try:
        said = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise GalleryError(f'{name} is not JSON: {str(error)[:200]}') from error
    if not isinstance(said, dict) or said.get('format') != FORMAT:
        raise GalleryError(f'{name} is not a reference of format {FORMAT}')
    return said


def _picture(
    read: Callable[[str], bytes], name: str, dtype: type[np.generic], ndim: int
) -> NDArray[Any]:
    """Decode a PNG; its size is looked at first, since a small file can claim a huge one."""
    data = read(name)
    if data[:8] != _PNG or len(data) < 24:
        raise ViewError(f'{name} is not a PNG')
    width, height = struct.unpack('>II', data[16:24])
    if max(width, height) > MAX_SIDE:
        raise ViewError(
            f'{name} must be at most {MAX_SIDE} pixels wide and high, got {width}x{height}'
        )
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise ViewError(f'{name} is damaged')
    if image.dtype != dtype or image.ndim != ndim:
        raise ViewError(
            f'{name} must be {ndim - 1 if ndim == 3 else 1}-channel {np.dtype(dtype)}, '
            f'got {image.shape} {image.dtype}'
        )
    decoded: NDArray[Any] = image
    return decoded


def _png(image: NDArray[Any]) -> bytes:
    done, data = cv2.imencode('.png', image)
    if not done:
        raise GalleryError(f'a picture of {image.shape} {image.dtype} cannot be written as PNG')
    return bytes(data)
