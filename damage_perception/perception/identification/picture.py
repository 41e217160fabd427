"""The small picture of an item by which its product is known, and how large the item is.

The item's own outline is stretched over a square, so that all products lie on one grid; their
sizes are told beside it, in metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.view.item_view import ItemView

SIDE = 48  # pixels of a small picture
INPUT_SIDE = 32  # and of what the network sees of it
CHANNELS = ('red', 'green', 'blue', 'item', 'height')
SIZES = ('length', 'width', 'height', 'usual_length', 'usual_width', 'root_of_area')
INPUT_VERSION = 1  # a change of what the network sees needs a new one

_TRIMMED = 0.01  # share of an item's pixels beyond either end of its extent
_FEWEST_PIXELS = 200
_FEWEST_BELOW = 50  # pixels of support that tell how high an item stands
_BELOW_M = 0.004
_RELIEF_M = 0.01  # height that counts as one
# Logarithms of sizes + 3 cm are shifted and scaled to about zero and one.
_MIDDLE = np.array([-1.4, -1.7, -2.2, -1.45, -1.75, -1.7])
_SPREAD = np.array([0.4, 0.4, 0.5, 0.4, 0.4, 0.4])
_USUAL_HEIGHT_M = 0.05  # taken where no support is seen


@dataclass(frozen=True, eq=False)
class ItemPicture:
    """A small picture of an item.

    Attributes:
        rgb: (SIDE, SIDE, 3) uint8, mean colour of the item; any where `cover` is 0.
        cover: (SIDE, SIDE) uint8, share of the item in the pixel, 255 = all.
        height_m: (SIDE, SIDE) float16, metres above the face, NaN = not measured.
        sizes_m: (len(SIZES),) float32, metres; the height is NaN where no support is seen.
    """

    rgb: NDArray[np.uint8]
    cover: NDArray[np.uint8]
    height_m: NDArray[np.float16]
    sizes_m: NDArray[np.float32]


def picture_of(view: ItemView) -> ItemPicture | None:
    """Take the small picture of an item; None where too little of it is seen."""
    mask = view.item_mask
    rows, columns = np.nonzero(mask)
    if len(rows) < _FEWEST_PIXELS:
        return None
    across, down = _extent(columns), _extent(rows)
    seen = (mask & (view.rgb.max(axis=2) > 0)).astype(np.float32)
    cover = _crop(seen, across, down)
    colour = _crop(view.rgb.astype(np.float32) * seen[..., None], across, down)
    colour /= np.maximum(cover, 1e-3)[..., None]
    known = (mask & view.valid).astype(np.float32)
    weight = _crop(known, across, down)
    height = _crop(np.nan_to_num(view.height_m) * known, across, down)
    height = np.where(weight > 0.2, height / np.maximum(weight, 1e-3), np.nan)
    return ItemPicture(
        np.clip(colour, 0, 255).astype(np.uint8),
        (cover * 255).astype(np.uint8),
        height.astype(np.float16),
        _sizes_m(view, across[1] - across[0], down[1] - down[0]),
    )


def network_input(pictures: list[ItemPicture]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give what the network sees.

    Returns:
        (N, len(CHANNELS), INPUT_SIDE, INPUT_SIDE) and (N, len(SIZES)) float32.
    """
    channels = np.stack([_channels(picture) for picture in pictures])
    sizes = np.stack([picture.sizes_m for picture in pictures])
    height = np.where(np.isfinite(sizes[:, 2]), sizes[:, 2], _USUAL_HEIGHT_M)
    ordered = np.stack([
        np.maximum(sizes[:, 0], sizes[:, 1]), np.minimum(sizes[:, 0], sizes[:, 1]), height,
        np.maximum(sizes[:, 3], sizes[:, 4]), np.minimum(sizes[:, 3], sizes[:, 4]), sizes[:, 5],
    ], axis=1)  # fmt: skip
    logs = np.log(np.maximum(ordered, 0.0) + 0.03)
    return channels, ((logs - _MIDDLE) / _SPREAD).astype(np.float32)


def _channels(picture: ItemPicture) -> NDArray[np.float32]:
    """Colour as logarithms, so that light is an offset; the item; height in centimetres."""
    share = picture.cover.astype(np.float32) / np.float32(255)
    cover = _shrunk(share)
    inside = cover > 0.1
    colour = _shrunk(_log_linear(picture.rgb) * share[..., None])
    colour /= np.maximum(cover, 0.02)[..., None]
    measured = np.isfinite(picture.height_m)
    weight = _shrunk(measured.astype(np.float32))
    height = _shrunk(np.nan_to_num(picture.height_m.astype(np.float32)))
    height = np.clip(height / np.maximum(weight, 0.02) / _RELIEF_M, -4, 4)
    planes = [*np.moveaxis((colour + 1.8) / 1.2 * inside[..., None], 2, 0)]
    return np.stack([*planes, cover * 2 - 1, height * inside]).astype(np.float32)


def _log_linear(rgb: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Logarithm of the light that sRGB codes (IEC 61966-2-1), a floor under the dark."""
    code = np.arange(256) / 255
    light = np.where(code < 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4)
    table: NDArray[np.float32] = np.log(light + 0.02).astype(np.float32)
    return table[rgb]


def _shrunk(image: NDArray[np.floating]) -> NDArray[np.float32]:
    size = (INPUT_SIDE, INPUT_SIDE)
    return np.asarray(
        cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32
    )


def _extent(places: NDArray[np.int64]) -> tuple[float, float]:
    """Give where an item begins and ends, a few stray pixels left out."""
    low, high = np.quantile(places, [_TRIMMED, 1 - _TRIMMED])
    middle, half = (low + high) / 2, (high - low + 1) / (1 - 2 * _TRIMMED) / 2
    return float(middle - half), float(middle + half)


def _crop(
    image: NDArray[np.float32], across: tuple[float, float], down: tuple[float, float]
) -> NDArray[np.float32]:
    """Stretch a rectangle over the small picture; each of its pixels is the mean of nine."""
    fine = 3 * SIDE
    step_x, step_y = (across[1] - across[0]) / fine, (down[1] - down[0]) / fine
    matrix = np.array(
        [[step_x, 0, across[0] + step_x / 2], [0, step_y, down[0] + step_y / 2]], np.float32
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    big = cv2.warpAffine(image, matrix, (fine, fine), flags=flags)
    return np.asarray(cv2.resize(big, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)


def _sizes_m(view: ItemView, columns: float, rows: float) -> NDArray[np.float32]:
    mask = view.item_mask
    around = view.height_m[view.seen & view.valid & ~mask]
    support = around[around < -_BELOW_M]
    height = -float(np.median(support)) if len(support) > _FEWEST_BELOW else np.nan
    in_rows, in_columns = mask.sum(axis=1), mask.sum(axis=0)
    usual = [float(np.median(count[count > 0])) for count in (in_rows, in_columns)]
    metres = view.resolution_m
    area = np.sqrt(np.count_nonzero(mask)) * metres
    sizes = [columns * metres, rows * metres, height, usual[0] * metres, usual[1] * metres, area]
    return np.array(sizes, np.float32)
