"""What the network sees of an ItemView: the one place where views become channels.

Training and run time both call `view_tensor`; a change here needs a new `INPUT_VERSION`, so that
weights trained on other channels are refused.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.geometry.relief import smoothed
from damage_perception.perception.geometry.surface import Relief, own_relief
from damage_perception.perception.view.item_view import ItemView
from damage_perception.quantiles import median

INPUT_VERSION = 1
CHANNELS = (
    'height', 'residual', 'relief', 'slope', 'valid', 'item', 'seen',
    'has_colour', 'red', 'green', 'blue',
    'reference_red', 'reference_green', 'reference_blue', 'reference_difference',
    'reference_valid', 'has_reference',
)  # fmt: skip
RELIEF, SLOPE, VALID, ITEM, SEEN, HAS_COLOUR = range(2, 8)
DEPTH = slice(0, 5)  # where the item lies stays known without depth
COLOUR = slice(7, 11)
RGB = slice(8, 11)
REFERENCE = slice(11, 17)
REFERENCE_RGB, REFERENCE_DIFFERENCE, HAS_REFERENCE = slice(11, 14), 14, 16
MULTIPLE = 16  # views are padded to this, since the network halves four times

_RELIEF_SIGMA_M = 0.006
_AROUND = 2.5  # relief is compared with its surroundings: sensor noise is smooth
_AROUND_WEIGHT = 0.8
_SLOPE_SIGMA_M = 0.0045
_STD_FLOOR_M = 3e-4  # below this it is relief of paper, not noise, that limits

Tensor = NDArray[np.float32]


def view_tensor(
    view: ItemView, reference: ItemView | None = None, relief: Relief | None = None
) -> Tensor:
    """Turn a view into the channels of the network.

    Depth is told in deviations of the view's own noise, squeezed by asinh: so views of near and
    far cameras, and fused ones, look alike where they are equally sure.

    Args:
        view: the item.
        reference: a sound item of the same product on the view's own grid; None = there is none.
        relief: the view's own relief if it is known already.

    Returns:
        (len(CHANNELS), H, W) float32, 0 where nothing is known.

    Raises:
        ValueError: if the reference lies on another grid.
    """
    shape = view.item_mask.shape
    if reference is not None and reference.item_mask.shape != shape:
        raise ValueError(f'reference must be on the grid {shape}, got {reference.item_mask.shape}')
    out = np.zeros((len(CHANNELS), *shape), np.float32)
    valid = view.valid
    std = _deviation(view)
    coloured = view.coloured | view.seen  # behind edges there is colour but no place
    _paint(out[RGB], view.rgb, coloured)
    out[HAS_COLOUR], out[SEEN] = coloured, view.seen
    height = np.where(valid, view.height_m, np.float32(0.0))
    out[0] = squeeze(height / std)
    relief = own_relief(view) if relief is None else relief
    if relief is not None:
        face = _enlarge(relief.item, shape) > 0.5
        surface = _enlarge(relief.surface_m, shape)
        out[1] = np.where(face & valid, squeeze((height - surface) / std), np.float32(0.0))
        out[RELIEF] = _enlarge(squeeze(_significance(relief)), shape)
    slope = _slope(height, valid, view.resolution_m)
    out[SLOPE] = squeeze(slope * (view.noise_correlation_m / std))
    out[VALID], out[ITEM] = valid, view.item_mask
    if reference is not None:
        both = valid & reference.valid
        _paint(out[REFERENCE_RGB], reference.rgb, reference.seen)
        difference = (height - np.nan_to_num(reference.height_m)) / std
        out[REFERENCE_DIFFERENCE] = np.where(both, squeeze(difference), np.float32(0.0))
        out[15] = reference.seen & reference.item_mask
        out[HAS_REFERENCE] = 1.0
    return out


def squeeze(values: NDArray[np.floating]) -> Tensor:
    """Keep small deviations as they are and squeeze large ones: asinh."""
    return np.arcsinh(values).astype(np.float32)


def scaled_colour(levels: NDArray[Any]) -> Tensor:
    """Scale grey levels 0 to 255 to about zero mean and unit deviation."""
    return (levels.astype(np.float32) - np.float32(115.0)) * np.float32(1 / 64)


def grey_levels(colour: Tensor) -> Tensor:
    """Undo `scaled_colour`."""
    return colour * np.float32(64.0) + np.float32(115.0)


def pad(tensor: Tensor, multiple: int = MULTIPLE) -> Tensor:
    """Pad (..., H, W) below and right with zeros (nothing seen) to multiples of `multiple`."""
    rows, columns = (-side % multiple for side in tensor.shape[-2:])
    widths = [(0, 0)] * (tensor.ndim - 2) + [(0, rows), (0, columns)]
    return np.pad(tensor, widths) if rows or columns else tensor


def batch(tensors: list[Tensor]) -> Tensor:
    """Stack tensors of several sizes into (N, C, H, W), padded to the largest."""
    rows = max(tensor.shape[1] for tensor in tensors)
    columns = max(tensor.shape[2] for tensor in tensors)
    rows, columns = (side + -side % MULTIPLE for side in (rows, columns))
    out = np.zeros((len(tensors), tensors[0].shape[0], rows, columns), np.float32)
    for row, tensor in zip(out, tensors, strict=True):
        row[:, : tensor.shape[1], : tensor.shape[2]] = tensor
    return out


def _deviation(view: ItemView) -> np.float32:
    """Give the standard deviation of one pixel's height, metres: the median over the item."""
    known = view.height_std_m[view.item_mask & view.valid]
    return np.float32(max(median(known) if known.size else 0.0, _STD_FLOOR_M))


def _paint(channels: Tensor, rgb: NDArray[np.uint8], seen: NDArray[np.bool_]) -> None:
    """Set channels (3, H, W) that are 0 to scaled colour where something is seen."""
    for channel, levels in zip(channels, cv2.split(rgb), strict=True):
        np.copyto(channel, scaled_colour(levels), where=seen)


def _significance(relief: Relief) -> Tensor:
    """Give the relief over its surroundings in deviations of the noise that the mean leaves."""
    mean, share = smoothed(relief, relief.residual_m, _RELIEF_SIGMA_M)
    around, _ = smoothed(relief, relief.residual_m, _AROUND * _RELIEF_SIGMA_M)
    correlation = max(relief.correlation_m, 0.3 * relief.cell_m)
    noise = relief.std_m * correlation / np.hypot(correlation, _RELIEF_SIGMA_M)
    known = (share > 0.35) & (relief.item > 0.0)
    deviation = (mean - np.float32(_AROUND_WEIGHT) * around) / np.float32(noise)
    return np.where(known, deviation, np.float32(0.0))


def _slope(height: Tensor, valid: NDArray[np.bool_], resolution_m: float) -> Tensor:
    """Give the slope of the height, averaged over valid neighbours; 0 where little is known."""
    sigma = _SLOPE_SIGMA_M / resolution_m
    weight = cv2.GaussianBlur(valid.astype(np.float32), (0, 0), sigma)
    mean = cv2.GaussianBlur(height, (0, 0), sigma) / np.maximum(weight, np.float32(0.05))
    across = cv2.Sobel(mean, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(mean, cv2.CV_32F, 0, 1, scale=0.125)
    slope = np.hypot(across, down) / np.float32(resolution_m)
    return np.where(weight > 0.3, slope, np.float32(0.0)).astype(np.float32)


def _enlarge(values: NDArray[np.float32], shape: tuple[int, ...]) -> Tensor:
    large = cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(large, np.float32)
