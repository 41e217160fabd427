"""Split boxes of one height that touch: by the dark gap between them, seen in colour alone.

A gap runs straight through the whole outline. So do the closing flaps of a carton, but along its
longer side and through its middle; and tape or print are no thin dark lines.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

_SAMPLES = 40  # along a chord
_TILTS = np.arange(-2, 3) * 0.025  # radians by which a gap may be askew
_SEEN_SHARE = 0.8  # of a chord that must be dark
_BESIDE_SHARE = 0.4  # of the chords beside it that may be: more is print
_DARKER = 0.25  # share of the light that a gap swallows
_LONGEST = 0.8  # gap over length of the outline: longer ones are closing flaps
_REACH = 0.33  # how far from the middle, as share of the length, a gap is sought
_RECTANGULAR = 0.8  # share of the smallest rectangle that boxes fill
_GAP_M = 0.006  # widest dark gap


def split_seams(
    labels: NDArray[np.int32], dark: NDArray[np.bool_], pixel_m: float, min_size_m: float
) -> NDArray[np.int32]:
    """Split labelled items (H, W), 0 = support, along the gaps between boxes of one height.

    `dark` (H, W) bool marks dark lines.
    """
    labels = labels.copy()
    width_px = max(1, round(_GAP_M / pixel_m))
    boxes = find_objects(labels)
    waiting = [(label, box) for label, box in enumerate(boxes, start=1) if box is not None]
    count = len(boxes)
    while waiting:
        label, box = waiting.pop()
        side = _beyond_gap(labels[box] == label, dark[box], min_size_m / pixel_m, width_px)
        if side is not None:
            count += 1
            labels[box][side] = count
            waiting += [(label, box), (count, box)]
    return labels


def dark_lines(grey: NDArray[np.uint8], pixel_m: float) -> NDArray[np.bool_]:
    """Mark thin lines that are darker than what is beside them."""
    width_px = max(1, round(_GAP_M / pixel_m))
    kernel = np.ones((2 * width_px + 1, 2 * width_px + 1), np.uint8)
    closed = cv2.morphologyEx(grey, cv2.MORPH_CLOSE, kernel).astype(np.float32)
    lines = (closed - grey > _DARKER * np.maximum(closed, 32.0)).astype(np.uint8)
    marked: NDArray[np.bool_] = cv2.dilate(lines, np.ones((3, 3), np.uint8)) > 0
    return marked


def _beyond_gap(
    mask: NDArray[np.bool_], dark: NDArray[np.bool_], least_px: float, width_px: int
) -> NDArray[np.bool_] | None:
    """Give the pixels of a mask on the far side of the gap that crosses it; None without gap."""
    outlines, _ = cv2.findContours(mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    (x, y), (a, b), degrees = cv2.minAreaRect(np.concatenate(outlines))
    length, width, turn = (a, b, 0.0) if a >= b else (b, a, 0.5 * np.pi)
    if width < least_px or width > _LONGEST * length:
        return None
    if np.count_nonzero(mask) < _RECTANGULAR * a * b:
        return None
    angle = np.radians(degrees) + turn
    along = np.array([np.cos(angle), np.sin(angle)])
    offset, tilt = _gap(mask, dark, np.array([x, y]), along, (length, width), width_px)
    if offset is None:
        return None
    v, u = np.nonzero(mask)
    du, dv = u - x, v - y
    position = du * along[0] + dv * along[1] - offset
    across = dv * along[0] - du * along[1]
    far = position > tilt * across
    side = np.zeros_like(mask)
    side[v[far], u[far]] = True
    return side


def _gap(
    mask: NDArray[np.bool_],
    dark: NDArray[np.bool_],
    centre: NDArray[np.float64],
    along: NDArray[np.float64],
    size: tuple[float, float],
    width_px: int,
) -> tuple[float | None, float]:
    """Find the darkest chord across a mask: its offset from the centre (None = none), its tilt."""
    offsets = np.arange(-_REACH * size[0], _REACH * size[0])
    across = np.linspace(-0.48, 0.48, _SAMPLES) * size[1]
    tilts, shifts, steps = np.meshgrid(_TILTS, offsets, across, indexing='ij')
    shifts = shifts + tilts * steps
    u = np.rint(centre[0] + shifts * along[0] - steps * along[1]).astype(np.intp)
    v = np.rint(centre[1] + shifts * along[1] + steps * along[0]).astype(np.intp)
    np.clip(u, 0, mask.shape[1] - 1, out=u)
    np.clip(v, 0, mask.shape[0] - 1, out=v)
    on = mask[v, u]
    share = np.sum(dark[v, u] & on, axis=2) / np.maximum(np.sum(on, axis=2), 1)
    tilt, shift = np.unravel_index(int(np.argmax(share)), share.shape)
    reach = 2 * width_px + 2
    beside = share[tilt, [max(0, shift - reach), min(share.shape[1] - 1, shift + reach)]]
    if share[tilt, shift] < _SEEN_SHARE or beside.max() > _BESIDE_SHARE:
        return None, 0.0
    return float(offsets[shift]), float(_TILTS[tilt])
