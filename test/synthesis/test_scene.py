"""The scene map: items rest on what is below, and the map's border is no trap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.patch import Patch, blank_patch
from damage_perception.synthesis.raymarch import cast
from damage_perception.synthesis.scene import Placement, SceneMap
from damage_perception.synthesis.viewpoint import look_at

_CAMERA = CameraIntrinsics(160, 120, 200.0, 200.0, 79.5, 59.5)


def _block(side: float, height: float, soft: bool = False) -> Patch:
    patch = blank_patch((side, side), 0.002, 0.01)
    patch.mask[patch.face_slices] = True
    patch.height[patch.face_slices] = height
    patch.soft = soft
    return patch


def _scene() -> SceneMap:
    return SceneMap.empty((-0.5, -0.5, 0.5, 0.5), 0.002)


@pytest.mark.parametrize('soft', [False, True])
@pytest.mark.parametrize('place', [(3.0, 0.0, 0.3), (0.0, -2.0, 0.0), (0.5, 0.5, 1.0)])
def test_items_beyond_the_border_are_cut_or_left_out(
    soft: bool, place: tuple[float, float, float]
) -> None:
    scene = _scene()
    scene.stamp(_block(0.2, 0.1, soft), Placement(*place), 1)
    assert np.isfinite(scene.height).all()
    assert (scene.ids == 1).any() == (abs(place[0]) < 1 and abs(place[1]) < 1)


@pytest.mark.parametrize('yaw', [0.0, 0.7])
def test_an_item_rests_on_what_is_below(yaw: float) -> None:
    scene = _scene()
    scene.stamp(_block(0.2, 0.1), Placement(), 1)
    upper = _block(0.1, 0.05)
    at = Placement(0.08, 0.0, yaw)
    base = scene.base_under(upper, at)
    assert base == pytest.approx(0.1)
    scene.stamp(upper, Placement(0.08, 0.0, yaw, base), 2)
    assert scene.height[scene.ids == 2].max() == pytest.approx(0.15)
    assert scene.height[scene.ids == 2].min() > 0.1


@pytest.mark.parametrize('tilt', [0.0, 0.5])
def test_rays_meet_a_block_where_geometry_says(tilt: float) -> None:
    scene = _scene()
    scene.stamp(_block(0.2, 0.1), Placement(), 1)
    pose = look_at(np.zeros(3), 0.9, tilt, 0.4, 0.1)
    hits = cast(scene, pose, _CAMERA)
    corners = np.array([[x, y, 0.1] for x in (-0.09, 0.09) for y in (-0.09, 0.09)])
    for corner, (u, v) in zip(corners, pose.project(corners, _CAMERA), strict=True):
        depth = float(((corner - pose.position) @ pose.rotation)[2])
        assert hits.depth[round(v), round(u)] == pytest.approx(depth, abs=0.004)
        assert hits.z[round(v), round(u)] == pytest.approx(0.1, abs=0.003)
    ray = np.array([(5 - _CAMERA.cx) / _CAMERA.fx, (5 - _CAMERA.cy) / _CAMERA.fy, 1.0])
    way = pose.rotation @ ray
    assert hits.depth[5, 5] == pytest.approx(-pose.position[2] / way[2], abs=0.002)


def test_a_camera_looks_down_with_its_rows_downwards() -> None:
    pose = look_at(np.zeros(3), 1.0, math.radians(20), 0.0, 0.0)
    assert np.linalg.det(pose.rotation) == pytest.approx(1.0)
    assert pose.rotation[2, 2] < -0.9
    (u0, v0), (u1, v1) = pose.project(np.array([[0, 0, 0], [0.1, 0.0, 0.0]]), _CAMERA)
    assert u1 > u0
    assert abs(v1 - v0) < 5
