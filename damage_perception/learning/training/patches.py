"""Patches of stored views: around damage, look-alikes, outlines, plain surface, false alarms."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.training.anchors import KINDS
from damage_perception.learning.training.augmentation import augment
from damage_perception.learning.training.stored_view import StoredView, decode
from damage_perception.network.inputs import CHANNELS
from damage_perception.synthesis.noise import Rng, stream

SHARES = (0.4, 0.12, 0.16, 0.12, 0.08, 0.12)  # of the kinds of anchors, then of false alarms
_JITTER = 0.25  # of the side, so that damage does not always lie in the middle


class Patches:
    """An endless, numbered supply: patch i depends on views, seed, false alarms and i alone."""

    def __init__(self, views: Sequence[StoredView], side: int, seed: int) -> None:
        self.views, self.side, self.seed = views, side, seed
        self._places = [
            [(number, *place) for number, view in enumerate(views)
             for place in view.facts['anchors'][kind]]
            for kind in KINDS
        ] + [[]]  # fmt: skip
        self.alarms = []

    @property
    def alarms(self) -> list[list[int]]:
        """Places (number of the view, row, column) that the network took for damage."""
        return [list(place) for place in self._places[-1]]

    @alarms.setter
    def alarms(self, places: Sequence[Sequence[int]]) -> None:
        self._places[-1] = [(number, row, column) for number, row, column in places]
        shares = np.array([share * bool(there) for share, there
                           in zip(SHARES, self._places, strict=True)])  # fmt: skip
        if not shares.any():
            raise UserError('no view to train on was rendered; ask for more train_items')
        self._shares = shares / shares.sum()

    def patch(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Give channels (C, S, S) float32 and labels (S, S) uint8 of one patch."""
        rng = stream(self.seed, 0x9A7C, index)
        places = self._places[int(rng.choice(len(SHARES), p=self._shares))]
        number, row, column = places[int(rng.integers(len(places)))]
        channels, labels = self._cut(self.views[number], row, column, rng)
        return augment(channels, labels, rng)

    def batch(self, start: int, count: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Give the patches start .. start + count: (N, C, S, S) float32 and (N, S, S) uint8."""
        parts = [self.patch(index) for index in range(start, start + count)]
        return np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])

    def _cut(
        self, view: StoredView, row: int, column: int, rng: Rng
    ) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """Cut a patch around a place; what lies outside the view is not seen."""
        side, reach = self.side, self.side * _JITTER
        top, left = (int(place - side / 2 + rng.uniform(-reach, reach)) for place in (row, column))
        rows = slice(max(0, top), min(view.labels.shape[0], top + side))
        columns = slice(max(0, left), min(view.labels.shape[1], left + side))
        data = view.data[:, rows, columns]
        down, across = rows.start - top, columns.start - left
        there = np.s_[down : down + data.shape[1], across : across + data.shape[2]]
        channels = np.zeros((len(CHANNELS), side, side), np.float32)
        labels = np.zeros((side, side), np.uint8)
        channels[:, there[0], there[1]] = decode(data[:-1])
        labels[there] = data[-1]
        return channels, labels
