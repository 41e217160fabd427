"""Faces and rectified views of boxes whose truth is known."""

import dataclasses

import cv2
import numpy as np
import pytest
from made_frames import BELT, SPEED_M_S, box, frame_of, window_of

from damage_perception.frame import RgbdFrame
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.view.face import Face, find_face
from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.rectify import rectify
from damage_perception.perception.view.window import ItemWindow
from damage_perception.recording.scene import BELT_M, CAMERA, Box
from damage_perception.report import Roi

PROFILE = SensorProfile()


def _face(frame: RgbdFrame, window: ItemWindow) -> Face:
    face = find_face(frame, window.item, window.roi, BELT, PROFILE)
    assert face is not None
    return face


def _view(shown: Box, time_s: float = 0.0, noise: bool = True) -> ItemView:
    frame, window = frame_of(shown, time_s=time_s, noise=noise), window_of(shown, time_s)
    return rectify(frame, window, _face(frame, window), PROFILE)


@pytest.mark.parametrize('yaw', [0.0, 0.4, 1.2])
def test_face_measures_the_box(yaw: float) -> None:
    shown = box(yaw=yaw)
    face = _face(frame_of(shown), window_of(shown))
    assert np.allclose(face.size[:2], [0.24, 0.16], atol=0.025)  # walls seen at a slant add some
    assert face.size[2] == pytest.approx(0.12, abs=0.003)
    assert abs(face.plane.normal[2]) > np.cos(np.radians(1.5))
    along = np.array([np.cos(yaw), np.sin(yaw), 0.0])
    assert abs(face.axes[:, 0] @ along) > np.cos(np.radians(3))


def test_pose_is_the_centre_of_the_box_with_z_out_of_its_face() -> None:
    shown = box()
    face = _face(frame_of(shown), window_of(shown))
    x, y, z = face.pose.position
    assert z == pytest.approx(BELT_M - 0.06, abs=0.004)
    assert (x, y) == pytest.approx((shown.centre_x(0.0, SPEED_M_S), 0.0), abs=0.012)
    qx, qy, qz, qw = face.pose.orientation
    z_axis_z = 1.0 - 2.0 * (qx * qx + qy * qy)
    assert z_axis_z < -0.99  # towards the camera
    assert np.isclose(np.linalg.norm([qx, qy, qz, qw]), 1.0)


def test_way_up_is_kept() -> None:
    shown = box(yaw=0.3)
    face = _face(frame_of(shown), window_of(shown))
    for quarter in range(4):
        c, s = np.cos(quarter * np.pi / 2), np.sin(quarter * np.pi / 2)
        axis = c * face.axes[:, 0] + s * face.axes[:, 1]
        turned = face.like(axis)
        assert turned.axes[:, 0] @ axis == pytest.approx(1.0)
        assert np.isclose(np.linalg.det(turned.axes), 1.0)
        assert sorted(turned.size[:2]) == pytest.approx(sorted(face.size[:2]))


@pytest.mark.parametrize('time_s', [-0.8, 0.0, 0.8])
def test_dent_is_as_deep_and_at_its_place_wherever_the_box_lies(time_s: float) -> None:
    shown = box(dent_m=0.02)
    view = _view(shown, time_s, noise=False)
    # The outermost 4 mm mix the face with the wall below it.
    inner = cv2.erode(view.item_mask.astype(np.uint8), np.ones((7, 7), np.uint8)) > 0
    inner &= view.valid
    rows, columns = np.nonzero(inner & (view.height_m < -0.017))
    assert -np.nanmin(view.height_m[inner]) == pytest.approx(0.02, abs=0.0025)
    sound = view.height_m[inner & (view.height_m > -0.001)]
    assert sound.size > 0.4 * inner.sum()
    place = np.array([columns.mean(), rows.mean()]) - (np.array(view.item_mask.shape[::-1]) - 1) / 2
    at = view.to_camera @ [*(place * view.resolution_m), 0.02, 1.0]
    along_the_ray = (BELT_M - 0.12 + 0.019) / (BELT_M - 0.12)  # the scene sinks its dents so
    truth = np.array([shown.centre_x(time_s, SPEED_M_S) + 0.12 * 0.24, -0.18 * 0.16])
    assert np.allclose(at[:2], truth * along_the_ray, atol=0.003)


def test_view_is_metric_and_shows_the_belt_around_the_item() -> None:
    view = _view(box())
    rows, columns = np.nonzero(view.item_mask)
    assert np.ptp(columns) * view.resolution_m == pytest.approx(0.24, abs=0.012)
    assert np.ptp(rows) * view.resolution_m == pytest.approx(0.16, abs=0.012)
    around = view.height_m[view.seen & view.valid & ~view.item_mask]
    assert np.median(around) == pytest.approx(-0.12, abs=0.01)


