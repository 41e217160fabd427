"""One decision an item: exactly once, with a reason, and never PASS without evidence."""

import dataclasses
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_reports import POSE, made_damage, made_item

from damage_perception.perception.decision.decision import DecisionMaker, DecisionSettings
from damage_perception.perception.decision.policy import Costs, Policy
from damage_perception.report import (
    DamageReport,
    Health,
    ItemReport,
    Pose,
    Status,
    Verdict,
)

SECOND = 1_000_000_000


def _item(
    track: int = 1, confidence: float = 0.1, status: Status = Status.NO_REFERENCE, frames: int = 1
) -> ItemReport:
    damages = (made_damage(confidence=confidence),) if confidence >= 0.5 else ()
    return made_item(
        track_id=track, confidence=confidence, segmentation_score=confidence, status=status,
        frames=frames, damages=damages,
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


def _after(*looks: tuple[float, int]) -> Verdict:
    """Decide on an item from the P(damaged) and the frames of its clean looks."""
    maker = DecisionMaker()
    for k, (confidence, frames) in enumerate(looks):
        maker.update(_report(0.1 * k, _item(confidence=confidence, frames=frames)))
    return maker.flush()[0].decision


SOUND, BAD = 0.05, 0.9


@pytest.mark.parametrize(
    ('looks', 'verdict'),
    [
        # A view that begins anew excuses nothing, and accuses nobody.
        ([*((BAD, k + 1) for k in range(20)), (SOUND, 1)], Verdict.DIVERT),
        ([*((SOUND, k + 1) for k in range(20)), (BAD, 1)], Verdict.PASS),
        # Views get better with frames.
        ([(SOUND, 1), (SOUND, 2), (BAD, 3)], Verdict.DIVERT),
        ([(BAD, 1), (SOUND, 2), (SOUND, 3)], Verdict.PASS),
        # Views that are never fused.
        ([*[(BAD, 1)] * 20, (SOUND, 1)], Verdict.DIVERT),
        ([*[(SOUND, 1)] * 20, (BAD, 1), *[(SOUND, 1)] * 9], Verdict.PASS),
        ([(BAD, 1), (SOUND, 1)], Verdict.DIVERT),
    ],
)
def test_the_look_that_rests_on_most_frames_decides(looks, verdict: Verdict) -> None:
    assert _after(*looks) is verdict


def test_an_item_keeps_the_product_that_was_surest() -> None:
    costs = Policy(costs=(Costs(miss=1.0, false_alarm=1.0, skus=('OUTLET',)),))
    said = [('', 0.0), ('PHONE', 1.0), ('OUTLET', 1.0), ('OUTLET', 0.9)]
    maker = DecisionMaker(DecisionSettings(threshold=0.1), costs)
    for k, (sku, sure) in enumerate(said):
        item = dataclasses.replace(
            _item(confidence=0.2, frames=k + 1), sku=sku, sku_confidence=sure
        )
        maker.update(_report(0.1 * k, item))
    (decision,) = maker.flush()
    assert (decision.sku, decision.decision) == ('PHONE', Verdict.DIVERT)


@pytest.mark.parametrize(
    ('said', 'own', 'verdict'),
    [
        (0.1, 0.5, Verdict.UNKNOWN),  # a bite out of its outline was excused from 0.1 on
        (0.5, 0.5, Verdict.PASS),
        (0.1, 0.0, Verdict.DIVERT),
        (0.5, 0.1, Verdict.DIVERT),
    ],
)
def test_a_threshold_that_is_raised_for_decisions_alone_passes_nothing(
    said: float, own: float, verdict: Verdict
) -> None:
    maker = DecisionMaker(DecisionSettings(threshold=own))
    maker.update(dataclasses.replace(_report(0.0, _item(confidence=0.2)), threshold=said))
    (decision,) = maker.flush()
    assert decision.decision is verdict


def test_frames_count_clean_judgements_only() -> None:
    looks = [(math.nan, Status(0))] * 2 + [(0.1, Status.TRUNCATED)] * 3 + [(0.1, Status(0))] * 2
    for needed, verdict in [(2, Verdict.PASS), (3, Verdict.UNKNOWN)]:
        maker = DecisionMaker(DecisionSettings(min_frames=needed))
        for k, (confidence, status) in enumerate(looks):
            maker.update(_report(0.1 * k, _item(confidence=confidence, status=status)))
        (decision,) = maker.flush()
        assert (decision.frames, decision.decision) == (2, verdict)


def test_unjudged_item_is_unknown() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(confidence=math.nan)))
    (decision,) = maker.flush()
    assert (decision.decision, decision.frames) == (Verdict.UNKNOWN, 0)


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


