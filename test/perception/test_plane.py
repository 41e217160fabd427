"""The support is found under parcels, remembered, and found again when it moves."""

import numpy as np
import pytest
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, on_plane, plane_axes
from damage_perception.perception.support.plane import PlaneSettings, find_support_plane
from damage_perception.perception.support.support import SupportFinder

CAMERA = CameraIntrinsics(320, 240, 300.0, 300.0, 159.5, 119.5)


def _belt(
    distance: float = 1.0, tilt: float = 0.0, floor: float | None = 1.6, seed: int = 0
) -> NDArray[np.float32]:
    """Render a belt of 0.8 m x 0.5 m over a floor, with 3 mm of noise and drop-outs."""
    v, u = np.mgrid[0 : CAMERA.height, 0 : CAMERA.width]
    belt = Plane.through(np.array([0.0, tilt, -1.0]), np.array([0.0, 0.0, distance]))
    met = on_plane(u, v, belt, CAMERA)
    flat = (met - [0.0, 0.0, distance]) @ plane_axes(belt)[:, :2]
    depth = np.where(np.abs(flat[..., 1]) < 0.25, met[..., 2], floor or np.nan)
    rng = np.random.default_rng(seed)
    depth += rng.normal(0.0, 0.003, depth.shape)
    depth[rng.random(depth.shape) < 0.2] = np.nan
    return depth.astype(np.float32)


def test_belt_is_found_and_not_the_floor() -> None:
    support = SupportFinder().update(_belt(), CAMERA)
    assert support is not None
    assert support.plane.offset == pytest.approx(1.0, abs=0.003)
    rows = np.flatnonzero(support.region[:, 160])
    half = 0.25 * 300.0
    assert rows.min() == pytest.approx(119.5 - half, abs=8)
    assert rows.max() == pytest.approx(119.5 + half, abs=8)


def test_tilted_belt_is_found() -> None:
    support = SupportFinder().update(_belt(tilt=0.5), CAMERA)
    assert support is not None
    normal = np.array([0.0, 0.5, -1.0]) / np.sqrt(1.25)
    assert np.asarray(support.plane.normal) @ normal > np.cos(np.radians(0.5))


def test_belt_under_a_large_box_is_found_not_the_box() -> None:
    depth = _belt()
    depth[70:170, 100:220] -= 0.2
    plane = find_support_plane(depth, CAMERA, PlaneSettings())
    assert plane is not None
    assert plane.offset == pytest.approx(1.0, abs=0.005)


def test_a_thin_item_that_fills_a_crop_is_not_the_support() -> None:
    depth = _belt(floor=None)[60:180, 80:240].copy()  # nothing but belt
    depth[20:100, 25:140] -= 0.016
    camera = CameraIntrinsics(160, 120, 300.0, 300.0, 79.5, 59.5)
    support = SupportFinder().update(depth, camera)
    assert support is not None
    assert support.plane.offset == pytest.approx(1.0, abs=0.003)
    assert support.region.mean() > 0.95


def test_support_on_both_sides_of_an_item_that_fills_the_middle_of_a_crop() -> None:
    depth = _belt(floor=None)[60:180, 80:240].copy()
    depth[:, 38:122] = np.nan  # what the item hides from the camera
    depth[20:100, 65:95] = 0.9
    camera = CameraIntrinsics(160, 120, 300.0, 300.0, 79.5, 59.5)
    support = SupportFinder().update(depth, camera)
    assert support is not None
    assert support.plane.offset == pytest.approx(1.0, abs=0.005)
    assert support.region[10:110, 5:155].all()


def test_one_item_in_a_picture_of_its_own_parts_nothing_but_its_support() -> None:
    depth = _belt(floor=None)[60:180, 80:240].copy()
    camera = CameraIntrinsics(160, 120, 300.0, 300.0, 79.5, 59.5)
    column, row = np.meshgrid(np.arange(160), np.arange(120))
    across = column - 80 + 0.5 * (row - 60)  # a box that lies at a slant from side to side
    depth[np.abs(across) < 36] = np.nan
    depth[np.abs(across) < 28] = 0.9
    alone = SupportFinder(alone=True).update(depth, camera)
    assert alone is not None
    assert alone.plane.offset == pytest.approx(1.0, abs=0.005)
    assert alone.region[5:115, 5:155].all()


def test_support_is_remembered_while_it_is_covered() -> None:
    finder = SupportFinder()
    before = finder.update(_belt(), CAMERA)
    covered = _belt(seed=1)
    covered[50:190] = 0.7  # one parcel hides nearly all of the belt
    support = finder.update(covered, CAMERA)
    assert before is not None
    assert support is not None
    assert support.plane.offset == pytest.approx(1.0, abs=0.003)
    assert np.mean(support.region == before.region) > 0.97


def test_support_is_found_again_when_it_moves() -> None:
    finder = SupportFinder()
    finder.update(_belt(), CAMERA)
    lowered = finder.update(_belt(distance=1.1), CAMERA)
    assert lowered is not None
    assert lowered.plane.offset == pytest.approx(1.1, abs=0.004)


def test_given_region_wins() -> None:
    corners = (100.0, 80.0, 200.0, 80.0, 200.0, 150.0, 100.0, 150.0)
    support = SupportFinder(PlaneSettings(region=corners)).update(_belt(), CAMERA)
    assert support is not None
    assert support.region.sum() == pytest.approx(100 * 70, rel=0.05)
    assert not support.region[:70].any()


def test_nothing_is_found_in_noise_or_emptiness() -> None:
    noise = np.random.default_rng(0).uniform(0.3, 3.0, (240, 320)).astype(np.float32)
    assert SupportFinder().update(noise, CAMERA) is None
    assert SupportFinder().update(np.full((240, 320), np.nan, np.float32), CAMERA) is None


def test_tiny_picture_is_no_error() -> None:
    camera = CameraIntrinsics(1, 1, 1.0, 1.0, 0.0, 0.0)
    assert SupportFinder().update(np.ones((1, 1), np.float32), camera) is None


@pytest.mark.parametrize(
    'corner', [(3.0, 4.0), (5.0, 6.0, float('nan'), 4.0), (5.0, 6.0, 1e12, 4.0)]
)
def test_region_that_is_no_polygon_is_refused(corner: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match='at least 3 corners'):
        PlaneSettings(region=(1.0, 2.0, *corner))
