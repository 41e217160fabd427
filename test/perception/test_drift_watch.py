"""Drift of figures by simulation: silent without, quick with; and what the figures say of items."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np
import pytest
from made_frames import box, frame_of, window_of

from damage_perception.frame import MeasuredFrame
from damage_perception.perception.decision.drift_watch import BASELINE, DriftWatch, FigureWatch
from damage_perception.perception.decision.item_figures import PictureWatch, item_figures
from damage_perception.report import ItemReport, Pose, Status

SHAPES = {
    'normal': lambda rng, n: rng.normal(100, 3, n),
    'heavy tails': lambda rng, n: rng.standard_t(2, n),
    'steps': lambda rng, n: rng.integers(0, 12, n).astype(float),
    'a share at one': lambda rng, n: np.minimum(rng.normal(1.0, 0.1, n), 1.0),
}


def first_warning(watch: FigureWatch, values: np.ndarray) -> int:
    """Items until a warning; 0 = none."""
    for count, value in enumerate(values, 1):
        watch.take(float(value))
        if watch.direction:
            return count
    return 0


@pytest.mark.parametrize('shape', SHAPES)
def test_no_warning_in_ten_thousand_items_of_one_kind(shape: str) -> None:
    rng = np.random.default_rng(3)
    runs = [first_warning(FigureWatch(), SHAPES[shape](rng, 10_000)) for _ in range(10)]
    assert not any(runs)


@pytest.mark.parametrize('shift', [-1.5, 1.0])
def test_a_shift_of_a_deviation_is_told_within_two_hundred_items(shift: float) -> None:
    rng = np.random.default_rng(4)
    delays = []
    for _ in range(40):
        watch = FigureWatch()
        assert first_warning(watch, rng.normal(0, 1, BASELINE + 500)) == 0
        delays.append(first_warning(watch, rng.normal(shift, 1, 400)))
        assert watch.direction == np.sign(shift)
    assert all(0 < delay <= 200 for delay in delays)


def test_a_warning_names_figure_and_direction_and_ends_when_all_is_as_before() -> None:
    rng = np.random.default_rng(5)
    watch = DriftWatch()

    def pass_by(count: int, brightness: float) -> None:
        for _ in range(count):
            watch.take({'brightness': rng.normal(brightness, 2), 'depth': float('nan')})

    pass_by(BASELINE + 300, 100.0)
    assert watch.sentence() == ''
    pass_by(60, 80.0)
    assert watch.sentence().startswith('the pictures are darker than at first: check the light')
    pass_by(300, 100.0)
    assert watch.sentence() == ''


@pytest.fixture(scope='module')
def seen() -> tuple[MeasuredFrame, ItemReport]:
    """A box on a belt with a printed square, and the report of its true outline."""
    frame = MeasuredFrame.of(frame_of(box()))
    window = window_of(box(), margin=0)
    rgb = frame.rgb.copy()
    x, y = window.roi.x + 60, window.roi.y + 40
    rgb[y : y + 30, x : x + 40] = (20, 20, 90)
    item = ItemReport(
        1, '', 0.0, Pose((0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0)), (0.2, 0.1, 0.1), window.roi,
        0.1, 1.5, math.nan, Status.NO_REFERENCE, 1, (), window.item,
        np.zeros(window.item.shape, np.float32),
    )  # fmt: skip
    return dataclasses.replace(frame, rgb=rgb), item


def test_half_the_light_darkens_and_blurs_nothing(seen: tuple[MeasuredFrame, ItemReport]) -> None:
    frame, item = seen
    before = item_figures(frame, item)
    after = item_figures(dataclasses.replace(frame, rgb=frame.rgb // 2), item)
    assert after['brightness'] == pytest.approx(before['brightness'] / 2, abs=1.0)
    assert after['sharpness'] == pytest.approx(before['sharpness'], abs=0.12)
    assert after['score'] == before['score'] == 1.5


def test_a_smeared_lens_blurs_and_darkens_nothing(seen: tuple[MeasuredFrame, ItemReport]) -> None:
    frame, item = seen
    before = item_figures(frame, item)
    after = item_figures(
        dataclasses.replace(frame, rgb=cv2.GaussianBlur(frame.rgb, (0, 0), 2.0)), item
    )
    assert after['sharpness'] < before['sharpness'] - 0.15
    assert after['brightness'] == pytest.approx(before['brightness'], abs=3.0)


def test_lost_depth_is_told_as_a_share(seen: tuple[MeasuredFrame, ItemReport]) -> None:
    frame, item = seen
    depth = frame.depth_m.copy()
    depth[:, ::2] = np.nan
    after = item_figures(dataclasses.replace(frame, depth_m=depth), item)
    assert after['depth'] == pytest.approx(item_figures(frame, item)['depth'] / 2, abs=0.02)


def test_each_track_tells_once_and_only_when_it_is_seen_clearly(
    seen: tuple[MeasuredFrame, ItemReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    frame, item = seen
    told: list[float] = []
    monkeypatch.setattr(DriftWatch, 'take', lambda self, figures: told.append(figures['score']))
    watch = PictureWatch()
    for score, track, status, confidence in (
        (1.0, 1, Status.TRUNCATED, 0.1),
        (2.0, 1, Status(0), math.nan),
        (3.0, 1, Status(0), 0.1),
        (4.0, 1, Status(0), 0.1),
        (5.0, 2, Status(0), 0.1),
    ):
        watch.take(frame, [dataclasses.replace(
            item, segmentation_score=score, track_id=track, status=status, confidence=confidence
        )])  # fmt: skip
    assert told == [3.0, 5.0]
