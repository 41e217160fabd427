"""Frames in, reports out: sound and damaged boxes, and input that must never pass as sound."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from made_frames import box, frame_of
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics, ItemIdentity, RgbdFrame
from damage_perception.perception import judge
from damage_perception.perception.decision.decision import DecisionMaker, DecisionSettings
from damage_perception.perception.support.plane import PlaneSettings
from damage_perception.pipeline import DamagePipeline
from damage_perception.recording.scene import CAMERA, Box
from damage_perception.report import (
    NOT_JUDGED,
    DamageReport,
    DamageType,
    Decision,
    Health,
    Status,
    Verdict,
)
from damage_perception.settings import Settings


def _pass_by(*boxes: Box, steps: int = 6) -> tuple[list[DamageReport], list[Decision]]:
    pipeline, maker = DamagePipeline(), DecisionMaker()
    reports, decisions = [], []
    for step in range(steps):
        frame = frame_of(*boxes, time_s=-0.3 + 0.1 * step, seed=step)
        frame = dataclasses.replace(frame, stamp_ns=(step + 1) * 100_000_000)
        reports.append(pipeline.process(frame))
        decisions += maker.update(reports[-1])
    return reports, decisions + maker.flush()


def test_sound_box_passes_as_one_item() -> None:
    reports, decisions = _pass_by(box())
    assert {item.track_id for report in reports for item in report.items} == {1}
    assert [decision.decision for decision in decisions] == [Verdict.PASS]
    assert decisions[0].frames == 6
    frames = [report.items[0].frames for report in reports]
    assert frames == sorted(frames), 'the view was fused all the way'
    item = reports[-1].items[0]
    assert item.size == pytest.approx((0.24, 0.16, 0.12), abs=0.025)
    assert item.status == Status.NO_REFERENCE


def test_a_view_that_begins_anew_rests_on_one_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(judge, 'fuse', lambda *views: None)
    reports, _ = _pass_by(box(), steps=3)
    assert {item.frames for report in reports for item in report.items} == {1}


def test_dented_box_is_diverted_and_its_dent_is_measured_and_marked() -> None:
    reports, decisions = _pass_by(box(dent_m=0.025))
    assert [decision.decision for decision in decisions] == [Verdict.DIVERT]
    report = reports[-1]
    (damage,) = report.items[0].damages
    assert damage.damage_type is DamageType.CRUSH
    assert damage.depth == pytest.approx(0.025, abs=0.006)
    assert damage.area == pytest.approx(np.pi * 0.03**2, rel=0.6)
    mask, instances = report.label_mask(), report.instance_mask()
    assert (mask == DamageType.CRUSH).sum() == (instances == damage.mask_value).sum() > 100
    confidence = report.confidence_image()
    assert confidence[mask == DamageType.CRUSH].max() >= report.threshold
    assert (np.isnan(confidence) == (mask == NOT_JUDGED)).mean() > 0.99


@pytest.mark.parametrize(
    ('costs', 'partly'), [('', False), ('costs: {miss: 1, false_alarm: 99999}', True)]
)
def test_a_bite_is_excused_only_where_the_policy_says_damaged(
    costs: str, partly: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, 'is_bitten', lambda view: True)
    file = tmp_path / 'policy.yaml'
    file.write_text(f'format: damage_perception/policy 1\n{costs}\n')
    decision = DecisionSettings(policy_file=str(file))
    report = DamagePipeline(Settings(decision=decision)).process(frame_of(box(dent_m=0.025)))
    (item,) = report.items
    assert item.confidence >= report.threshold
    assert (Status.PARTLY_JUDGED in item.status) == partly


def test_printed_cracks_are_no_damage() -> None:
    _, decisions = _pass_by(box(cracked_print=True))
    assert [decision.decision for decision in decisions] == [Verdict.PASS]


def test_two_boxes_are_two_items() -> None:
    _, decisions = _pass_by(box(offset_m=-0.14), box(name='b', offset_m=0.14, dent_m=0.025))
    assert sorted(decision.decision.name for decision in decisions) == ['DIVERT', 'PASS']


def test_a_barcode_names_the_item_that_is_alone_and_no_other() -> None:
    """The first box is alone when its barcode is read; the one of the next comes later."""
    pipeline, skus = DamagePipeline(), {}
    for step in range(4):
        boxes = [box(offset_m=-0.14), box(name='b', offset_m=0.14)][: 1 if step < 2 else 2]
        frame = frame_of(*boxes, time_s=-0.1 + 0.05 * step, seed=step)
        said = ItemIdentity('A' if step < 3 else 'B', 1.0, 'barcode', 1 if step < 3 else 2)
        report = pipeline.process(
            dataclasses.replace(frame, stamp_ns=(step + 1) * 50_000_000, identity=said)
        )
        skus |= {item.track_id: item.sku for item in report.items}
    assert skus == {1: 'A', 2: ''}


def test_empty_belt_is_sound_and_has_no_items() -> None:
    report = DamagePipeline().process(frame_of())
    assert report.health is Health.OK
    assert report.items == ()


def test_the_same_frames_give_the_same_reports() -> None:
    first, second = (_pass_by(box(dent_m=0.02))[0][-1] for _ in range(2))
    assert first.items[0].confidence == second.items[0].confidence
    assert np.array_equal(first.label_mask(), second.label_mask())


def _with_depth(depth_m: NDArray[np.float32] | None, **changes: object) -> RgbdFrame:
    return dataclasses.replace(frame_of(box()), depth_m=depth_m, **changes)


def test_missing_evidence_is_unknown_with_a_reason() -> None:
    shape = (CAMERA.height, CAMERA.width)
    frames = {
        'no depth': _with_depth(None),
        'no camera info': dataclasses.replace(frame_of(box()), camera=None),
        'no valid pixel': _with_depth(np.full(shape, np.nan, np.float32)),
        'no belt': _with_depth(
            np.random.default_rng(0).uniform(0.3, 3.0, shape).astype(np.float32)
        ),
    }
    for reason, frame in frames.items():
        report = DamagePipeline().process(frame)
        assert report.health is Health.UNKNOWN
        assert reason in report.reason
        assert not report.items
        assert (report.label_mask() == NOT_JUDGED).all()


def test_infinite_and_negative_depth_is_treated_as_missing() -> None:
    frame = frame_of(box())
    assert frame.depth_m is not None
    depth = frame.depth_m.copy()
    depth[::7, ::5] = np.inf
    depth[3::7, ::5] = -np.inf
    depth[5::7, ::5] = -1.0
    report = DamagePipeline().process(dataclasses.replace(frame, depth_m=depth))
    assert report.health is Health.OK
    assert len(report.items) == 1


def test_frames_that_are_not_newer_are_unknown_until_reset() -> None:
    pipeline = DamagePipeline()
    frame = dataclasses.replace(frame_of(box()), stamp_ns=10)
    first = pipeline.process(frame)
    again = pipeline.process(frame)
    assert again.health is Health.UNKNOWN
    assert 'not newer' in again.reason
    pipeline.reset()
    after = pipeline.process(dataclasses.replace(frame, stamp_ns=5))
    assert after.health is Health.OK
    assert after.items[0].track_id > first.items[0].track_id


def test_after_a_reset_the_same_frames_give_the_same_reports() -> None:
    frames = [frame_of(box(dent_m=0.02), time_s=0.1 * step, seed=step) for step in range(4)]
    pipeline, passes = DamagePipeline(), []
    for _ in range(2):
        reports = [pipeline.process(frame) for frame in frames]
        passes.append([[item.confidence for item in report.items] for report in reports])
        pipeline.reset()
    assert passes[0] == passes[1]


@pytest.mark.parametrize(('width', 'height'), [(1, 1), (3, 2), (17, 9), (4096, 3072)])
def test_odd_sizes_are_no_error(width: int, height: int) -> None:
    camera = CameraIntrinsics(width, height, width, width, width / 2, height / 2)
    depth = np.ones((height, width), np.float32)
    depth[height // 3 : height // 2, width // 3 : width // 2] = 0.8
    rgb = np.full((height, width, 3), 90, np.uint8)
    report = DamagePipeline().process(RgbdFrame(rgb, depth, camera))
    assert report.label_mask().shape == (height, width)


def test_a_hundred_items_are_reported() -> None:
    """A hundred small boxes on a table, each an item, none damaged."""
    camera = CameraIntrinsics(1280, 960, 700.0, 700.0, 639.5, 479.5)
    depth = np.full((960, 1280), 1.0, np.float32)
    rgb = np.full((960, 1280, 3), (40, 60, 50), np.uint8)
    for row in range(10):
        for column in range(10):
            spot = np.s_[90 + 80 * row : 135 + 80 * row, 60 + 118 * column : 125 + 118 * column]
            depth[spot] = 0.94
            rgb[spot] = (180, 140, 100)
    depth += np.random.default_rng(0).normal(0, 0.001, depth.shape).astype(np.float32)
    report = DamagePipeline().process(RgbdFrame(rgb, depth, camera))
    assert len(report.items) == 100
    assert all(item.confidence < 0.5 for item in report.items)


def test_settings_may_change_between_frames() -> None:
    pipeline = DamagePipeline()
    corners = (10.0, 10.0, 60.0, 10.0, 60.0, 60.0, 10.0, 60.0)
    frame = frame_of(box())
    assert len(pipeline.process(frame).items) == 1
    pipeline.settings = Settings(plane=PlaneSettings(region=corners))
    later = dataclasses.replace(frame, stamp_ns=frame.stamp_ns + 1)
    assert not pipeline.process(later).items


def test_item_without_depth_is_never_sound() -> None:
    frame = frame_of(box())
    assert frame.depth_m is not None
    depth = frame.depth_m.copy()
    depth[depth < 0.97] = np.nan  # gloss: the box swallows all light, the belt is there
    report = DamagePipeline().process(dataclasses.replace(frame, depth_m=depth))
    assert all(math.isnan(item.confidence) and item.frames == 0 for item in report.items)
