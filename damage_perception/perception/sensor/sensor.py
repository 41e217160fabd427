"""What a depth camera can see: its noise by range, and the least visible dent that follows."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import overload

import numpy as np
import yaml
from numpy.typing import NDArray

from damage_perception.errors import UserError

FORMAT = 'damage_perception/sensor 1'
_SURE = 4.1  # deviations from which geometry calls a place damaged more likely than not
_OWN_RELIEF_M = 0.0012  # relief of sound cardboard, which no average over frames removes


@dataclass(frozen=True)
class SensorProfile:
    """The noise of a stereo depth camera.

    The deviation of depth is `floor_m + growth_per_m * z^2`: a stereo camera measures disparity
    with an error that does not depend on range, and depth is its inverse. The defaults were
    measured on 22 flat box tops, 0.9 to 1.15 m before a RealSense-like camera (residuals of a
    plane with a bulge: median 1.9 mm; correlation 0.5 at 6.5 px; 6 % invalid). A dark bare belt
    at 1.2 m is twice as noisy: 4.0 mm, 9 px, 28 % invalid.

    Attributes:
        floor_m: deviation at range zero, metres.
        growth_per_m: its growth with the square of range, 1/metres.
        correlation_px: distance at which half of the noise's correlation is left, pixels.
        invalid_share: share of pixels without depth on a plain surface, [0, 1].
    """

    floor_m: float = 0.0
    growth_per_m: float = 0.0019
    correlation_px: float = 7.0
    invalid_share: float = 0.06

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if not (isinstance(value, (int, float)) and math.isfinite(value) and value >= 0.0):
                raise ValueError(f'{item.name} must be a number of at least 0, got {value!r:.40}')
        if self.invalid_share > 1.0:
            raise ValueError(f'invalid_share must lie in [0, 1], got {self.invalid_share}')
        if self.floor_m + self.growth_per_m <= 0.0:
            raise ValueError('floor_m and growth_per_m must not both be 0')

    @overload
    def std_m(self, z_m: float) -> float: ...

    @overload
    def std_m(self, z_m: NDArray[np.floating]) -> NDArray[np.floating]: ...

    def std_m(self, z_m: float | NDArray[np.floating]) -> float | NDArray[np.floating]:
        """Give the standard deviation of one pixel's depth at a range, metres."""
        return self.floor_m + self.growth_per_m * z_m * z_m

    def correlation_m(self, z_m: float, fx: float) -> float:
        """Give the distance over which noise is correlated (0.5) at a range, metres."""
        return self.correlation_px * z_m / fx

    def least_dent_m(
        self, z_m: float, fx: float, width_m: float = 0.04, frames: float = 1.0
    ) -> float:
        """Give the depth of the least dent that geometry sees, metres.

        A Gaussian dent of sigma s = width / 4 meets its matched filter, a Gaussian mean of sigma
        s, which keeps half of its depth. Noise of correlation exp(-r^2 / (4 c^2)) is white noise
        blurred by c, so that mean leaves c / sqrt(c^2 + s^2) of its deviation, and n independent
        frames 1 / sqrt(n) of that. Sound cardboard's own relief stays. Half of the dent must
        reach 4.1 such deviations. On made views, dents 30 to 80 mm wide at 0.8 to 1.4 m, half of
        the dents of 0.75 to 1.25 times this depth were found.

        Args:
            z_m: range, metres.
            fx: focal length, pixels.
            width_m: width of the dent, metres.
            frames: independent frames that are fused.
        """
        sigma = width_m / 4.0
        correlation = self.correlation_m(z_m, fx) / (2.0 * math.sqrt(math.log(2.0)))
        noise = self.std_m(z_m) * correlation / math.hypot(correlation, sigma)
        return 2.0 * _SURE * math.hypot(noise / math.sqrt(frames), _OWN_RELIEF_M)


def save_profile(profile: SensorProfile, path: Path) -> None:
    """Write a profile as YAML.

    Raises:
        UserError: if the file cannot be written.
    """
    text = yaml.safe_dump({'format': FORMAT, **asdict(profile)}, sort_keys=False)
    try:
        path.write_text(text, encoding='utf-8')
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror}); choose another') from None


def load_profile(path: Path) -> SensorProfile:
    """Read a profile that `save_profile` wrote.

    Raises:
        UserError: naming the file and the value that cannot be used.
    """
    mend = 'run damage-perception calibrate-sensor'
    try:
        data = yaml.safe_load(path.read_text(encoding='utf-8'))
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); check the path') from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise UserError(f'{path} is not whole YAML; {mend}') from None
    if not isinstance(data, dict) or data.pop('format', None) != FORMAT:
        raise UserError(f'{path} is not a sensor profile ({FORMAT}); {mend}')
    try:
        return SensorProfile(**{str(name): value for name, value in data.items()})
    except (TypeError, ValueError) as error:
        raise UserError(f'{path}: {error}; {mend}') from None