def _at(seconds: float, x: float, track: int = 1, confidence: float = 0.1, **kind) -> DamageReport:
    item = _item(track, confidence)
    pose = Pose((x, 0.0, 1.0), POSE.orientation)
    return _report(seconds, dataclasses.replace(item, pose=pose), **kind)


def test_item_is_decided_when_it_crosses_the_line_and_not_again_when_it_leaves() -> None:
    maker = DecisionMaker(DecisionSettings(line=(1.0, 0.0, 0.0, 0.25)))
    found = [(k, *maker.update(_at(0.1 * k, 0.1 * k))) for k in range(6)]
    assert [len(entry) - 1 for entry in found] == [0, 0, 0, 1, 0, 0]
    assert found[3][1].pose.position[0] == pytest.approx(0.3)
    assert [*maker.update(_report(5.0)), *maker.flush()] == []


def test_the_lead_decides_that_long_before_the_line() -> None:
    maker = DecisionMaker(DecisionSettings(line=(2.0, 0.0, 0.0, 1.0), line_lead_s=0.2))
    counts = [len(maker.update(_at(0.1 * k, 0.1 * k))) for k in range(6)]
    assert counts == [0, 0, 0, 1, 0, 0]


def test_item_that_is_not_seen_at_the_line_is_decided_where_it_must_be() -> None:
    maker = DecisionMaker(DecisionSettings(line=(1.0, 0.0, 0.0, 0.45)))
    for k in range(4):
        assert maker.update(_at(0.1 * k, 0.1 * k)) == []
    assert maker.update(_report(0.4)) == []
    assert len(maker.update(_report(0.5))) == 1


def test_item_without_a_place_does_not_cross_and_is_decided_when_it_has_left() -> None:
    maker = DecisionMaker(DecisionSettings(line=(1.0, 0.0, 0.0, 0.0)))
    assert maker.update(_at(0.0, math.nan)) == []
    assert len(maker.update(_report(1.0))) == 1


@pytest.mark.parametrize('line', [(1.0,), (0.0, 0.0, 0.0, 1.0), (1.0, math.nan, 0.0, 1.0)])
def test_a_line_without_direction_is_refused(line: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match='line must be'):
        DecisionSettings(line=line)


@pytest.mark.parametrize(('confidence', 'verdict'), [(0.95, Verdict.DIVERT), (0.02, Verdict.PASS)])
def test_enough_independent_looks_that_agree_decide_early(confidence, verdict) -> None:
    maker = DecisionMaker(DecisionSettings(certain_looks=3))
    found = [maker.update(_at(0.1 * k, 0.02 * k, confidence=confidence)) for k in range(5)]
    assert [len(entry) for entry in found] == [0, 0, 1, 0, 0]
    assert found[2][0].decision is verdict


def test_looks_at_an_item_that_stands_still_are_one_look() -> None:
    maker = DecisionMaker(DecisionSettings(certain_looks=3))
    assert not any(maker.update(_at(0.1 * k, 0.001 * k)) for k in range(10))


def test_looks_near_the_threshold_or_on_both_sides_wait() -> None:
    maker = DecisionMaker(DecisionSettings(certain_looks=2))
    for k, confidence in enumerate([0.02, 0.4, 0.02, 0.98, 0.02, 0.6, 0.98]):
        assert maker.update(_at(0.1 * k, 0.1 * k, confidence=confidence)) == []


