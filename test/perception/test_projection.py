"""Pinhole geometry: there and back, heights, planes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import (
    Plane,
    height_image,
    on_plane,
    plane_axes,
    points,
    project,
    window_points,
)
from damage_perception.report import Roi

CAMERA = CameraIntrinsics(64, 48, 60.0, 62.0, 31.0, 23.5)
TILT = st.floats(-0.6, 0.6)


def _plane(tilt_x: float, tilt_y: float, distance: float) -> Plane:
    return Plane.through(np.array([tilt_x, tilt_y, -1.0]), np.array([0.0, 0.0, distance]))


@given(TILT, TILT, st.floats(0.3, 3.0))
@settings(max_examples=50, deadline=None)
def test_points_on_a_plane_have_no_height_and_project_back(
    tilt_x: float, tilt_y: float, distance: float
) -> None:
    plane = _plane(tilt_x, tilt_y, distance)
    u, v = np.array([5.0, 31.0, 60.0]), np.array([4.0, 23.5, 40.0])
    met = on_plane(u, v, plane, CAMERA)
    assert np.allclose(plane.heights(met), 0.0, atol=1e-9)
    assert np.allclose(project(met, CAMERA), np.stack([u, v], 1), atol=1e-6)


def test_points_of_a_window_are_those_of_its_pixels() -> None:
    depth = np.random.default_rng(0).uniform(0.2, 3.0, (48, 64)).astype(np.float32)
    window, places = Roi(5, 10, 45, 20), np.array([0, 44, 45, 600, 899])
    v, u = np.divmod(places, window.width)
    expected = points(depth, u + window.x, v + window.y, CAMERA)
    assert np.array_equal(window_points(depth, places, CAMERA, window), expected)


@given(TILT, TILT, st.floats(0.3, 3.0))
@settings(max_examples=50, deadline=None)
def test_height_image_equals_heights_of_points(
    tilt_x: float, tilt_y: float, distance: float
) -> None:
    plane = _plane(tilt_x, tilt_y, distance)
    depth = np.random.default_rng(0).uniform(0.2, 3.0, (48, 64)).astype(np.float32)
    v, u = np.indices(depth.shape)
    expected = plane.heights(points(depth, u.ravel(), v.ravel(), CAMERA)).reshape(depth.shape)
    window = Roi(5, 10, 45, 20)
    assert np.allclose(height_image(depth, plane, CAMERA), expected, atol=1e-5)
    part = height_image(depth, plane, CAMERA, window)
    assert np.allclose(part, expected[window.slices], atol=1e-5)


@given(TILT, TILT)
@settings(max_examples=50, deadline=None)
def test_plane_axes_are_a_right_handed_frame_on_the_plane(tilt_x: float, tilt_y: float) -> None:
    plane = _plane(tilt_x, tilt_y, 1.0)
    axes = plane_axes(plane)
    assert np.allclose(axes.T @ axes, np.eye(3), atol=1e-9)
    assert np.isclose(np.linalg.det(axes), 1.0)
    assert np.allclose(axes[:, 2], -np.asarray(plane.normal))


def test_the_camera_is_above_its_plane_whichever_way_the_normal_was_given() -> None:
    for sign in (1.0, -1.0):
        plane = Plane.through(sign * np.array([0.1, 0.2, 1.0]), np.array([0.0, 0.0, 1.2]))
        assert plane.offset > 0.0


def test_rays_away_from_the_plane_meet_nothing() -> None:
    wall = Plane.through(np.array([-1.0, 0.0, 0.0]), np.array([1.0, 0.0, 1.0]))
    assert np.isnan(on_plane(np.array([0.0]), np.array([20.0]), wall, CAMERA)).all()


def test_invalid_depth_has_no_height() -> None:
    depth = np.full((48, 64), np.nan, np.float32)
    assert np.isnan(height_image(depth, _plane(0.0, 0.0, 1.0), CAMERA)).all()
