"""A view's channels and what the network says about them, as numbers for the evidence.

The network sees 144 mm at a time and learned from patches; these numbers tell of the whole item:
how rough, how printed, how much without depth its worst places are beside its usual ones.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.inputs import (
    HAS_COLOUR,
    HAS_REFERENCE,
    ITEM,
    REFERENCE_DIFFERENCE,
    REFERENCE_RGB,
    RELIEF,
    RGB,
    SEEN,
    SLOPE,
    VALID,
)
from damage_perception.network.outputs import CLASSES, SCORES, STRIDE
from damage_perception.quantiles import quantiles

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]

_TOPS = (5, 25, 100, 400)  # pixels of the maps: 0.45, 2.3, 9 and 36 cm2 at the default resolution
_HEIGHT, _RESIDUAL = 0, 1
_FEWEST = 50  # pixels that a percentile needs
_EVERY = 2  # pixels between those that percentiles are taken of: neighbours say the same
_LIMIT = 12.0
_TOP_OF_KIND = 25
_SPREAD = ('low', 'mid', 'high', 'top', 'std')
_OF_REFERENCE = (
    *(f'reference_{what}_{part}' for what in ('colour', 'height') for part in _SPREAD),
    'reference_lower', 'reference_fit',
)  # fmt: skip
_SLACK = 5  # pixels that an aligned reference may still be off


def network_features(maps: Map, scores: Map, channels: Map) -> dict[str, float]:
    """Say how sure the network is, over how much, of what, on the item and beside it.

    Args:
        maps: (len(CLASSES), h, w) logits of the view.
        scores: (len(SCORES),) logits.
        channels: (C, H, W) as `view_tensor` makes them.
    """
    seen, item = (channels[part][::STRIDE, ::STRIDE] > 0 for part in (SEEN, ITEM))
    maps = maps[:, : seen.shape[0], : seen.shape[1]]
    evidence = np.clip(maps[1:] - maps[:1], -_LIMIT, _LIMIT)
    total = np.clip(np.log(np.exp(evidence).sum(axis=0)), -_LIMIT, _LIMIT)
    found = {f'net_{name}': float(score) for name, score in zip(SCORES, scores, strict=True)}
    for where, mask in (('item', seen & item), ('beside', seen & ~item)):
        inside = total[mask]
        falling = _highest(inside, max(_TOPS))
        for top in _TOPS:
            found[f'net_{where}_top{top}'] = (
                float(falling[:top].mean()) if falling.size >= top else np.nan
            )
        found[f'net_{where}_sure'] = float(np.count_nonzero(inside > 0.0))
    for name, kind in zip(CLASSES[1:], evidence, strict=True):
        falling = _highest(kind[seen], _TOP_OF_KIND)
        found[f'net_{name}_top'] = float(falling.mean()) if falling.size else np.nan
    return found


def _highest(values: Map, count: int) -> Map:
    """Give the highest values (N,), falling; all of them where they are fewer."""
    if values.size > count:
        values = np.partition(values, (values.size - count, values.size - 1))[-count:]
    return np.sort(values)[::-1]


def channel_features(channels: Map) -> dict[str, float]:
    """Say how the worst places of a view stand beside its usual ones; NaN where unknown."""
    seen, item = channels[SEEN] > 0, channels[ITEM] > 0
    face, beside, valid = seen & item, seen & ~item, channels[VALID] > 0
    found: dict[str, float] = {}
    measured, unmeasured = face & valid, face & ~valid
    for name, part in (('relief', RELIEF), ('residual', _RESIDUAL), ('slope', SLOPE)):
        found |= _spread(name, channels[part], measured)
    found |= _spread('beside_height', channels[_HEIGHT], beside & valid)
    area = np.count_nonzero(face)
    found['no_depth'] = np.count_nonzero(unmeasured) / area if area else np.nan
    found['no_depth_blob'] = _largest(unmeasured)
    found |= _print(channels, face, beside)
    found |= _reference(channels, face)
    return found


def _spread(name: str, values: Map, where: Mask) -> dict[str, float]:
    """Give low, usual and high values and how wide they scatter."""
    chosen = values[::_EVERY, ::_EVERY][where[::_EVERY, ::_EVERY]]
    if chosen.size < _FEWEST:
        return dict.fromkeys((f'{name}_{part}' for part in _SPREAD), np.nan)
    told = (*quantiles(chosen, (0.005, 0.5, 0.95, 0.995)), float(chosen.std()))
    return {f'{name}_{part}': value for part, value in zip(_SPREAD, told, strict=True)}


def _largest(mask: Mask) -> float:
    """Give the pixels of the largest blob."""
    if not mask.any():
        return 0.0
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask.view(np.uint8))
    return float(stats[1:, cv2.CC_STAT_AREA].max(initial=0))


def _print(channels: Map, face: Mask, beside: Mask) -> dict[str, float]:
    """Tell of colours and edges on the face, and of what lies beside the item."""
    coloured = channels[HAS_COLOUR] > 0
    red, green, blue = channels[RGB]
    grey = (red + green + blue) / np.float32(3.0)
    edges = np.abs(cv2.Laplacian(cv2.GaussianBlur(grey, (0, 0), 1.0), cv2.CV_32F))
    blurred = cv2.GaussianBlur(grey, (0, 0), 6.0)
    local = cv2.GaussianBlur(np.square(grey - blurred), (0, 0), 6.0)
    chroma = np.maximum(np.maximum(red, green), blue) - np.minimum(np.minimum(red, green), blue)
    printed = face & coloured
    found = _spread('edges', edges, printed) | _spread('local', local, printed)
    found |= _spread('grey', grey, printed) | _spread('chroma', chroma, printed)
    return found | _spread('beside_grey', grey, beside & coloured)


def _reference(channels: Map, face: Mask) -> dict[str, float]:
    """Compare with the aligned reference, light apart."""
    if not channels[HAS_REFERENCE].any():
        return dict.fromkeys(_OF_REFERENCE, np.nan)
    there = bool(channels[HAS_COLOUR].any())
    both = face & (channels[REFERENCE_RGB].any(axis=0)) & (channels[HAS_COLOUR] > 0)
    if not there or np.count_nonzero(both) < _FEWEST:
        both = np.zeros_like(face)
    off = _colour_distance(channels[RGB], channels[REFERENCE_RGB], both)
    found = _spread('reference_colour', off, both)
    height = channels[REFERENCE_DIFFERENCE]
    smooth = cv2.GaussianBlur(height, (0, 0), 3.0)
    measured = face & (height != 0)
    found |= _spread('reference_height', smooth, measured)
    found['reference_lower'] = (
        float(np.count_nonzero(smooth[measured] < -1.5)) if measured.any() else np.nan
    )
    grey = [cv2.GaussianBlur(channels[part].mean(axis=0), (0, 0), 2.0)[both]
            for part in (RGB, REFERENCE_RGB)]  # fmt: skip
    scatter = [float(part.std()) if part.size else 0.0 for part in grey]
    found['reference_fit'] = float(np.corrcoef(*grey)[0, 1]) if min(scatter) > 1e-3 else np.nan
    return found


def _colour_distance(mine: Map, other: Map, both: Mask) -> Map:
    """Give how far each pixel's colour lies from any of the reference near it, (H, W)."""
    size = (_SLACK, _SLACK)
    least = np.zeros(both.shape, np.float32)
    for own, theirs in zip(mine, other, strict=True):
        if not both.any():
            break
        theirs = _lit_alike(theirs, own, both)
        low = cv2.erode(theirs, np.ones(size, np.uint8))
        high = cv2.dilate(theirs, np.ones(size, np.uint8))
        beyond = np.maximum(np.maximum(low - own, own - high), 0.0)
        least = np.maximum(least, cv2.GaussianBlur(beyond, (0, 0), 1.5))
    return least


def _lit_alike(theirs: Map, own: Map, both: Mask) -> Map:
    """Give a channel of the reference the brightness and contrast of the item's."""
    a, b = theirs[both], own[both]
    quarters = [quantiles(part, (0.1, 0.5, 0.9)) for part in (a, b)]
    span = max(quarters[0][2] - quarters[0][0], 1e-3)
    gain = np.clip((quarters[1][2] - quarters[1][0]) / span, 0.5, 2.0)
    return np.asarray((theirs - quarters[0][1]) * np.float32(gain) + np.float32(quarters[1][1]),
                      np.float32)  # fmt: skip