def test_looks_of_a_camera_that_is_not_well_do_not_count() -> None:
    maker = DecisionMaker()
    report = dataclasses.replace(_report(0.0, _item(), health=Health.DEGRADED), reason='dim')
    maker.update(report)
    (decision,) = maker.flush()
    assert (decision.decision, decision.reason) == (Verdict.UNKNOWN, 'dim')


@pytest.mark.parametrize(('confidence', 'verdict'), [(0.1, Verdict.UNKNOWN), (0.9, Verdict.DIVERT)])
def test_item_on_which_sight_was_lost_is_not_passed(confidence: float, verdict: Verdict) -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(confidence=confidence)))
    for k in range(1, 10):
        (*found,) = maker.update(_report(0.1 * k, health=Health.UNKNOWN))
        if found:
            assert found[0].decision is verdict
            return
    pytest.fail('it was not decided')


def test_a_stream_that_broke_off_passes_nothing() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(1), _item(2, confidence=0.9)))
    found = {decision.track_id: decision for decision in maker.flush('the reports stopped')}
    assert (found[1].decision, found[2].decision) == (Verdict.UNKNOWN, Verdict.DIVERT)
    assert found[1].reason == 'the reports stopped'


def test_an_item_that_was_out_of_view_when_the_stream_broke_off_passes() -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item()))
    maker.update(_report(0.1))
    assert maker.flush('the reports stopped')[0].decision is Verdict.PASS


def test_what_was_decided_before_a_restart_is_not_decided_again() -> None:
    maker = DecisionMaker(decided=[1, 2])
    maker.update(_report(0.0, _item(1), _item(3)))
    assert [decision.track_id for decision in maker.flush()] == [3]


@given(
    seed=st.integers(0, 2**32 - 1),
    items=st.integers(1, 6),
    copies=st.integers(1, 3),
    disorder=st.integers(0, 12),
    line=st.sampled_from([(), (1.0, 0.0, 0.0, 0.4)]),
    looks=st.integers(0, 3),
    cuts=st.lists(st.integers(0, 120), max_size=3),
)
@settings(max_examples=150, deadline=None)
def test_every_item_is_decided_exactly_once(
    seed: int, items: int, copies: int, disorder: int, line, looks: int, cuts: list[int]
) -> None:
    """Whatever comes twice, late, in disorder, after a jump or after a restart of who decides."""
    stream = []
    for k in range(40):
        seen = [
            dataclasses.replace(
                _item(track + 1, confidence=0.95 if track % 2 else 0.02, frames=k + 1),
                pose=Pose((0.05 * (k - 3 * track), 0.0, 1.0), POSE.orientation),
                size=(0.12, 0.2, 0.1),  # shorter than what lies between two middles
            )
            for track in range(items)
            if 3 * track <= k < 3 * track + 15
        ]
        stream += [_report(0.1 * k, *seen)] * copies
    chance = random.Random(seed)
    stream = [stream[i] for i in sorted(
        range(len(stream)), key=lambda i: i + chance.uniform(0, disorder)
    )]  # fmt: skip
    maker = DecisionMaker(DecisionSettings(line=line, certain_looks=looks))
    said = []
    for k, report in enumerate(stream):
        if k in cuts[:2]:
            said += maker.flush()
        if k in cuts[2:]:
            maker = DecisionMaker(maker.settings, decided=[d.track_id for d in said])
        said += maker.update(report)
    said += maker.flush()
    tracks = [decision.track_id for decision in said]
    assert len(tracks) == len(set(tracks))
    if len(cuts) < 3:
        assert set(tracks) == {track + 1 for track in range(items)}


