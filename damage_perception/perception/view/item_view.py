"""The ItemView: one item, rectified by its own face into a metric picture.

Whatever judges an item (geometry, network, references) sees only ItemViews, so scale, pose, range
and camera are dealt with once. Columns run along the face's length, rows along its width, height
points out of the face towards the camera; the face itself is height 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

DEFAULT_RESOLUTION_M = 0.0015
MARGIN_M = 0.03  # belt kept around the item, since spills lie there
_WHISKER_M = 0.004  # half the width of what is no part of an item but a trace of its walls


@dataclass(frozen=True, eq=False)
class ItemView:
    """One item seen square on to its face. All arrays are (H, W) but rgb.

    Attributes:
        rgb: (H, W, 3) uint8, red first; black where nothing is seen.
        height_m: float32, metres above the face, NaN = not measured.
        height_std_m: float32, standard deviation of height_m in metres, NaN = not measured.
        item_mask: bool, the item itself; outside lies support, neighbours are blanked (not seen).
        seen: bool, the camera sees this place well enough to judge it (not a neighbour, not outside
            the image, not too oblique); depth may still be missing there.
        resolution_m: metres per pixel.
        to_camera: (4, 4) float64, view coordinates (metres: x along columns, y along rows, z along
            -height, origin in the centre of the picture) to the camera's optical frame.
        frames: frames that were fused.
        noise_correlation_m: distance over which depth noise is correlated (0.5), metres.
    """

    rgb: NDArray[np.uint8]
    height_m: NDArray[np.float32]
    height_std_m: NDArray[np.float32]
    item_mask: NDArray[np.bool_]
    seen: NDArray[np.bool_]
    resolution_m: float
    to_camera: NDArray[np.float64]
    frames: float
    noise_correlation_m: float

    def __post_init__(self) -> None:
        shape = self.item_mask.shape
        for name in ('height_m', 'height_std_m', 'seen'):
            if getattr(self, name).shape != shape:
                raise ValueError(f'{name} must be {shape}, got {getattr(self, name).shape}')
        if self.rgb.shape != (*shape, 3):
            raise ValueError(f'rgb must be {(*shape, 3)}, got {self.rgb.shape}')

    @cached_property
    def valid(self) -> NDArray[np.bool_]:
        """Where height was measured, (H, W) bool."""
        return ~np.isnan(self.height_m)

    @cached_property
    def coloured(self) -> NDArray[np.bool_]:
        """Where the picture is not black, (H, W) bool."""
        red, green, blue = cv2.split(self.rgb)
        return (red | green | blue) > 0


def without_whiskers(mask: NDArray[np.bool_], resolution_m: float) -> NDArray[np.bool_]:
    """Take thin traces of walls and neighbours off an item mask (H, W)."""
    size = 2 * round(_WHISKER_M / resolution_m) + 1
    element = np.ones((size, size), np.uint8)
    opened = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_OPEN, element)
    return np.asarray(opened > 0)
