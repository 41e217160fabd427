"""Whom the window of an item shows beside it."""

import numpy as np
import pytest

from damage_perception.perception.items.items import FoundItem
from damage_perception.perception.view.window import window_around
from damage_perception.report import Roi, Status

SHAPE = (200, 200)
NONE = Status(0)
ITEM = FoundItem(Roi(50, 50, 80, 80), np.ones((80, 80), bool), NONE)


def beside(gap: int, side: int, status: Status = NONE) -> FoundItem:
    """Give a square to the right of the item."""
    return FoundItem(Roi(130 + gap, 60, side, side), np.ones((side, side), bool), status)


@pytest.mark.parametrize(
    ('other', 'is_shown'),
    [
        (beside(2, 20), True),  # a flap, or what fell out
        (beside(30, 20), False),  # another item apart
        (beside(2, 60), False),  # a neighbour
        (beside(2, 20, Status.TRUNCATED), False),  # of which nobody knows how large it is
    ],
)
def test_what_is_small_and_touches_is_no_neighbour(other: FoundItem, is_shown: bool) -> None:
    window = window_around(ITEM, [ITEM, other], SHAPE, 40)
    assert np.count_nonzero(window.item) == np.count_nonzero(ITEM.mask)
    assert bool(window.others.any()) is not is_shown


def test_what_lies_off_the_window_changes_nothing() -> None:
    far = FoundItem(Roi(0, 0, 5, 5), np.ones((5, 5), bool), NONE)
    assert not window_around(ITEM, [far, ITEM], SHAPE, 10).others.any()