def test_of_500_items_on_a_belt_each_is_decided_once_and_none_late() -> None:
    """A tenth of the reports is lost, items vanish behind others, speeds differ and change."""
    chance = random.Random(5)
    rate, line, lead = 30.0, 0.4, 0.1
    maker = DecisionMaker(DecisionSettings(line=(1.0, 0.0, 0.0, line), line_lead_s=lead))
    enters = {track: 0.4 * track for track in range(1, 501)}
    hidden = {track: chance.uniform(0.0, 0.8) for track in enters}  # seconds after it enters
    damaged = set(chance.sample(sorted(enters), 20))
    decided: dict[int, float] = {}
    verdicts: dict[int, Verdict] = {}
    for k in range(round(205 * rate)):
        now, speed = k / rate, 0.5 if k < 3000 else 0.8
        seen = [
            dataclasses.replace(
                _item(track, 0.9 if track in damaged else 0.1),
                pose=Pose((speed * (now - at), 0.0, 1.0), POSE.orientation),
            )
            for track, at in enters.items()
            if 0.0 <= now - at <= 1.5 and not 0.0 <= now - at - hidden[track] <= 0.2
        ]
        if chance.random() < 0.1:
            continue
        for decision in maker.update(_report(now, *seen)):
            assert decision.track_id not in decided
            decided[decision.track_id] = now
            verdicts[decision.track_id] = decision.decision
    assert set(decided) == set(enters)
    assert {track for track, said in verdicts.items() if said is Verdict.DIVERT} == damaged
    crosses = {t: at + line / (0.5 if at < 99.0 else 0.8) for t, at in enters.items()}
    # Those on the belt when its speed changes jump in this model, and cross when they do.
    late = [t for t in enters if decided[t] > crosses[t] and not 98.0 < enters[t] < 101.0]
    assert not late


@pytest.mark.parametrize(
    ('status', 'verdict'),
    [
        (Status.REFERENCE_SUSPECT, Verdict.INSPECT),
        (Status.REFERENCE_SUSPECT | Status.NO_REFERENCE, Verdict.DIVERT),  # one in quarantine only
        (Status(0), Verdict.DIVERT),
    ],
)
def test_what_seems_a_new_design_is_inspected(status: Status, verdict: Verdict) -> None:
    maker = DecisionMaker()
    maker.update(_report(0.0, _item(confidence=0.9, status=status)))
    (decision,) = maker.update(_report(2.0))
    assert decision.decision is verdict
    assert ('a new design?' in decision.reason) == (verdict is Verdict.INSPECT)


def _moving(track: int, seconds: float, **changes: object) -> ItemReport:
    """An item of 0.3 x 0.2 m on a belt of 0.4 m/s along x."""
    at = Pose((0.4 * seconds + float(changes.pop('ahead', 0.0)), changes.pop('across', 0.0), 1.0),
              (0.0, 0.0, 0.0, 1.0))  # fmt: skip
    return dataclasses.replace(_item(track), pose=at, **changes)


LINE = DecisionSettings(line=(1.0, 0.0, 0.0, 0.2))


def _decided_of(looks: list[list[ItemReport]]) -> list[int]:
    maker = DecisionMaker(LINE)
    said = [d for k, items in enumerate(looks) for d in maker.update(_report(0.1 * k, *items))]
    return [decision.track_id for decision in [*said, *maker.flush()]]


def test_what_is_left_of_a_decided_item_under_another_number_is_not_decided_again() -> None:
    looks = [[_moving(1, 0.1 * k)] for k in range(8)]
    cut = {'ahead': -0.05, 'status': Status.TRUNCATED}
    looks += [[_moving(2 + k, 0.1 * k, **cut)] for k in range(8, 12)]
    assert _decided_of(looks) == [1]


def test_a_neighbour_that_is_seen_late_is_an_item_of_its_own() -> None:
    looks = [[_moving(1, 0.1 * k)] for k in range(8)]
    looks += [[_moving(1, 0.1 * k), _moving(2, 0.1 * k, across=0.21)] for k in range(8, 12)]
    assert _decided_of(looks) == [1, 2]


