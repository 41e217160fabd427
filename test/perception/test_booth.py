"""Several cameras of a booth: one decision an item, from all that they saw, whoever comes first."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
import pytest
from booth_scene import S, Scene, Thing
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from damage_perception.perception.booth.extrinsics import Extrinsics
from damage_perception.perception.booth.settings import BoothSettings
from damage_perception.perception.decision.decision import CUT_SHORT, DecisionSettings
from damage_perception.report import (
    Status,
    Verdict,
)


def test_two_cameras_see_one_item_as_one() -> None:
    (decision,) = Scene().pass_by([Thing()])
    assert decision.decision is Verdict.PASS
    assert decision.frame_id == 'booth'
    assert decision.frames == 10, 'what two cameras see at one time is not counted twice'
    seconds = decision.stamp_ns / S
    np.testing.assert_allclose(decision.pose.position, [0.4 * seconds, 0, 0.05], atol=1e-6)
    np.testing.assert_allclose(np.abs(decision.pose.orientation), [0, 0, 0, 1], atol=1e-6)


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_what_one_camera_missed_the_other_shows(camera: str) -> None:
    (decision,) = Scene().pass_by([Thing(looks={camera: (0.9, Status(0))})])
    assert decision.decision is Verdict.DIVERT
    assert decision.confidence == pytest.approx(0.9)
    assert decision.reason == 'crush 20 mm deep, 20 cm2'


def test_two_looks_at_one_damage_are_no_stronger_than_the_clearer() -> None:
    looks = {'left': (0.7, Status(0)), 'right': (0.8, Status(0))}
    (decision,) = Scene().pass_by([Thing(looks=looks)])
    assert decision.confidence == pytest.approx(0.8)
    assert decision.evidence is not None
    assert len(decision.evidence.damages) == 1
    below = {'left': (0.4, Status(0)), 'right': (0.45, Status(0))}
    (decision,) = Scene().pass_by([Thing(looks=below)])
    assert decision.decision is Verdict.PASS


def test_a_camera_that_never_saw_it_does_not_make_it_sound() -> None:
    (decision,) = Scene().pass_by([Thing(looks={'right': None})])
    assert (decision.decision, decision.reason) == (Verdict.UNKNOWN, 'right did not see it')
    assert decision.evidence is not None
    assert Status.PARTLY_JUDGED in decision.evidence.status


@pytest.mark.parametrize('flag', [Status.TRUNCATED, Status.OCCLUDED, Status.PARTLY_JUDGED])
def test_an_unclear_look_at_a_face_is_made_good_by_a_clear_one_at_that_face(flag: Status) -> None:
    (decision,) = Scene().pass_by([Thing(looks={'right': (0.1, flag)})])
    assert decision.decision is Verdict.PASS


def test_an_unclear_look_at_a_face_that_the_other_did_not_judge_is_not_sound() -> None:
    scene = Scene()
    thing = Thing(looks={'right': (0.1, Status.PARTLY_JUDGED)})
    wall = dataclasses.replace(thing, face=Rotation.from_euler('x', 90, degrees=True))
    for step in range(25):
        scene.tell('left', 0.1 * step, [thing] if step < 10 else [])
        scene.tell('right', 0.1 * step, [wall] if step < 10 else [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.UNKNOWN
    assert decision.reason == 'right: only a part of it could be judged'


def test_damage_in_a_clear_look_diverts_even_if_another_camera_saw_nothing() -> None:
    (decision,) = Scene().pass_by([Thing(looks={'right': None, 'left': (0.9, Status(0))})])
    assert decision.decision is Verdict.DIVERT


def test_a_silent_camera_is_the_reason_for_unknown_and_nobody_waits_for_it() -> None:
    scene = Scene()
    scene.maker.silent = {'right': '/right/damage/report has been silent for 1.2 s'}
    for step in range(20):
        scene.tell('left', 0.1 * step, [Thing()] if step < 10 else [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.UNKNOWN
    assert decision.reason == '/right/damage/report has been silent for 1.2 s'


def test_a_camera_that_falls_silent_after_it_saw_an_item_leave_spoils_nothing() -> None:
    scene = Scene()
    for step in range(12):
        scene.tell('left', 0.1 * step, [Thing()])
        scene.tell('right', 0.1 * step + 0.02, [Thing()] if step < 10 else [])
    scene.maker.silent = {'right': 'gone'}
    for step in range(12, 25):
        scene.tell('left', 0.1 * step, [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.PASS


def test_a_camera_that_falls_silent_while_it_shows_an_item_leaves_it_unknown() -> None:
    scene = Scene()
    for step in range(10):
        scene.tell('left', 0.1 * step, [Thing()])
        scene.tell('right', 0.1 * step + 0.02, [Thing()])
    scene.maker.silent = {'right': 'gone'}
    for step in range(10, 25):
        scene.tell('left', 0.1 * step, [])
    (decision,) = scene.decisions
    assert (decision.decision, decision.reason) == (Verdict.UNKNOWN, 'gone')


def test_a_slow_camera_is_waited_for() -> None:
    scene = Scene()
    shown = [Thing(looks={'left': None, 'right': (0.9, Status(0))})]
    for step in range(24):
        scene.tell('left', 0.1 * step, [Thing()] if step < 10 else [])
        if step >= 9:  # the reports of the other come 0.9 s late
            late = step - 9
            scene.tell('right', 0.1 * late, shown if late < 10 else [])
    assert scene.decisions == []
    for late in range(15, 20):
        scene.tell('right', 0.1 * late, [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.DIVERT


def test_a_camera_far_behind_is_named_and_not_waited_for() -> None:
    scene = Scene()
    for step in range(25):
        scene.tell('left', 100 + 0.1 * step, [Thing(at_m=(-40.0, 0, 0))] if step < 10 else [])
        scene.tell('right', 0.1 * step, [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.UNKNOWN
    assert 'right is 10' in decision.reason
    assert 'synchronise their clocks' in decision.reason


def test_cameras_one_after_the_other_along_the_belt_see_one_item() -> None:
    """The item leaves the first view 0.5 s before it comes into the second."""
    scene = Scene(settings=DecisionSettings(lost_after_s=1.0))
    for step in range(50):
        scene.tell('left', 0.1 * step, [Thing()] if 5 <= step < 15 else [])
        seen = [Thing(looks={'right': (0.9, Status(0))})] if 20 <= step < 30 else []
        scene.tell('right', 0.1 * step + 0.01, seen)
    (decision,) = scene.decisions
    assert decision.decision is Verdict.DIVERT


def test_it_is_decided_at_the_line_of_the_booth_though_one_camera_lags() -> None:
    line = (1.0, 0.0, 0.0, 0.3)
    scene = Scene(settings=DecisionSettings(line=line, line_lead_s=0.1))
    for step in range(8):
        scene.tell('left', 0.1 * step, [Thing()])
        if step >= 3:
            scene.tell('right', 0.1 * (step - 3), [Thing()])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.PASS
    assert decision.pose.position[0] == pytest.approx(0.28, abs=0.02)
    assert len(scene.pass_by([], start=0.8)) == 1


def test_one_camera_certain_of_damage_decides_early_and_soundness_needs_all() -> None:
    settings = DecisionSettings(certain_looks=3, independent_m=0.01)
    scene = Scene(settings=settings)
    for step in range(4):
        scene.tell('left', 0.1 * step, [Thing(looks={'left': (0.99, Status(0))})])
        scene.tell('right', 0.1 * step + 0.02, [])
    assert [d.decision for d in scene.decisions] == [Verdict.DIVERT]
    scene = Scene(settings=settings)
    for step in range(6):
        scene.tell('left', 0.1 * step, [Thing(looks={'left': (0.01, Status(0))})])
        scene.tell('right', 0.1 * step + 0.02, [])
    assert scene.decisions == []
    for step in range(6, 10):
        scene.tell('left', 0.1 * step, [Thing(looks={'left': (0.01, Status(0))})])
        scene.tell('right', 0.1 * step + 0.02, [Thing(looks={'right': (0.01, Status(0))})])
    assert [d.decision for d in scene.decisions] == [Verdict.PASS]


def test_a_track_that_one_camera_loses_and_finds_again_stays_the_same_item() -> None:
    scene = Scene()
    for step in range(25):
        lost = 4 <= step < 7
        scene.first_id['left'] = 1 if step < 5 else 50
        scene.tell('left', 0.1 * step, [] if lost or step >= 12 else [Thing()])
        scene.tell('right', 0.1 * step + 0.02, [Thing()] if step < 12 else [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.PASS


def test_another_item_at_the_same_place_of_a_tray_is_another_item() -> None:
    scene = Scene(speed=np.zeros(3))
    for step in range(80):
        scene.first_id = {'left': 1 + step // 30, 'right': 1 + step // 30}
        for camera in scene.cameras:
            shown = [Thing(looks={'right': None})] if step % 30 < 10 else []
            scene.tell(camera, 0.1 * step, shown)
    assert len(scene.decisions) == 3


def test_an_item_that_no_camera_saw_whole_is_one_decision() -> None:
    scene = Scene()
    part = (0.1, Status.TRUNCATED)
    for step in range(25):
        shown = [Thing(looks={'left': part, 'right': part})] if step < 10 else []
        scene.tell('left', 0.1 * step, shown, off_m=(0.1, 0.0, 0.0))
        scene.tell('right', 0.1 * step, shown, off_m=(-0.1, 0.0, 0.0))
    (decision,) = scene.decisions
    assert decision.decision is Verdict.UNKNOWN
    assert decision.reason == 'it was never wholly in view'


def test_a_scrap_beside_an_item_does_not_take_what_fits_the_item_better() -> None:
    scene = Scene()
    item = Thing(looks={'right': (0.1, Status.TRUNCATED)})
    scrap = Thing((0.16, 0.12, 0.05), {'left': (0.1, Status.TRUNCATED), 'right': None})
    for step in range(25):
        shown = [item, scrap] if step < 4 else [item] if step < 15 else []
        scene.tell('left', 0.1 * step, shown)
        scene.tell('right', 0.1 * step, shown[:1], off_m=(0.1, 0.0, 0.0))
    assert [decision.decision for decision in scene.decisions] == [Verdict.UNKNOWN, Verdict.PASS]


def test_a_first_part_that_was_another_track_is_no_item_of_its_own() -> None:
    """A camera begins an item anew as it comes in, while the other follows it from the start."""
    scene = Scene()
    for step in range(30):
        part = Status.TRUNCATED if step < 8 else Status(0)
        scene.first_id['right'] = 1 if step < 2 else 2
        looks = {'left': (0.1, part), 'right': (0.9, part)}
        for camera in scene.cameras:
            scene.tell(camera, 0.1 * step, [Thing(looks=looks)] if step < 15 else [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.DIVERT


def test_a_scrap_that_a_camera_sees_in_the_shadow_of_an_item_is_no_item() -> None:
    scene = Scene()
    shadow = Thing((0.0, 0.11, 0.0), {'left': None}, size_m=(0.16, 0.03, 0.01))
    shadow.looks['right'] = (0.1, Status.OCCLUDED)
    for step in range(30):
        shown = [Thing()] if step < 15 else []
        scene.tell('left', 0.1 * step, shown)
        scene.tell('right', 0.1 * step, [*shown, shadow] if 8 <= step < 10 else shown)
    (decision,) = scene.decisions
    assert decision.decision is Verdict.PASS


def test_an_arm_before_the_lenses_is_no_item_of_a_booth() -> None:
    scene = Scene(settings=DecisionSettings(line=(1.0, 0.0, 0.0, 0.4)))
    cut = (0.1, Status.TRUNCATED | Status.PARTLY_JUDGED)
    arm = Thing((-1.6, 0.0, 0.5), dict.fromkeys(scene.cameras, cut), size_m=(0.2, 1.6, 0.5))
    items = [Thing((-0.6 * n, 0.0, 0.05)) for n in range(3)]
    for step in range(80):
        shown = [*items, arm] if step in (50, 51) else items if step < 60 else []
        for name in scene.cameras:
            scene.tell(name, 0.1 * step, shown)
    assert [decision.decision for decision in scene.decisions] == [Verdict.PASS] * 3


def test_an_item_that_a_camera_follows_under_two_numbers_by_turns_is_decided_once() -> None:
    scene = Scene()
    for step in range(40):
        shown = [Thing()] if step < 20 else []
        scene.first_id['right'] = 2 if 8 <= step < 12 or step in (14, 15) else 1
        for camera in scene.cameras:
            scene.tell(camera, 0.1 * step, shown)
    (decision,) = scene.decisions
    assert decision.decision is Verdict.PASS


@pytest.mark.parametrize('camera', ['left', 'right'])
def test_what_is_left_of_a_decided_item_under_another_number_is_not_decided_again(
    camera: str,
) -> None:
    scene = Scene(settings=DecisionSettings(line=(1.0, 0.0, 0.0, 0.4)))
    for step in range(40):
        scene.first_id[camera] = 7 if step >= 12 else 1
        for name in scene.cameras:
            scene.tell(name, 0.1 * step, [Thing()] if step < 20 else [])
    (decision,) = scene.decisions
    assert decision.decision is Verdict.PASS


def test_what_was_open_when_another_was_decided_keeps_its_own_decision() -> None:
    scene = Scene()
    scrap = Thing((0.2, 0.2, 0.05), {'left': None, 'right': (0.1, Status.TRUNCATED)})
    item = Thing(looks={'right': None})
    for step in range(30):
        scene.tell('left', 0.1 * step, [scrap, item] if step < 20 else [])
        scene.tell('right', 0.1 * step, [scrap] if step < 2 else [])
    assert len(scene.decisions) == 2
    assert {d.track_id for d in scene.decisions} == {2, 3}


def test_two_items_that_one_camera_takes_for_one_do_not_both_pass() -> None:
    scene = Scene()
    pair = [Thing(at_m=(0.0, y, 0.05)) for y in (-0.1, 0.1)]
    heap = [Thing(looks={'left': (0.1, Status.MERGED)})]
    for step in range(25):
        scene.tell('left', 0.1 * step, heap if step < 10 else [])
        scene.tell('right', 0.1 * step, pair if step < 10 else [])
    assert len(scene.decisions) == 2
    assert Verdict.UNKNOWN in {decision.decision for decision in scene.decisions}


def test_a_segmentation_node_that_starts_anew_counts_from_one_again() -> None:
    scene = Scene()
    scene.pass_by([Thing()])
    scene.maker.restart('right', [])
    for run in (1, 2):
        scene.first_id = {'left': 1 + run, 'right': run}
        scene.pass_by([Thing(at_m=(-4.0 * run, 0, 0.05))], start=10.0 * run)
    assert [decision.decision for decision in scene.decisions] == [Verdict.PASS] * 3
    assert len({decision.track_id for decision in scene.decisions}) == 3


def test_what_was_decided_before_the_process_began_is_not_decided_again() -> None:
    scene = Scene()
    (decision,) = scene.pass_by([Thing()])
    again = Scene()
    again.maker.restart('left', [decision.track_id])
    again.maker.restart('right', [])
    assert again.pass_by([Thing()]) == []


def test_time_that_goes_back_in_one_camera_after_the_other_decides_once() -> None:
    scene = Scene()
    for run in range(2):
        scene.first_id = {'left': 1 + run, 'right': 1 + run}
        if run:
            scene.decisions += scene.maker.go_back('left', 0, CUT_SHORT)
        for step in range(40):
            scene.tell('left', 0.1 * step, [Thing()] if step > 20 or run else [])
            if run and step < 3:  # it is late: still the old run
                scene.first_id['right'] = 1
                scene.tell('right', 4.0 + 0.1 * step, [Thing()])
                scene.first_id['right'] = 2
                continue
            if run and step == 3:
                scene.decisions += scene.maker.go_back('right', round(0.3 * S), CUT_SHORT)
            scene.tell('right', 0.1 * step, [Thing()] if step > 20 or run else [])
    scene.decisions += scene.maker.flush()
    assert [d.decision for d in scene.decisions] == [Verdict.UNKNOWN, Verdict.PASS]
    assert scene.decisions[0].reason == CUT_SHORT


def test_an_item_of_a_recording_played_again_is_none_that_was_decided_before() -> None:
    """It was seen by one camera first, then by the other, at the same place and stamp."""
    scene = Scene()
    for run, camera in enumerate(('left', 'right')):
        if run:
            for name in scene.cameras:
                scene.decisions += scene.maker.go_back(name, 0, CUT_SHORT)
        thing = Thing(looks={name: None for name in scene.cameras if name != camera})
        scene.pass_by([thing])
    assert [d.decision for d in scene.decisions] == [Verdict.UNKNOWN, Verdict.UNKNOWN]


_LIMITS = {'min_value': -2.0, 'max_value': 2.0}
_places = st.tuples(*[st.floats(**_LIMITS)] * 3)
_turns = st.tuples(*[st.floats(-1.0, 1.0)] * 4).filter(lambda q: np.linalg.norm(q) > 0.2)
_stands = st.tuples(_places, _turns).map(
    lambda pair: Extrinsics.of([*pair[0], *(np.array(pair[1]) / np.linalg.norm(pair[1]))])
)


@given(st.data())
@effort(max_examples=20, deadline=None)
def test_any_cameras_in_any_order_with_late_repeated_and_lost_reports_decide_each_item_once(
    data: st.DataObject,
) -> None:
    count = data.draw(st.integers(1, 3), 'cameras')
    cameras = {f'camera{k}': data.draw(_stands) for k in range(count)}
    damaged = data.draw(st.lists(st.booleans(), min_size=1, max_size=5), 'damaged')
    witness = data.draw(st.integers(0, count - 1), 'who sees the damage')
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1), 'noise'))
    things = [
        Thing((-0.35 * k, 0.05 * (k % 3), 0.05),
              {f'camera{witness}': (0.9 if bad else 0.1, Status(0))})
        for k, bad in enumerate(damaged)
    ]  # fmt: skip
    scene = Scene(cameras, first_id={name: int(rng.integers(1, 90)) for name in cameras})
    delays = {name: float(rng.uniform(0, 0.3)) for name in cameras}
    sent = []
    for name in cameras:
        for step in range(40):
            seconds = 0.1 * step + float(rng.uniform(0, 0.03))
            if step < 20 and rng.random() < 0.1:
                continue  # lost
            off = rng.normal(0, 0.004, 3)
            report = scene.report(name, seconds, things if step < 20 else [], off_m=off)
            sent.append((seconds + delays[name], name, report))
    for _, name, report in sorted(sent, key=lambda entry: entry[0]):
        for _ in range(1 + int(rng.random() < 0.2)):
            scene.decisions += scene.maker.update(report, name)
    scene.decisions += scene.maker.flush()
    told = sorted((d.pose.position[0] - 0.4 * d.stamp_ns / S, d.decision) for d in scene.decisions)
    wanted = [Verdict.DIVERT if bad else Verdict.PASS for bad in damaged[::-1]]
    assert [verdict for _, verdict in told] == wanted
    assert len({decision.track_id for decision in scene.decisions}) == len(wanted)


@given(_stands, _places, _turns)
@effort(max_examples=30, deadline=None)
def test_extrinsics_bring_a_pose_where_it_is(
    stands: Extrinsics, place: tuple[float, ...], turn: tuple[float, ...]
) -> None:
    thing = Thing(place, face=Rotation.from_quat(turn))
    scene = Scene({'only': stands}, speed=np.zeros(3))
    (item,) = stands.bring(scene.report('only', 0.0, [thing]), 'booth').items
    np.testing.assert_allclose(item.pose.position, place, atol=1e-9)
    back = Rotation.from_quat(item.pose.orientation) * thing.face.inv()
    assert back.magnitude() == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize(
    ('numbers', 'text'),
    [
        ((), 'seven numbers'),
        ((0.0,) * 6, 'seven numbers'),
        ((0, 0, math.nan, 0, 0, 0, 1), 'seven numbers'),
        ((0, 0, 0, 0, 0, 0, 0), 'length 1'),
        ((0, 0, 0, 0, 0, 0, 2), 'length 1'),
    ],
)
def test_extrinsics_that_are_none_are_refused(numbers: Sequence[float], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Extrinsics.of(numbers)


@pytest.mark.parametrize('cameras', [('left', 'left'), ('',), ('a b',), ('1st',)])
def test_cameras_need_names_of_their_own(cameras: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match='different names'):
        BoothSettings(cameras=cameras)
