"""A reference from one picture: what counts as one item."""

from __future__ import annotations

import pytest
from made_frames import box, frame_of

from damage_perception.errors import UserError
from damage_perception.perception.comparison.reference_view import view_of_item


@pytest.mark.parametrize('gap_m', [0.0, 0.08])
def test_pieces_are_one_item_if_they_touch_and_somebody_says_so(gap_m: float) -> None:
    second = box(name='right', offset_m=0.06 + gap_m, size=(0.24, 0.16, 0.1))
    frame = frame_of(box(name='left', offset_m=-0.1), second)
    with pytest.raises(UserError, match='2 items were found'):
        view_of_item(frame)
    if gap_m:
        with pytest.raises(UserError, match='2 items were found'):
            view_of_item(frame, alone=True)
        return
    view = view_of_item(frame, alone=True)
    assert view.item_mask.sum() * view.resolution_m**2 == pytest.approx(0.24 * 0.32, rel=0.1)


def test_a_lone_item_is_the_same_whether_somebody_says_so_or_not() -> None:
    frame = frame_of(box())
    by_itself, vouched = view_of_item(frame), view_of_item(frame, alone=True)
    assert (by_itself.item_mask == vouched.item_mask).all()
