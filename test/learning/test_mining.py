from __future__ import annotations

import numpy as np
from made_store import made_view, made_views

from damage_perception.learning.training.mining import mine
from damage_perception.learning.training.patches import Patches
from damage_perception.network.outputs import CLASSES, SCORES, NetworkOutput


def alarmed_at(row: int, column: int):
    """Judge that takes one place for damage, whatever is there."""

    def judge(batch):
        maps = np.zeros((len(batch), len(CLASSES), *(side // 2 for side in batch.shape[2:])))
        maps[:, 0] = 9.0
        maps[:, 1, row // 2, column // 2] = 18.0
        return NetworkOutput(maps.astype(np.float32), np.zeros((len(batch), len(SCORES))))

    return judge


def test_what_alarms_on_a_sound_item_is_found_and_named():
    views = [made_view(number, False) for number in range(6)]
    found = mine(views, alarmed_at(40, 50), 4, 0, 0)
    assert len(found.places) == 4
    assert {(row, column) for _, row, column in found.places} == {(40, 50)}
    assert mine(views, alarmed_at(40, 50), 4, 0, 0).places == found.places
    assert mine(views, alarmed_at(40, 50), 4, 0, 1).places != found.places


def test_damage_is_no_false_alarm():
    views = [made_view(number, True) for number in range(4)]
    for number, view in enumerate(views):
        row, column = np.argwhere(view.labels > 0).mean(axis=0).astype(int)
        assert not mine([view], alarmed_at(row, column), 1, 0, number).places


def test_false_alarms_are_shown_again():
    views = made_views(4)
    patches = Patches(views, 64, 0)
    before = [patches.patch(number)[0].tobytes() for number in range(40)]
    patches.alarms = [[0, 5, 5]]
    after = [patches.patch(number)[0].tobytes() for number in range(40)]
    changed = sum(first != second for first, second in zip(before, after, strict=True))
    assert changed > 0
    assert patches.alarms == [[0, 5, 5]]