def test_neighbours_are_blanked_out() -> None:
    shown = box()
    frame, window = frame_of(shown), window_of(shown)
    others = np.zeros_like(window.item)
    others[:, :60] = True
    window = ItemWindow(window.roi, window.item, others)
    view = rectify(frame, window, _face(frame, window), PROFILE)
    without = _view(shown)
    assert np.count_nonzero(~view.seen) > np.count_nonzero(~without.seen)
    assert not view.rgb[~view.seen & without.seen].any()


def test_place_behind_the_wall_is_not_seen() -> None:
    """Right of a tall box on the right the belt is hidden by the box itself."""
    tall = box(size=(0.1, 0.1, 0.3), enters_s=-3.0)
    view = _view(tall, noise=False)
    strip = ~view.item_mask & view.seen & view.valid
    assert (view.height_m[strip] < -0.25).mean() > 0.9  # what is seen beside it is belt


def test_item_without_depth_has_no_face() -> None:
    shown = box()
    frame, window = frame_of(shown), window_of(shown)
    blind = np.full_like(frame.depth_m, np.nan)
    frame = RgbdFrame(frame.rgb, blind, CAMERA)
    assert find_face(frame, window.item, window.roi, BELT, PROFILE) is None


@pytest.mark.parametrize('slope', [0.3, 1.2])
@pytest.mark.parametrize('side', range(60, 170, 10))
def test_a_face_that_leans_beside_a_wall_is_found(side: int, slope: float) -> None:
    across = (np.arange(CAMERA.width) - CAMERA.cx) / CAMERA.fx
    depth = np.tile(1.0 / (1.0 - slope * across), (CAMERA.height, 1))
    wall = int(0.3 * side)
    depth[200 : 200 + wall] += np.linspace(0.2, 0.0, wall)[:, None]
    depth += np.random.default_rng(side).normal(0.0, 0.001, depth.shape)
    frame = RgbdFrame(np.zeros((*depth.shape, 3), np.uint8), depth.astype(np.float32), CAMERA)
    mask = np.ones((side, side), bool)
    face = find_face(frame, mask, Roi(300, 200, side, side), BELT, PROFILE)
    assert face is not None
    assert face.plane.normal[0] / face.plane.normal[2] == pytest.approx(-slope, abs=0.05)


def test_a_wall_along_the_line_of_sight_is_no_face() -> None:
    """Of an item at the edge of the picture only a strip of a wall has depth."""
    camera = dataclasses.replace(CAMERA, fx=350.0, fy=350.0)
    depth = np.full((CAMERA.height, CAMERA.width), np.nan, np.float32)
    columns = np.arange(590, 602)
    along = (columns - camera.cx) / camera.fx
    depth[200:260, columns] = 1.0 + 9.0 * (along - along[0])  # its normal leans by 48 degrees
    mask = np.ones((100, 110), bool)
    frame = RgbdFrame(np.zeros((*depth.shape, 3), np.uint8), depth, camera)
    face = find_face(frame, mask, Roi(530, 180, 110, 100), BELT, PROFILE)
    assert face is not None
    assert abs(face.plane.normal[2]) > 0.99
    assert face.size.max() < 0.7
    assert 0.9 < face.centre[2] < 1.4


def test_large_item_is_seen_coarser_but_whole() -> None:
    frame, window = frame_of(box()), window_of(box())
    view = rectify(frame, window, _face(frame, window), PROFILE, resolution_m=0.0001)
    assert max(view.item_mask.shape) <= 641
    assert view.resolution_m > 0.0003


@pytest.mark.parametrize('time_s', [-0.8, 0.0, 0.8])
def test_deep_hole_stays_deep_though_its_rim_hides_its_floor(time_s: float) -> None:
    shown = box()
    frame, window = frame_of(shown, time_s=time_s, noise=False), window_of(shown, time_s)
    rows, columns = np.nonzero(window.item)
    at = int(rows.mean()) + window.roi.y, int(columns.mean()) + window.roi.x
    depth = frame.depth_m.copy()
    hole = cv2.circle(np.zeros(depth.shape, np.uint8), at[::-1], 6, 1, -1) > 0
    depth[hole] += 0.06
    view = rectify(
        RgbdFrame(frame.rgb, depth, frame.camera, 1), window, _face(frame, window), PROFILE
    )
    deep = view.item_mask & (view.height_m < -0.05)
    pixel_m = (BELT_M - 0.12) / CAMERA.fx
    area = np.count_nonzero(deep) * view.resolution_m**2
    assert area == pytest.approx(np.count_nonzero(hole) * pixel_m**2, rel=0.35)
    # The hole lies where the ray through it meets the face, not where its floor is.
    place = np.argwhere(deep).mean(axis=0)[::-1] - (np.array(deep.shape[::-1]) - 1) / 2
    u, v = (view.to_camera @ [*(place * view.resolution_m), 0.0, 1.0])[:2] / (BELT_M - 0.12)
    seen_at = (u * CAMERA.fx + CAMERA.cx, v * CAMERA.fy + CAMERA.cy)
    assert np.allclose(seen_at, at[::-1], atol=1.5)
