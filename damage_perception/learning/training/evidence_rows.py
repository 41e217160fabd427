"""The numbers of stored views that the evidence weighs, by what is known of each view."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.training.augmentation import drop_colour, drop_depth
from damage_perception.learning.training.network_evaluation import Judge
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.learning.training.view_store import ViewSet, read_views
from damage_perception.network.backends import open_backend
from damage_perception.network.inputs import REFERENCE, pad
from damage_perception.network.view_features import channel_features, network_features
from damage_perception.perception.evidence.item_features import ITEM_FEATURES

Row = Mapping[str, float]
_CHUNK = 64  # views of a task


@dataclass
class Rows:
    """Features of the views of a split.

    Attributes:
        shape: of geometry and quality alone, as if there were no network.
        alone: without a reference.
        paired: with a reference where there is one.
        colour: without depth and reference.
        colourless: without colour and reference.
    """

    shape: list[Row] = field(default_factory=list)
    alone: list[Row] = field(default_factory=list)
    paired: list[Row] = field(default_factory=list)
    colour: list[Row] = field(default_factory=list)
    colourless: list[Row] = field(default_factory=list)

    def add(self, view: StoredView, judge: Judge) -> None:
        """Judge a view in all ways."""
        channels = view.channels()
        shape = item_row(view)
        seen = channel_features(channels)
        without = {name: value for name, value in seen.items() if 'reference' not in name}
        paired = shape | seen | _known(view.facts['compared']) | _network(channels, judge)
        channels[REFERENCE] = 0.0
        alone = shape | without | _network(channels, judge) if view.facts['reference'] else paired
        flat, grey = channels.copy(), channels
        drop_depth(flat)
        drop_colour(grey)
        self.shape.append(shape)
        self.paired.append(paired)
        self.alone.append(alone)
        self.colour.append(channel_features(flat) | _network(flat, judge))
        self.colourless.append(_network(grey, judge))

    def extend(self, other: Rows) -> None:
        """Append the rows of further views."""
        for name, rows in vars(self).items():
            rows.extend(getattr(other, name))


def item_row(view: StoredView) -> dict[str, float]:
    """Give what geometry and quality said of a view when it was rendered."""
    told = _known(view.facts['features'])
    return {name: told[name] for name in ITEM_FEATURES}


def _known(told: Mapping[str, float | None]) -> dict[str, float]:
    return {name: math.nan if value is None else value for name, value in told.items()}


def rows_of(views: ViewSet, items: int, weights: Path, workers: int = 1) -> Rows:
    """Judge all rendered views of a split, in several processes if wanted."""
    count = len(read_views(views, items))
    tasks = [(views, items, weights, start) for start in range(0, count, _CHUNK)]
    rows = Rows()
    if workers == 1:
        for task in tasks:
            rows.extend(_chunk(*task))
        return rows
    context = multiprocessing.get_context('spawn')
    with ProcessPoolExecutor(workers, context, cv2.setNumThreads, (1,)) as pool:
        for part in pool.map(_chunk, *zip(*tasks, strict=True)):
            rows.extend(part)
    return rows


def _chunk(views: ViewSet, items: int, weights: Path, start: int) -> Rows:
    rows, judge = Rows(), _judge(weights)
    for view in _views(views, items)[start : start + _CHUNK]:
        rows.add(view, judge)
    return rows


@lru_cache(maxsize=1)
def _judge(weights: Path) -> Judge:
    return open_backend(weights, 'auto', 1).predict


@lru_cache(maxsize=8)
def _views(views: ViewSet, items: int) -> Sequence[StoredView]:
    return read_views(views, items)


def _network(channels: NDArray[np.float32], judge: Judge) -> dict[str, float]:
    out = judge(pad(channels)[None])
    return network_features(out.maps[0], out.scores[0], channels)
