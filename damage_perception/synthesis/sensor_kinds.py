"""Depth cameras: what they are made of and the ranges that they are drawn from.

Every length in pixels is given for the full picture at a focal length of 640 px and grows with
it; where the figures come from stands in docs/synthesis.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.synthesis.noise import Rng

KINDS = ('stereo', 'structured_light', 'tof')
_FOCAL = 640.0  # pixels, for which the lengths of RANGES are given
_IN_PIXELS = ('correlation', 'window', 'halo', 'eaten', 'waver', 'blob')


@dataclass(frozen=True)
class DepthSensor:
    """One depth camera; lengths in pixels are those of the full picture.

    Attributes:
        kind: 'stereo', 'structured_light' or 'tof'.
        focal: focal length of the depth camera, pixels of the full picture.
        baseline: metres; of the projector for structured light; 0 for time of flight.
        noise: stereo, structured light: disparity noise in pixels; tof: metres at 1 m.
        correlation: sigma of the Gaussian that correlates the noise, pixels.
        window: half width of the matching window, pixels: blurs relief and grows the foreground.
        halo: pixels of background lost around a closer surface.
        eaten: pixels of foreground lost at its edges.
        waver: pixels by which edges wander.
        quantum: step of the disparity (pixels), of depth (metres) for time of flight.
        blob: radius of a drop-out, pixels.
        dropout: share of a plain, textureless surface that drops out.
        occluded_side: -1 or 1, the side of an item on which background is hidden from one eye.
        registration: metres between depth and colour camera.
        shift: pixels by which the registered depth is off, (x, y).
        slow: metres at 1 m, waviness of the calibration over the whole picture.
    """

    kind: str
    focal: float
    baseline: float
    noise: float
    correlation: float
    window: float
    halo: float
    eaten: float
    waver: float
    quantum: float
    blob: float
    dropout: float
    occluded_side: int
    registration: float
    shift: tuple[float, float]
    slow: float


# name -> (low, high), uniform; `dropout` is drawn as a power of 1.5, so that most sensors are good
RANGES: dict[str, dict[str, tuple[float, float]]] = {
    'stereo': {
        'baseline': (0.05, 0.095), 'noise': (0.045, 0.11), 'correlation': (3.5, 7.5),
        'window': (2.0, 4.5), 'halo': (7.0, 25.0), 'eaten': (0.0, 5.0), 'waver': (0.0, 2.5),
        'quantum': (1 / 32, 1 / 32), 'blob': (3.5, 8.0), 'dropout': (0.0, 1.0),
        'registration': (0.0, 0.025), 'slow': (0.0, 0.002),
    },
    'structured_light': {
        'baseline': (0.1, 0.25), 'noise': (0.015, 0.06), 'correlation': (0.8, 2.0),
        'window': (0.6, 1.6), 'halo': (0.5, 2.0), 'eaten': (0.0, 1.0), 'waver': (0.0, 0.5),
        'quantum': (1 / 64, 1 / 64), 'blob': (1.0, 2.5), 'dropout': (0.0, 0.15),
        'registration': (0.0, 0.02), 'slow': (0.0, 0.0006),
    },
    'tof': {
        'baseline': (0.0, 0.0), 'noise': (0.0008, 0.003), 'correlation': (0.6, 1.5),
        'window': (0.8, 1.8), 'halo': (0.0, 0.0), 'eaten': (0.0, 0.0), 'waver': (0.0, 0.0),
        'quantum': (0.001, 0.001), 'blob': (1.0, 2.5), 'dropout': (0.0, 0.1),
        'registration': (0.0, 0.03), 'slow': (0.0, 0.004),
    },
}  # fmt: skip
SHARES = {'standard': (0.7, 0.15, 0.15), 'shifted': (0.45, 0.25, 0.3)}  # of KINDS
SHIFTED_STEREO_NOISE = (0.08, 0.16)  # pixels: worse than any of the standard family
SHIFT_PX = 1.5  # most that registered depth is off, each way


def draw_sensor(rng: Rng, focal: float, style: str = 'standard', kind: str = '') -> DepthSensor:
    """Draw a depth camera of a focal length in pixels; `shifted` ones are noisier."""
    kind = kind or str(rng.choice(KINDS, p=SHARES[style]))
    values = {name: float(rng.uniform(*bounds)) for name, bounds in RANGES[kind].items()}
    if kind == 'stereo' and style == 'shifted':
        values['noise'] = float(rng.uniform(*SHIFTED_STEREO_NOISE))
    values['dropout'] **= 1.5
    for name in _IN_PIXELS:
        values[name] *= focal / _FOCAL
    side = int(rng.choice([-1, 1]))
    dx, dy = (float(value) for value in rng.uniform(-SHIFT_PX, SHIFT_PX, 2))
    return DepthSensor(kind=kind, focal=focal, occluded_side=side, shift=(dx, dy), **values)


def sensor_profile(sensor: DepthSensor, scale: float = 1.0) -> SensorProfile:
    """Give what a calibration of the sensor would find; `scale` as in `measure_depth`."""
    growth = sensor.noise
    if sensor.kind != 'tof':  # z = f b / d, so dz = z^2 / (f b) dd
        growth = sensor.noise / (sensor.focal * sensor.baseline)
    correlation = 1.665 * max(0.6, 0.8 * sensor.correlation * scale)
    return SensorProfile(0.0003, growth, correlation, min(0.9, 0.05 + 0.2 * sensor.dropout))
