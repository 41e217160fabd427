"""Real sound parcels on a belt through the whole pipeline: nothing is diverted, nothing invented.

Checks decisions and determinism; `perception/test_items_conveyor.py` counts the parcels.
"""

import pytest
import real_faces
from pipeline_dents import CAMERA

from damage_perception.frame import RgbdFrame
from damage_perception.perception.decision.decision import DecisionMaker
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport, Decision, Health, Status, Verdict

pytestmark = pytest.mark.skipif(
    not real_faces.available(), reason='the real frames of ../shared/data are not here'
)
UNCLEAR = Status.MERGED | Status.TRUNCATED | Status.OCCLUDED


def _replay() -> tuple[list[DamageReport], list[Decision]]:
    pipeline, maker = DamagePipeline(), DecisionMaker()
    reports: list[DamageReport] = []
    decisions: list[Decision] = []
    for number in range(15):
        rgb, depth_m = real_faces.load(2 * number)
        frame = RgbdFrame(rgb, depth_m.astype('float32'), CAMERA, (number + 1) * 500_000_000)
        reports.append(pipeline.process(frame))
        decisions += maker.update(reports[-1])
    return reports, decisions + maker.flush()


@pytest.fixture(scope='module')
def replayed() -> tuple[list[DamageReport], list[Decision]]:
    return _replay()


def test_no_sound_parcel_is_diverted_and_clear_ones_pass(
    replayed: tuple[list[DamageReport], list[Decision]],
) -> None:
    reports, decisions = replayed
    assert all(report.health is Health.OK for report in reports)
    verdicts = [decision.decision for decision in decisions]
    assert Verdict.DIVERT not in verdicts
    assert verdicts.count(Verdict.PASS) >= 10


def test_what_was_never_seen_clearly_is_unknown(
    replayed: tuple[list[DamageReport], list[Decision]],
) -> None:
    reports, decisions = replayed
    clear = {
        item.track_id for report in reports for item in report.items if not item.status & UNCLEAR
    }
    unclear = [decision for decision in decisions if decision.track_id not in clear]
    assert unclear
    assert all(decision.decision is Verdict.UNKNOWN and decision.reason for decision in unclear)


def test_the_same_frames_give_the_same_decisions(
    replayed: tuple[list[DamageReport], list[Decision]],
) -> None:
    assert str(_replay()[1]) == str(replayed[1])  # as text, since NaN is not equal to itself
