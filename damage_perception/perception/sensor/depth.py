"""The whole question of depth units, decided by encoding alone (REP-118)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import FrameError

DEPTH_DTYPES: dict[str, np.dtype[Any]] = {
    '16UC1': np.dtype(np.uint16),
    '32FC1': np.dtype(np.float32),
}

_METRES_OF_MILLIMETRES = np.arange(1 << 16, dtype=np.float32) * np.float32(1e-3)
_METRES_OF_MILLIMETRES[0] = np.nan  # REP-118: zero says that nothing was measured


def depth_in_metres(array: NDArray[np.generic], encoding: str) -> NDArray[np.float32]:
    """Give depth in metres, NaN where nothing was measured.

    Args:
        array: (H, W); uint16 millimetres with 0 invalid for `16UC1`, float32 metres with
            non-finite invalid for `32FC1`, in either byte order. A distance of zero or less is
            no measurement either.
        encoding: `16UC1` or `32FC1`.

    Returns:
        (H, W) float32, a new array.

    Raises:
        FrameError: for any other encoding, shape or type.
    """
    wanted = DEPTH_DTYPES.get(encoding)
    if wanted is None:
        raise FrameError(
            f'depth encoding {encoding!r} has no defined unit; '
            'publish 16UC1 (millimetres) or 32FC1 (metres)'
        )
    if array.ndim != 2 or array.dtype.newbyteorder('=') != wanted:
        raise FrameError(
            f'{encoding} depth must be (H, W) {wanted}, got {array.shape} {array.dtype}'
        )
    if encoding == '16UC1':
        return np.asarray(_METRES_OF_MILLIMETRES[array])
    metres = array.astype(np.float32)  # copies, and puts the bytes in this machine's order
    with np.errstate(invalid='ignore'):
        metres[~((metres > 0.0) & (metres < np.inf))] = np.nan
    return metres