def test_two_items_that_were_one_heap_are_each_decided_when_they_part() -> None:
    looks = [[_moving(1, 0.1 * k, status=Status.MERGED)] for k in range(8)]
    looks += [[_moving(2, 0.1 * k), _moving(3, 0.1 * k, across=0.1)] for k in range(8, 12)]
    assert _decided_of(looks) == [1, 2, 3]


def test_the_next_item_on_a_tray_is_decided_though_it_lies_where_the_last_one_was() -> None:
    maker = DecisionMaker(DecisionSettings(lost_after_s=0.3))
    said = []
    for k in range(30):
        track = 1 if k < 10 else 2
        items = () if 10 <= k < 15 else (_item(track),)
        said += maker.update(_report(0.1 * k, *items))
    assert [decision.track_id for decision in [*said, *maker.flush()]] == [1, 2]


def test_an_item_that_goes_on_under_another_number_is_decided_once_with_all_that_was_seen() -> None:
    maker = DecisionMaker(LINE)
    said = []
    for k in range(12):
        if k < 5:  # fused over five frames, a damage shows
            item = _moving(1, 0.1 * k, frames=k + 1, confidence=0.9)
        else:  # followed anew, on one frame it does not
            item = _moving(2, 0.1 * k, frames=1, confidence=0.1)
        said += maker.update(_report(0.1 * k, item))
    (decision,) = [*said, *maker.flush()]
    assert decision.track_id == 2
    assert decision.decision is Verdict.DIVERT
    assert decision.evidence is not None
    assert decision.evidence.track_id == 2


def test_a_piece_of_an_item_that_goes_on_is_no_item() -> None:
    piece = {'ahead': 0.1, 'size': (0.06, 0.1, 0.1)}
    looks = [[_moving(1, 0.1 * k)] for k in range(4)]
    looks += [[_moving(2, 0.1 * k, **piece)] for k in range(4, 6)]  # an arm hides the rest
    looks += [[_moving(1, 0.1 * k)] for k in range(6, 12)]
    assert _decided_of(looks) == [1]


def test_pictures_that_are_too_seldom_tell_of_no_belt() -> None:
    one, other = {'ahead': 0.2}, {'ahead': -0.2}  # two items, found where the first might be
    looks = [[_moving(1, 0.0)], [_moving(1, 0.5, **one)], [_moving(2, 1.0)],
             [_moving(2, 1.5, **other), _moving(3, 1.5, **one)]]  # fmt: skip
    assert _decided_of(looks) == [1, 2, 3]


def test_a_scrap_beside_an_item_is_no_item_and_a_small_item_beside_it_is() -> None:
    small = {'across': 0.12, 'size': (0.05, 0.05, 0.02)}
    looks = [[_moving(1, 0.1 * k)] for k in range(12)]
    looks[3].append(_moving(2, 0.3, **small))
    assert _decided_of(looks) == [1]
    looks = [[_moving(1, 0.1 * k), _moving(2, 0.1 * k, **small)] for k in range(12)]
    assert _decided_of(looks) == [1, 2]


def test_a_wall_that_is_taken_for_a_thing_of_its_own_once_is_none() -> None:
    wall = {'across': 0.12, 'size': (0.2, 0.12, 0.05), 'status': Status.PARTLY_JUDGED}
    looks = [[_moving(1, 0.1 * k, ahead=-0.3)] for k in range(14)]
    looks[6].append(_moving(2, 0.6, **{**wall, 'ahead': -0.3}))
    assert _decided_of(looks) == [1]


