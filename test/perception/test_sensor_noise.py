"""The noise of a camera is read from the frame that is judged."""

import cv2
import numpy as np
import pytest

from damage_perception.perception.sensor.noise import SensorWatch, measured_profile
from damage_perception.perception.sensor.sensor import SensorProfile

SHAPE = (360, 480)
EVERYWHERE = np.ones(SHAPE, bool)
TOLERANCE_M = 0.012


def picture(growth, sigma_px, seed=0, tilt=0.0):
    """A tilted table 1 m away as a noisy camera measures it; depth and height, metres."""
    noise = np.random.default_rng(seed).standard_normal(SHAPE).astype(np.float32)
    noise = cv2.GaussianBlur(noise, (0, 0), sigma_px) if sigma_px else noise
    across = np.linspace(-tilt, tilt, SHAPE[1], dtype=np.float32)[None, :]
    true = 1.0 / (1.0 + across) * np.ones(SHAPE, np.float32)
    depth = true + np.float32(growth) * true**2 * noise / noise.std()
    return depth.astype(np.float32), (true - depth).astype(np.float32)


@pytest.mark.parametrize('growth', [0.0002, 0.002, 0.004])
@pytest.mark.parametrize('sigma_px', [0.0, 1.0, 4.0])
def test_noise_and_its_correlation_are_measured(growth, sigma_px):
    found = measured_profile(*picture(growth, sigma_px, tilt=0.1), EVERYWHERE, TOLERANCE_M)
    assert found is not None
    assert found.std_m(1.0) == pytest.approx(growth, rel=0.2)
    # White noise blurred by sigma keeps half of its correlation at 2 sqrt(ln 2) sigma.
    assert found.correlation_px == pytest.approx(max(0.7, 1.665 * sigma_px), rel=0.3)


def test_relief_of_the_support_does_not_pass_for_noise_where_items_are_flat():
    depth, height = picture(0.001, 1.0)
    ribs = 0.004 * np.sin(np.arange(SHAPE[1]) / 3.0, dtype=np.float32)[None, :]
    box = np.zeros(SHAPE, bool)
    box[100:260, 150:350] = True
    lift = np.where(box, np.float32(0.1), ribs * np.ones(SHAPE, np.float32))
    found = measured_profile(depth - lift, height + lift, EVERYWHERE, TOLERANCE_M)
    assert found is not None
    assert found.std_m(1.0) == pytest.approx(0.001, rel=0.3)


def test_a_dent_changes_little():
    depth, height = picture(0.002, 4.0)
    rows, columns = np.ogrid[: SHAPE[0], : SHAPE[1]]
    dent = 0.01 * np.exp(-((rows - 180) ** 2 + (columns - 240) ** 2) / (2 * 25.0**2))
    dented = (depth + dent).astype(np.float32), (height - dent).astype(np.float32)
    sound = measured_profile(depth, height, EVERYWHERE, TOLERANCE_M)
    found = measured_profile(*dented, EVERYWHERE, TOLERANCE_M)
    assert found is not None
    assert sound is not None
    assert found.growth_per_m == pytest.approx(sound.growth_per_m, rel=0.1)


def test_invalid_depth_is_left_out_and_counted():
    depth, height = picture(0.002, 1.0)
    lost = np.random.default_rng(1).random(SHAPE) < 0.2
    depth[lost] = height[lost] = np.nan
    found = measured_profile(depth, height, EVERYWHERE, TOLERANCE_M)
    assert found is not None
    assert found.std_m(1.0) == pytest.approx(0.002, rel=0.2)
    assert found.invalid_share == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize('seen', [np.zeros(SHAPE, bool), np.eye(*SHAPE, dtype=bool)])
def test_too_little_says_nothing(seen):
    assert measured_profile(*picture(0.002, 1.0), seen, TOLERANCE_M) is None


def test_perfect_depth_is_no_perfect_camera():
    depth = np.ones(SHAPE, np.float32)
    found = measured_profile(depth, np.zeros(SHAPE, np.float32), EVERYWHERE, TOLERANCE_M)
    assert found is None or found.std_m(1.0) > 0.0


def test_the_watch_keeps_the_median_and_forgets():
    watch = SensorWatch()
    nothing = np.full(SHAPE, np.nan, np.float32)
    assert watch.update(nothing, nothing, EVERYWHERE, TOLERANCE_M) == SensorProfile()
    levels = [0.002, 0.02, 0.002, 0.002]  # a single disturbed frame changes little
    found = [
        watch.update(*picture(level, 1.0, seed), EVERYWHERE, 0.1).growth_per_m
        for seed, level in enumerate(levels)
    ]
    assert found[-1] == pytest.approx(0.002, rel=0.2)
    assert watch.update(nothing, nothing, EVERYWHERE, TOLERANCE_M).growth_per_m < 0.003
    watch.forget()
    assert watch.update(nothing, nothing, EVERYWHERE, TOLERANCE_M) == SensorProfile()


@pytest.mark.parametrize('growth', [0.0002, 0.0005, 0.002])
def test_rounding_to_millimetres_hides_no_noise_and_makes_none_up(growth):
    depth, height = picture(growth, 2.0, tilt=0.1)
    ribs = 0.01 * np.sin(np.arange(SHAPE[1]) / 3.0, dtype=np.float32)[None, :]
    box = np.zeros(SHAPE, bool)
    box[60:300, 100:400] = True
    lift = np.where(box, np.float32(0.1), ribs * np.ones(SHAPE, np.float32))
    rounded = np.float32(0.001) * np.rint((depth - lift) / np.float32(0.001))
    found = measured_profile(rounded, height + lift, EVERYWHERE, TOLERANCE_M)
    assert found is not None
    # Rounding is noise of its own, 1 mm / sqrt(12).
    assert found.std_m(0.9) == pytest.approx(np.hypot(growth, 0.001 / 12**0.5), rel=0.1)
