"""Damages of a view in the image: where they are seen, and what they are called there."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from made_views import grid, made_view

from damage_perception.frame import CameraIntrinsics, MeasuredFrame
from damage_perception.perception.evidence.evidence import Evidence
from damage_perception.perception.geometry.geometry import DamageBlob
from damage_perception.perception.items.items import FoundItem
from damage_perception.perception.look import Look, judged_report
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.tracking import Observation, Track
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageReport, DamageType, Health, ItemReport, Roi, Status

CAMERA = CameraIntrinsics(320, 240, 400.0, 400.0, 159.5, 119.5)
RANGE_M = 0.9
ROI = Roi(80, 60, 160, 120)


def _view() -> ItemView:
    to_camera = np.eye(4)
    to_camera[2, 3] = RANGE_M
    return dataclasses.replace(made_view(np.random.default_rng(0)), to_camera=to_camera)


def _report(view: ItemView, blobs: list[DamageBlob], used: int = 0) -> ItemReport:
    """Report an item that fills the middle of a picture, square on to the camera."""
    rgb = np.zeros((CAMERA.height, CAMERA.width, 3), np.uint8)
    depth = np.full(rgb.shape[:2], RANGE_M, np.float32)
    item = FoundItem(ROI, np.ones((ROI.height, ROI.width), bool), Status(0))
    look = Look(MeasuredFrame(rgb, depth, CAMERA), item, None, SensorProfile())
    at = np.array([0.0, 0.0, RANGE_M])
    track = Track(1, Observation(at, np.array([0.3, 0.2, 0.1]), np.zeros(3)), 0, np.zeros(3))
    sure = np.full(view.item_mask.shape, 0.5, np.float32)
    evidence = Evidence(1.0, 0.5, sure, blobs)
    return judged_report(look, track, Status(0), view, evidence, used)


def _dent(view: ItemView, x_m: float, y_m: float) -> DamageBlob:
    x, y = grid(view.item_mask.shape)
    return DamageBlob(DamageType.CRUSH, np.hypot(x - x_m, y - y_m) < 0.015, 0.01, 0.5)


def test_a_damage_lies_in_the_image_where_the_camera_sees_it() -> None:
    view = _view()
    (damage,) = _report(view, [_dent(view, 0.05, -0.02)]).damages
    middle = damage.roi.x + damage.roi.width / 2, damage.roi.y + damage.roi.height / 2
    assert middle == pytest.approx((160 + 400 * 0.05 / RANGE_M, 120 - 400 * 0.02 / RANGE_M), abs=1)
    assert damage.mask.shape == (damage.roi.height, damage.roi.width)
    assert np.count_nonzero(damage.mask) == pytest.approx(
        math.pi * (400 * 0.015 / RANGE_M) ** 2, rel=0.1
    )
    assert damage.area == pytest.approx(math.pi * 0.015**2, rel=0.05)
    assert damage.centroid == pytest.approx((0.05, -0.02, RANGE_M), abs=0.003)


def test_a_damage_that_the_image_does_not_show_is_none() -> None:
    view = _view()
    aside = np.zeros(view.item_mask.shape, bool)
    aside[0, 0] = True
    assert not _report(view, [DamageBlob(DamageType.TEAR, aside, math.nan, 0.5)]).damages


def test_damages_beyond_the_instance_mask_are_reported_without_a_place_in_it() -> None:
    view = _view()
    dents = [_dent(view, x, 0.0) for x in (-0.06, 0.0, 0.06)]
    item = _report(view, dents, used=253)
    assert [damage.mask_value for damage in item.damages] == [254, 0, 0]
    report = DamageReport(0, '', CAMERA.width, CAMERA.height, Health.OK, '', (item,), threshold=0.1)
    assert set(np.unique(report.instance_mask())) == {0, 254}
    assert np.count_nonzero(report.label_mask() == DamageType.CRUSH) > 2.5 * np.count_nonzero(
        report.instance_mask()
    )