def test_what_passes_before_the_lens_is_no_item_and_what_is_seldom_seen_whole_is() -> None:
    arm = {'size': (0.2, 1.7, 0.5), 'status': Status.TRUNCATED | Status.PARTLY_JUDGED}
    looks: list[list[ItemReport]] = [[] for _ in range(60)]
    for k in range(54):
        for track, start in ((1, 0), (2, 12), (3, 24)):
            if start <= k < start + 20:
                looks[k].append(_moving(track, 0.1 * k, ahead=-0.3 - 0.04 * start))
    looks[44] = [_moving(4, 4.4, ahead=-1.7, **arm)]
    looks[45] = [_moving(4, 4.5, ahead=-1.74, **arm)]
    assert _decided_of(looks) == [1, 2, 3]
    for k in range(44, 60):
        looks[k] = [_moving(4, 0.1 * k, ahead=-2.1, status=Status.TRUNCATED)]
    assert _decided_of(looks) == [1, 2, 3, 4]


def test_an_item_that_is_found_in_two_pieces_for_a_moment_is_one() -> None:
    half = {'size': (0.15, 0.2, 0.1)}
    looks = [[_moving(1, 0.1 * k, ahead=-0.2)] for k in range(16)]
    looks[6] = [_moving(1, 0.6, ahead=-0.12, **half), _moving(2, 0.6, ahead=-0.28, **half)]
    assert _decided_of(looks) == [1]


@pytest.mark.parametrize('swap', range(5, 8))
def test_an_item_that_goes_on_under_another_number_near_the_line_is_decided_once(swap) -> None:
    half = {'ahead': -0.1, 'size': (0.3, 0.1, 0.1)}
    looks = [[_moving(1, 0.1 * k, ahead=-0.1)] for k in range(swap)]
    looks += [[_moving(1, 0.1 * swap, across=0.05, **half),
               _moving(2, 0.1 * swap, across=-0.05, **half)]]  # fmt: skip
    looks += [[_moving(2, 0.1 * k, ahead=-0.1)] for k in range(swap + 1, 16)]
    assert len(_decided_of(looks)) == 1


def test_a_scrap_of_an_item_that_is_never_clear_is_no_item_at_the_line_either() -> None:
    merged = Status.MERGED | Status.PARTLY_JUDGED
    scrap = {'size': (0.02, 0.04, 0.01)}
    looks = [[_moving(9, 0.1 * k, ahead=0.4)] for k in range(4)]  # tells how the belt runs
    looks += [[_moving(1, 0.1 * k, ahead=-0.4, status=merged)] for k in range(4, 30)]
    for k in (13, 15):
        looks[k].append(_moving(2, 0.1 * k, ahead=-0.35, **scrap))
    assert _decided_of(looks) == [9, 1]


def test_an_item_under_an_arm_is_decided() -> None:
    arm = {'size': (1.6, 0.3, 0.5), 'status': Status.TRUNCATED}
    looks = [[_moving(1, 0.1 * k)] for k in range(12)]
    for k in range(3, 7):
        looks[k] = (
            [_moving(2, 0.1 * k, **arm)] if k < 6 else [*looks[k], _moving(2, 0.1 * k, **arm)]
        )
    assert _decided_of(looks)[0] == 1


def test_an_item_that_an_arm_hid_when_it_came_in_is_decided() -> None:
    arm = {'size': (1.6, 0.3, 0.5), 'status': Status.TRUNCATED}
    looks = [[_moving(9, 0.1 * k, ahead=0.4)] for k in range(4)]  # tells how the belt runs
    looks += [[_moving(1, 0.1 * k, **arm)] for k in range(4, 7)]  # it stands over the line
    looks += [[_moving(2, 0.1 * k, ahead=-0.3)] for k in range(7, 18)]
    assert _decided_of(looks) == [9, 1, 2]


def test_what_was_taken_for_a_heap_and_comes_back_is_decided() -> None:
    pair = [[_moving(1, 0.1 * k), _moving(2, 0.1 * k, ahead=-0.3)] for k in range(20)]
    looks = [each[:1] if 6 <= k < 14 else each for k, each in enumerate(pair)]
    assert sorted(_decided_of(looks)) == [1, 2]


