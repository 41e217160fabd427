"""Figures of how an item is seen, whatever it is: what tells a change of light, lens or sensor."""

from __future__ import annotations

import math
from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame
from damage_perception.perception.decision.drift_watch import DriftWatch
from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.report import ItemReport

_RING_PX = 9  # of support around an item
_FEWEST = 50  # pixels that tell anything
_FAINT = 12.0  # levels of grey below which contrast is noise
_REMEMBERED = 1000  # tracks that have told already


class PictureWatch:
    """Watch how items are seen; each track tells once, with its first clean look.

    So all that is compared rests on a single picture, however long an item is followed.
    """

    def __init__(self) -> None:
        self._watch = DriftWatch()
        self._told: dict[int, None] = {}  # in order of time

    def sentence(self) -> str:
        """Say what has drifted; empty = nothing has."""
        return self._watch.sentence()

    def take(self, frame: MeasuredFrame, items: Iterable[ItemReport]) -> None:
        """Take the items of a frame."""
        for item in items:
            unclear = any(item.status & flag for flag in IN_THE_WAY)
            if unclear or math.isnan(item.confidence) or item.track_id in self._told:
                continue
            self._watch.take(item_figures(frame, item))
            self._told[item.track_id] = None
            if len(self._told) > _REMEMBERED:
                del self._told[next(iter(self._told))]


def item_figures(frame: MeasuredFrame, item: ItemReport) -> dict[str, float]:
    """Give the figures that `DriftWatch` watches; NaN where there is nothing to tell one from.

    Brightness is that of the support around the item, since items differ. Sharpness is the steepest
    edges in units of the contrast around them, so that neither print nor light change it much.
    """
    rows, columns = (
        slice(max(0, one.start - _RING_PX), one.stop + _RING_PX) for one in item.roi.slices
    )
    grey = cv2.cvtColor(np.ascontiguousarray(frame.rgb[rows, columns]), cv2.COLOR_RGB2GRAY)
    inside = np.zeros(frame.rgb.shape[:2], np.uint8)
    inside[item.roi.slices] = item.mask
    inside = inside[rows, columns]
    size = 2 * _RING_PX + 1
    near = cv2.dilate(inside, np.ones((size, size), np.uint8))
    around = grey[(near > 0) & (inside == 0)]
    measured = np.isfinite(frame.depth_m[item.roi.slices][item.mask])
    return {
        'brightness': float(np.median(around)) if around.size >= _FEWEST else math.nan,
        'sharpness': _sharpness(grey),
        'depth': float(measured.mean()) if measured.size >= _FEWEST else math.nan,
        'score': item.segmentation_score,
    }


def _sharpness(grey: NDArray[np.uint8]) -> float:
    """Give the steepest step over two pixels as a share of the contrast within seven, 0 to 1."""
    if min(grey.shape) < 16:
        return math.nan
    wide = np.ones((7, 7), np.uint8)
    contrast = cv2.dilate(grey, wide).astype(np.float32) - cv2.erode(grey, wide)
    edges = contrast > max(_FAINT, float(np.percentile(contrast, 90)))
    if np.count_nonzero(edges) < _FEWEST:
        return math.nan
    near = np.ones((3, 3), np.uint8)
    step = cv2.dilate(grey, near).astype(np.float32) - cv2.erode(grey, near)
    return float(np.median(cv2.dilate(step, wide)[edges] / contrast[edges]))
