"""One number of each label of a picture, without touching what has none."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects


def of_each(
    take: Callable[[NDArray[np.float32]], float],
    values: NDArray[np.float32],
    labels: NDArray[np.int32],
) -> NDArray[np.float64]:
    """Take a number from the known values under each label.

    scipy.ndimage sorts the whole picture for this, which is mostly support.

    Args:
        take: from the values, (N,), to the number.
        values: (H, W) float32, NaN = not known.
        labels: (H, W) int32, 0 = none.

    Returns:
        (largest label + 1,) float64, NaN for 0 and where nothing is known.
    """
    found = [math.nan]
    for label, box in enumerate(find_objects(labels), start=1):
        inside = values[box][labels[box] == label] if box else values[:0, 0]
        known = inside[~np.isnan(inside)]
        found.append(float(take(known)) if known.size else math.nan)
    return np.array(found)