def test_two_items_that_were_seen_as_one_for_a_while_are_two() -> None:
    heap = {'ahead': -0.15, 'size': (0.62, 0.2, 0.1)}
    for unclear in (Status(0), Status.MERGED | Status.TRUNCATED):
        looks = [
            [_moving(3, 0.1 * k, status=unclear, **heap)] if 3 <= k < 5
            else [_moving(1, 0.1 * k), _moving(2, 0.1 * k, ahead=-0.3)]
            for k in range(16)
        ]  # fmt: skip
        assert _decided_of(looks) == [1, 2]


def test_what_enters_in_pieces_is_one_item() -> None:
    cut = {'status': Status.TRUNCATED}
    edge = {'ahead': -0.2, 'size': (0.06, 0.04, 0.1), **cut}
    looks = [[_moving(9, 0.1 * k, ahead=0.4)] for k in range(4)]  # tells how the belt runs
    looks.append([_moving(1, 0.4, across=0.05, **edge), _moving(2, 0.4, across=-0.05, **edge)])
    part = {'ahead': -0.25, 'size': (0.2, 0.2, 0.1), **cut}
    looks += [[_moving(1, 0.1 * k, **part)] for k in range(5, 12)]
    looks += [[_moving(1, 0.1 * k, ahead=-0.3)] for k in range(12, 17)]
    assert _decided_of(looks) == [9, 1]


def test_what_is_seen_in_two_halves_and_then_clearly_as_one_is_one() -> None:
    looks = [[_moving(9, 0.1 * k, ahead=0.4)] for k in range(4)]  # tells how the belt runs
    half = {'size': (0.15, 0.2, 0.1)}
    looks += [
        [_moving(1, 0.1 * k, ahead=-0.72, **half), _moving(2, 0.1 * k, ahead=-0.88, **half)]
        for k in range(4, 6)
    ]
    looks += [[_moving(1, 0.1 * k, ahead=-0.8)] for k in range(6, 30)]
    assert _decided_of(looks) == [9, 1]


def test_the_first_item_of_a_belt_that_goes_on_under_another_number_is_decided_once() -> None:
    """Nobody knows yet how the belt runs when it is lost."""
    looks = [[_moving(1 if k < 3 else 2, 0.1 * k, ahead=-0.5)] for k in range(0, 25, 2)]
    looks = [looks[k // 2] if k % 2 == 0 else [] for k in range(25)]
    assert _decided_of(looks) == [2]


def test_what_an_item_hid_when_it_was_lost_is_decided_by_itself() -> None:
    """Two items seen side by side are two, also where one is later found within the other."""
    beside = {'across': 0.1, 'size': (0.3, 0.05, 0.1)}
    narrow = {'across': -0.05, 'size': (0.3, 0.1, 0.1)}
    looks = [[_moving(1, 0.1 * k, **narrow), _moving(2, 0.1 * k, **beside)] for k in range(3)]
    looks += [[_moving(1, 0.1 * k, size=(0.3, 0.3, 0.1))] for k in range(3, 16)]
    assert sorted(_decided_of(looks)) == [1, 2]


def test_what_lies_on_an_item_that_it_hides_does_not_pass_for_both() -> None:
    maker = DecisionMaker(LINE)
    said = []
    for k in range(12):
        under = _moving(1, 0.1 * k, status=Status.OCCLUDED)
        said += maker.update(_report(0.1 * k, under, _moving(2, 0.1 * k, size=(0.2, 0.15, 0.1))))
    (decision,) = [*said, *maker.flush()]
    assert decision.decision is Verdict.UNKNOWN
    assert 'lies on another' in decision.reason


def test_on_a_tray_nothing_is_taken_for_a_part_of_another() -> None:
    maker = DecisionMaker(DecisionSettings(lost_after_s=0.3))
    small = dataclasses.replace(_item(2), size=(0.05, 0.05, 0.02))
    said = []
    for k in range(12):
        said += maker.update(_report(0.1 * k, *((_item(1), small) if k == 3 else (_item(1),))))
    assert sorted(d.track_id for d in [*said, *maker.flush()]) == [1, 2]
