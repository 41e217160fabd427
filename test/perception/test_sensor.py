"""The sensor profile: measured on noise that is known, kept on disk, and what it promises."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import real_faces
from hypothesis import given
from hypothesis import strategies as st
from made_views import FX, made_view
from real_dents import Dent, damaged

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics, RgbdFrame
from damage_perception.perception.geometry.geometry import find_damage
from damage_perception.perception.sensor.measurement import measure
from damage_perception.perception.sensor.sensor import SensorProfile, load_profile, save_profile

CAMERA = CameraIntrinsics(320, 240, 300.0, 300.0, 159.5, 119.5)


def belt(seed: int, rms_m: float = 0.003, sigma_px: float = 4.0, item: bool = False) -> RgbdFrame:
    """Make a flat belt at 1 m with known noise, 10 % of it invalid."""
    rng = np.random.default_rng(seed)
    noise = cv2.GaussianBlur(rng.standard_normal((240, 320), np.float32), (0, 0), sigma_px)
    depth = 1.0 + rms_m * noise / noise.std()
    if item:
        depth[60:130, 100:180] -= 0.1
    depth[rng.random(depth.shape) < 0.1] = np.nan
    return RgbdFrame(np.zeros((240, 320, 3), np.uint8), depth.astype(np.float32), CAMERA, seed)


@pytest.mark.parametrize('item', [False, True])
def test_known_noise_is_measured(item: bool) -> None:
    found = measure(belt(seed, item=item) for seed in range(4))
    assert found.rms_m == pytest.approx(0.003, rel=0.1)
    assert found.range_m == pytest.approx(1.0, abs=0.005)
    assert found.profile.std_m(1.0) == pytest.approx(0.003, rel=0.1)
    assert found.profile.correlation_px == pytest.approx(1.665 * 4.0, rel=0.15)
    assert found.profile.invalid_share == pytest.approx(0.1, abs=0.03)


def test_nothing_to_measure_is_said() -> None:
    blind = RgbdFrame(
        np.zeros((240, 320, 3), np.uint8), np.full((240, 320), np.nan, np.float32), CAMERA
    )
    with pytest.raises(UserError, match='record the empty belt'):
        measure([blind])
    with pytest.raises(UserError, match='record the empty belt'):
        measure([])


@given(st.floats(0.3, 3.0), st.floats(0.02, 0.1), st.integers(1, 50))
def test_least_dent_grows_with_range_and_falls_with_frames(
    z_m: float, width_m: float, frames: int
) -> None:
    profile = SensorProfile()
    least = profile.least_dent_m(z_m, FX, width_m, frames)
    assert 0.0 < least < profile.least_dent_m(1.1 * z_m, FX, width_m, frames)
    assert profile.least_dent_m(z_m, FX, width_m, frames + 1) < least
    assert profile.least_dent_m(z_m, FX, 1.2 * width_m, frames) < least


@pytest.mark.parametrize('frames', [1, 10])
@pytest.mark.parametrize('range_m', [0.8, 1.1, 1.4])
def test_dents_clearly_above_the_least_are_found_and_below_are_not(
    range_m: float, frames: int
) -> None:
    least = SensorProfile().least_dent_m(range_m, FX, frames=frames)

    def found(depth_m: float) -> int:
        views = (
            made_view(np.random.default_rng(seed), range_m=range_m, frames=frames)
            for seed in range(10)
        )
        dent = Dent(0.03, 0.02, depth_m, 0.05)
        return sum(find_damage(damaged(view, dent)).probability > 0.5 for view in views)

    assert found(1.4 * least) >= 8
    assert found(0.5 * least) <= 2


def test_profile_is_kept_on_disk(tmp_path: Path) -> None:
    profile = SensorProfile(0.0001, 0.0023, 8.5, 0.2)
    save_profile(profile, tmp_path / 'sensor.yaml')
    assert load_profile(tmp_path / 'sensor.yaml') == profile


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('', 'is not a sensor profile'),
        ('{', 'is not whole YAML'),
        ('format: damage_perception/sensor 1\nfloor_m: -1', 'floor_m must be a number'),
        ('format: damage_perception/sensor 1\nfloor_m: x', 'floor_m must be a number'),
        ('format: damage_perception/sensor 1\ncorrelation_px: .nan', 'correlation_px must be'),
        ('format: damage_perception/sensor 1\ninvalid_share: 2', 'invalid_share must lie'),
        ('format: damage_perception/sensor 1\nother: 2', 'other'),
    ],
)
def test_broken_profile_is_refused_by_name(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / 'broken.yaml'
    path.write_text(text)
    with pytest.raises(UserError, match=says) as error:
        load_profile(path)
    assert 'broken.yaml' in str(error.value)


def test_missing_or_unwritable_profile_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='cannot be read'):
        load_profile(tmp_path / 'none.yaml')
    with pytest.raises(UserError, match='cannot be written'):
        save_profile(SensorProfile(), tmp_path / 'none' / 'sensor.yaml')


@pytest.mark.skipif(
    not real_faces.available(),
    reason='the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA',
)
def test_real_belt_is_as_noisy_as_its_source_says() -> None:
    camera = CameraIntrinsics(1280, 720, real_faces.FX, real_faces.FY, real_faces.CX, real_faces.CY)
    frames = [RgbdFrame(*real_faces.load(number), camera, number) for number in (10, 18, 22)]
    found = measure(frames)
    assert 0.0033 < found.rms_m < 0.0045  # 3.6 to 3.8 mm on the bare middle of the belt
    assert 6.0 < found.profile.correlation_px < 11.0
    assert 0.15 < found.profile.invalid_share < 0.4
    assert found.range_m == pytest.approx(1.2, abs=0.02)
