"""Items of the real frames against a count by eye; the other tests of items need no such data."""

from __future__ import annotations

import pytest
from conveyor_items import CAMERA, FrameResult, results
from real_faces import DATA, load

from damage_perception.perception.support.support import SupportFinder

pytestmark = pytest.mark.skipif(
    not (DATA / 'rgb').is_dir(),
    reason='the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA',
)


@pytest.fixture(scope='module')
def frames() -> list[FrameResult]:
    return list(results())


def test_three_of_four_parcels_stand_on_their_own(frames: list[FrameResult]) -> None:
    assert sum(f.own for f in frames) >= 0.75 * sum(f.parcels for f in frames)


def test_nearly_every_parcel_is_covered(frames: list[FrameResult]) -> None:
    assert sum(f.covered for f in frames) >= 0.95 * sum(f.parcels for f in frames)


def test_no_belt_rail_or_robot_is_an_item(frames: list[FrameResult]) -> None:
    assert {f.name: f.false for f in frames if f.false} == {}


def test_parcels_that_could_not_be_split_are_flagged(frames: list[FrameResult]) -> None:
    # MERGED, TRUNCATED or OCCLUDED: such an item is never passed as sound.
    assert sum(f.unflagged for f in frames) <= 1


@pytest.mark.parametrize('frame', [8, 12])
def test_a_belt_that_a_heap_leaves_in_pieces_is_found_and_not_the_floor(frame: int) -> None:
    _, depth_m = load(frame)
    support = SupportFinder().update(depth_m, CAMERA)
    assert support is not None
    assert support.region.mean() < 0.2  # with the floor it was nearly half of the picture
