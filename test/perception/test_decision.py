"""One decision an item: exactly once, with a reason, and never PASS without evidence."""

import math

import numpy as np
import pytest

from damage_perception.perception.decision import DecisionMaker, DecisionSettings
from damage_perception.report import (
    DamageInstance,
    DamageReport,
    DamageType,
    Health,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
    Verdict,
)

SECOND = 1_000_000_000
POSE = Pose((0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0))


def _item(
    track: int = 1, confidence: float = 0.1, status: Status = Status.NO_REFERENCE, frames: int = 1
) -> ItemReport:
    patch = np.ones((2, 2), bool)
    crush = DamageInstance(
        DamageType.CRUSH, Severity.MAJOR, confidence, Roi(0, 0, 2, 2), (0.0, 0.0, 1.0), 0.002,
        0.021, 1, patch,
    )  # fmt: skip
    damages = (crush,) if confidence >= 0.5 else ()
    return ItemReport(
        track, '', 0.0, POSE, (0.3, 0.2, 0.1), Roi(0, 0, 2, 2), confidence, confidence, math.nan,
        status, frames, damages, patch, np.zeros((2, 2), np.float32),
    )  # fmt: skip


def _report(seconds: float, *items: ItemReport, health: Health = Health.OK) -> DamageReport:
    return DamageReport(round(seconds * SECOND), 'camera', 2, 2, health, '', items)


def test_sound_item_passes_once_when_it_has_left() -> None:
    maker = DecisionMaker()
    for step in range(10):
        assert maker.update(_report(0.1 * step, _item(frames=step + 1))) == []
    (decision,) = maker.update(_report(2.0))
    assert decision.decision is Verdict.PASS
    assert decision.frames == 10
    assert decision.stamp_ns == round(0.9 * SECOND)
    assert [*maker.update(_report(3.0)), *maker.flush()] == []


def test_damaged_item_is_diverted_and_the_reason_names_the_damage() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(confidence=0.9)))
    (decision,) = maker.flush()
    assert decision.decision is Verdict.DIVERT
    assert decision.confidence == pytest.approx(0.9)
    assert decision.reason == 'crush 21 mm deep, 20 cm2'


@pytest.mark.parametrize(
    'flag',
    [Status.MERGED, Status.TRUNCATED, Status.OCCLUDED, Status.DEPTH_POOR, Status.PARTLY_JUDGED],
)
@pytest.mark.parametrize('confidence', [0.1, 0.9])
def test_item_that_was_never_seen_clearly_is_unknown(flag: Status, confidence: float) -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(confidence=confidence, status=flag)))
    (decision,) = maker.flush()
    assert decision.decision is Verdict.UNKNOWN
    assert math.isnan(decision.confidence)
    assert decision.reason


def test_one_clear_view_is_enough_and_leaving_does_not_spoil_it() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(status=Status.TRUNCATED)))
    maker.update(_report(0.1, _item(confidence=0.8)))
    maker.update(_report(0.2, _item(confidence=0.1, status=Status.TRUNCATED)))
    (decision,) = maker.flush()
    assert decision.decision is Verdict.DIVERT


def test_unjudged_item_is_unknown() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(confidence=math.nan)))
    assert maker.flush()[0].decision is Verdict.UNKNOWN


def test_too_few_frames_is_unknown() -> None:
    maker = DecisionMaker(DecisionSettings(min_frames=3))
    maker.update(_report(0.0, _item()))
    (decision,) = maker.flush()
    assert decision.decision is Verdict.UNKNOWN
    assert '3 are needed' in decision.reason


def test_repeated_and_late_reports_change_nothing() -> None:
    maker = DecisionMaker()
    maker.update(_report(1.0, _item()))
    maker.update(_report(1.0, _item(confidence=0.9)))
    maker.update(_report(0.5, _item(confidence=0.9)))
    (decision,) = maker.flush()
    assert decision.decision is Verdict.PASS
    assert decision.frames == 1


def test_item_is_not_decided_again_when_it_comes_back() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item()))
    assert len(maker.update(_report(1.0))) == 1
    maker.update(_report(1.1, _item(confidence=0.9)))
    assert [*maker.update(_report(3.0)), *maker.flush()] == []


def test_time_may_start_again_after_a_flush() -> None:
    maker = DecisionMaker()
    maker.update(_report(10.0, _item(track=1)))
    assert len(maker.flush()) == 1
    maker.update(_report(0.0, _item(track=2)))
    assert len(maker.flush()) == 1
