"""Hard negatives: the sound places that the network takes for damage, by name of what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.training.network_evaluation import Judge
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.network.inputs import SEEN, pad
from damage_perception.network.outputs import STRIDE, damage_probability
from damage_perception.synthesis.noise import stream

MOST = 4000  # places that are kept; older ones give way
_EACH = 2  # of a view
_CLEAR_PX = 12  # of labelled damage: beside it alarms are no mistake
_LEAST = 0.02  # P(damage) below which a place alarms nobody
_NAMED = 0.1  # share of the views searched whose tags are counted


@dataclass(frozen=True)
class Mined:
    """What a search found.

    Attributes:
        places: (number of the view, row, column) of each alarm.
        names: by tag, how many times as often it is among the worst sound views as among all.
    """

    places: list[list[int]]
    names: dict[str, float]


def mine(views: Sequence[StoredView], judge: Judge, count: int, seed: int, round_: int) -> Mined:
    """Search `count` of the views, others in each round.

    Args:
        views: views that are trained on.
        judge: a backend's `predict`.
        count: how many to search.
        seed: of the training.
        round_: number of the search.
    """
    rng = stream(seed, 0x417E, round_)
    chosen = rng.permutation(len(views))[:count]
    places: list[list[int]] = []
    worst: list[tuple[float, int]] = []
    for number in chosen:
        view = views[number]
        channels = view.channels()
        maps = judge(pad(channels)[None]).maps
        spots = _alarms(damage_probability(maps)[0], channels[SEEN] > 0, view.labels > 0)
        places += [[int(number), row, column] for row, column, _ in spots]
        if not view.damaged:
            worst.append((spots[0][2] if spots else 0.0, int(number)))
    worst.sort(reverse=True)
    sound = [views[number] for _, number in worst]
    return Mined(places, _names(sound[: max(1, int(_NAMED * len(sound)))], sound))


def _alarms(
    chance: NDArray[np.float32], seen: NDArray[np.bool_], damaged: NDArray[np.bool_]
) -> list[tuple[int, int, float]]:
    """Give the likeliest sound places of a view: row, column, P(damage)."""
    size = 2 * _CLEAR_PX + 1
    near = cv2.dilate(damaged.astype(np.uint8), np.ones((size, size), np.uint8))
    free = (seen & (near == 0))[::STRIDE, ::STRIDE]
    left = np.where(free, chance[: free.shape[0], : free.shape[1]], np.float32(0.0))
    found: list[tuple[int, int, float]] = []
    for _ in range(_EACH):
        row, column = np.unravel_index(np.argmax(left), left.shape)
        if left[row, column] < _LEAST:
            break
        found.append((STRIDE * int(row), STRIDE * int(column), float(left[row, column])))
        left[max(0, row - size) : row + size, max(0, column - size) : column + size] = 0.0
    return found


def _names(worst: Sequence[StoredView], every: Sequence[StoredView]) -> dict[str, float]:
    """Tell which tags alarm more than others do."""
    among, all_ = (Counter(tag for view in part for tag in view.facts['tags']) for part in
                   (worst, every))  # fmt: skip
    lift: dict[str, Any] = {
        tag: round(times / len(worst) / (all_[tag] / len(every)), 2)
        for tag, times in among.items()
        if times >= 3
    }
    return dict(sorted(lift.items(), key=lambda entry: -entry[1])[:8])
