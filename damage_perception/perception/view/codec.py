"""An ItemView as bytes: one safetensors file, a format that cannot run code.

Height is kept in steps of 0.1 mm and its standard deviation in steps of 0.01 mm, far below the
noise of a depth camera; masks take a bit each of one byte. That is 30 % smaller than the arrays in
memory and needs no decompression, so looking a reference up costs little more than reading it.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from damage_perception.errors import UserError
from damage_perception.perception.view.item_view import ItemView

HEIGHT_STEP_M = 1e-4
STD_STEP_M = 1e-5
MAX_HEIGHT_M = 3.2
MIN_SIDE, MAX_SIDE = 8, 2048  # pixels
ITEM, SEEN = 1, 2  # bits of a pixel of `flags`
_NO_HEIGHT = -32768
_NO_STD = 65535


class ViewError(UserError):
    """A view that cannot be kept or read; the text says what was expected and what came."""


def encode_view(view: ItemView) -> bytes:
    """Give the file of a view; the same view gives the same bytes.

    Raises:
        ViewError: if types or values do not fit.
    """
    check_view(view)
    scalars = [view.resolution_m, view.frames, view.noise_correlation_m]
    data: bytes = save(
        {
            'rgb': np.ascontiguousarray(view.rgb),
            'height': quantise_height(view.height_m),
            'height_std': quantise_std(view.height_std_m),
            'flags': pack_flags(view.item_mask, view.seen),
            'to_camera': np.ascontiguousarray(view.to_camera, np.float64),
            'scalars': np.array(scalars, np.float64),
        }
    )
    return data


def decode_view(data: bytes) -> ItemView:
    """Read a view back.

    Raises:
        ViewError: if the bytes are not a view.
    """
    try:
        arrays = load(data)
        flags = arrays['flags']
        resolution_m, frames, correlation_m = (float(value) for value in arrays['scalars'])
        view = ItemView(
            rgb=arrays['rgb'],
            height_m=restore_height(arrays['height']),
            height_std_m=restore_std(arrays['height_std']),
            item_mask=(flags & ITEM) != 0,
            seen=(flags & SEEN) != 0,
            resolution_m=resolution_m,
            to_camera=arrays['to_camera'],
            frames=frames,
            noise_correlation_m=correlation_m,
        )
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ViewError(f'not a view: {error}') from error
    _check_form(view)  # the steps cannot hold a value that encoding would have refused
    return view


def check_view(view: ItemView) -> None:
    """Refuse what cannot be a reference.

    Raises:
        ViewError: naming what was expected and what came.
    """
    _check_form(view)
    if not view.item_mask.any():
        raise ViewError('the item mask is empty, so the view shows no item')
    # NaN is left out, infinity is not
    if np.nanmax(np.abs(view.height_m), initial=0.0) > MAX_HEIGHT_M:
        raise ViewError(f'heights must lie within {MAX_HEIGHT_M} m of the face')
    if np.nanmin(view.height_std_m, initial=0.0) < 0.0:
        raise ViewError('the standard deviation of height must not be negative')


def _check_form(view: ItemView) -> None:
    for name, dtype in (
        ('rgb', np.uint8), ('height_m', np.float32), ('height_std_m', np.float32),
        ('item_mask', np.bool_), ('seen', np.bool_),
    ):  # fmt: skip
        got = getattr(view, name).dtype
        if got != dtype:
            raise ViewError(f'{name} must be {np.dtype(dtype)}, got {got}')
    shape = view.item_mask.shape
    if len(shape) != 2 or not all(MIN_SIDE <= side <= MAX_SIDE for side in shape):
        raise ViewError(
            f'a view must be {MIN_SIDE} to {MAX_SIDE} pixels high and wide, got {shape}'
        )
    if not (1e-5 <= view.resolution_m <= 0.1):
        raise ViewError(f'resolution must lie in [1e-5, 0.1] m a pixel, got {view.resolution_m}')
    if view.to_camera.shape != (4, 4) or not np.isfinite(view.to_camera).all():
        raise ViewError(f'to_camera must be a finite (4, 4), got {view.to_camera.shape}')
    if not (math.isfinite(view.frames) and math.isfinite(view.noise_correlation_m)):
        raise ViewError('frames and noise_correlation_m must be finite')


def quantise_height(height_m: NDArray[np.float32]) -> NDArray[np.int16]:
    """Count steps of 0.1 mm, (H, W) int16, -32768 = NaN."""
    steps = np.rint(height_m / HEIGHT_STEP_M)
    return np.where(np.isnan(steps), _NO_HEIGHT, steps).astype(np.int16)


def restore_height(steps: NDArray[np.int16]) -> NDArray[np.float32]:
    """Undo `quantise_height`: (H, W) float32 metres."""
    height: NDArray[np.float32] = np.multiply(steps, np.float32(HEIGHT_STEP_M), dtype=np.float32)
    height[steps == _NO_HEIGHT] = np.nan
    return height


def quantise_std(std_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Count steps of 0.01 mm, (H, W) uint16, 65535 = NaN; 0.655 m and more are 0.65534 m."""
    steps = np.minimum(np.rint(std_m / STD_STEP_M), _NO_STD - 1)
    return np.where(np.isnan(steps), _NO_STD, steps).astype(np.uint16)


def restore_std(steps: NDArray[np.uint16]) -> NDArray[np.float32]:
    """Undo `quantise_std`: (H, W) float32 metres."""
    std: NDArray[np.float32] = np.multiply(steps, np.float32(STD_STEP_M), dtype=np.float32)
    std[steps == _NO_STD] = np.nan
    return std


def pack_flags(item_mask: NDArray[np.bool_], seen: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Put both masks into one (H, W) uint8 of bits ITEM and SEEN."""
    flags: NDArray[np.uint8] = item_mask * np.uint8(ITEM) | seen * np.uint8(SEEN)
    return flags
