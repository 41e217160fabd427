"""The noise of the depth camera, measured in the very frame that is judged.

Cameras differ by fifty times, and everything that is seen is weighed against noise. Second
differences of inverse depth, in which planes stay planes, cancel what is flat; their spread grows
with the distance between the pixels until noise is independent, which tells its correlation.
Depth in whole millimetres, as ROS drivers publish it, is dithered: most differences of a quiet
camera would be exactly 0 and tell nothing.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.sensor.sensor import SensorProfile

_LAGS = (1, 2, 3, 4, 6, 9, 13, 19, 28)  # pixels
_SAMPLED = 20_000  # pixels of the lines that are looked at, about, along each axis
_FEWEST = 300  # second differences that a spread is taken of
_FEWEST_LAGS = 7  # fewer do not show where noise becomes independent
_NORMAL = 1.4826  # deviation of a normal distribution over its median absolute deviation
_CORRELATIONS_PX = np.geomspace(0.7, 20.0, 40)
_LEAST_GROWTH = 1e-5  # 1/metres: no camera is better
_STEP_M = 1e-3  # of depth in whole millimetres (REP-118)
_LEAST_SHARE = 0.1  # of the variance of dither: what is left without it is no less
_KEPT = 9  # frames whose median counts

Map = NDArray[np.float32]
Mask = NDArray[np.bool_]


class SensorWatch:
    """Keep a sensor profile up to date, one measurement a frame.

    Attributes:
        profile: the median of the last measurements; the default while there are none.
    """

    profile = SensorProfile()

    def __init__(self) -> None:
        self._measured: deque[SensorProfile] = deque(maxlen=_KEPT)

    def update(
        self, depth_m: Map, height_m: Map, region: Mask, tolerance_m: float
    ) -> SensorProfile:
        """Measure a frame and give the profile."""
        measured = measured_profile(depth_m, height_m, region, tolerance_m)
        if measured is not None:
            self._measured.append(measured)
            by_noise = sorted(self._measured, key=lambda profile: profile.growth_per_m)
            self.profile = by_noise[len(by_noise) // 2]
        return self.profile

    def forget(self) -> None:
        """Forget all frames."""
        self._measured.clear()
        self.profile = SensorProfile()


def measured_profile(
    depth_m: Map, height_m: Map, region: Mask, tolerance_m: float
) -> SensorProfile | None:
    """Measure the noise of a frame on its support and on its items: the quieter counts.

    Relief, rollers and a dark belt can only add to what is measured.

    Args:
        depth_m: (H, W) float32 metres, NaN invalid.
        height_m: (H, W) float32 metres above the support, NaN unknown.
        region: (H, W) bool, where support and items lie.
        tolerance_m: metres that the support may lie off its plane.

    Returns:
        None if too little of either is seen.
    """
    step = max(1, depth_m.size // _SAMPLED)
    lines = [
        _Lines.of(depth[::step], height[::step], where[::step], tolerance_m)
        for depth, height, where in (
            (depth_m, height_m, region), (depth_m.T, height_m.T, region.T)
        )
    ]  # fmt: skip
    found = [_noise(lines, kind) for kind in ('flat', 'raised')]
    profiles = [
        SensorProfile(0.0, noise[0], noise[1], lines[0].invalid_share)
        for noise in found
        if noise is not None
    ]
    return min(profiles, key=lambda profile: profile.growth_per_m, default=None)


@dataclass(frozen=True, eq=False)
class _Lines:
    """Some lines of a frame: inverse depth, and where it shows the support or items."""

    inverse: Map
    flat: Mask
    raised: Mask
    invalid_share: float
    rounding: float  # deviation of inverse depth by rounding to millimetres; as much is dither

    @staticmethod
    def of(depth_m: Map, height_m: Map, region: Mask, tolerance_m: float) -> _Lines:
        known = region & np.isfinite(height_m)
        height = np.where(known, height_m, np.float32(0.0))
        depth = np.where(known, depth_m, np.float32(1.0))
        rounding = 0.0
        if _is_rounded(depth):
            dither = np.random.default_rng(0).random(depth.shape, np.float32) - np.float32(0.5)
            depth += np.float32(_STEP_M) * dither
            rounding = _STEP_M / 12**0.5 / float(np.median(depth[known])) ** 2 if known.any() else 0
        return _Lines(
            np.reciprocal(depth),
            known & (np.abs(height) <= tolerance_m),
            known & (height > tolerance_m),
            1.0 - float(known.sum()) / max(1.0, float(region.sum())),
            rounding,
        )


def _is_rounded(depth_m: Map) -> bool:
    """Tell whether depth comes in whole millimetres."""
    steps = depth_m / np.float32(_STEP_M)
    return bool(np.all(np.abs(steps - np.rint(steps)) < 0.01))


def _noise(lines: list[_Lines], kind: str) -> tuple[float, float] | None:
    """Give deviation of inverse depth, 1/metres, and correlation, pixels."""
    spreads = np.array([_spread(lines, kind, lag) for lag in _LAGS])
    known = spreads > 0.0
    if np.count_nonzero(known) < _FEWEST_LAGS:
        return None
    # Rounding and dither are white, so they add the same at each lag.
    rounding = float(np.mean([part.rounding for part in lines])) ** 2
    squares = np.maximum(spreads[known] ** 2 - 2.0 * rounding, 2.0 * _LEAST_SHARE * rounding)
    lags, logs = np.array(_LAGS)[known], 0.5 * np.log(squares)
    # z(x - l) - 2 z(x) + z(x + l) of noise of correlation r: its variance is 6 - 8 r(l) + 2 r(2 l).
    near, far = (np.exp2(-np.square(step * lags / _CORRELATIONS_PX[:, None])) for step in (1, 2))
    shape = 0.5 * np.log(np.maximum(1.0 - 8 / 6 * near + 2 / 6 * far, 1e-4))
    level = np.median(logs - shape, axis=1)
    best = int(np.argmin(np.abs(logs - shape - level[:, None]).mean(axis=1)))
    deviation = float(np.hypot(np.exp(level[best]), rounding**0.5))
    return max(deviation, _LEAST_GROWTH), float(_CORRELATIONS_PX[best])


def _spread(lines: list[_Lines], kind: str, lag: int) -> float:
    """Give the deviation of a value as second differences at a lag tell it; NaN = too few."""
    found = [_differences(part.inverse, getattr(part, kind), lag) for part in lines]
    differences = np.abs(np.concatenate(found))
    if differences.size < _FEWEST:
        return float('nan')
    return _NORMAL * float(np.median(differences)) / 6**0.5


def _differences(values: Map, where: Mask, lag: int) -> Map:
    """Give second differences along the rows where all three pixels are known."""
    if values.shape[1] <= 2 * lag:
        return np.empty(0, np.float32)
    first, last = np.s_[:, : -2 * lag], np.s_[:, 2 * lag :]
    middle = np.s_[:, lag:-lag]
    known = where[first] & where[middle] & where[last]
    differences: Map = (values[first] - 2.0 * values[middle] + values[last])[known]
    return differences
