"""How well a ranking of views tells damaged from sound: of the network, of geometry, of any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.ranking import auroc, bootstrap_interval, recall_at_false_alarms
from damage_perception.learning.stored_view import StoredView
from damage_perception.network.inputs import pad
from damage_perception.network.outputs import SCORES, TYPES, NetworkOutput
from damage_perception.network.weights import sha256

Floats = NDArray[np.float64]
Judge = Callable[[NDArray[np.float32]], NetworkOutput]
Change = Callable[[NDArray[np.float32]], None]
_HIGHEST = 10.0  # geometry's significance is cut here: beyond, it is sure


@dataclass(frozen=True, eq=False)
class Scores:
    """Scores of N views, with what is true of them.

    Attributes:
        geometry: (N,) significance, 0 where it could not judge.
        network: (N, len(SCORES)) logits.
        damaged, major: (N,) bool.
        groups: (N,) number of the product, since copies of one are not independent.
    """

    geometry: Floats
    network: Floats
    damaged: NDArray[np.bool_]
    major: NDArray[np.bool_]
    groups: NDArray[np.int64]

    def only(self, rows: NDArray[np.bool_]) -> Scores:
        """Give the scores of some of the views."""
        return Scores(*(getattr(self, item.name)[rows] for item in fields(self)))


def score_views(views: Sequence[StoredView], judge: Judge, change: Change | None = None) -> Scores:
    """Score whole views one by one.

    Args:
        views: stored views.
        judge: a backend's `predict`.
        change: what is done to the channels first, such as taking a modality away.
    """
    logits = []
    for view in views:
        channels = view.channels()
        if change is not None:
            change(channels)
        logits.append(judge(pad(channels)[None]).scores[0])
    geometry = [view.facts['geometry'] for view in views]
    products = [view.facts['item_id'].rsplit('-', 1)[0] for view in views]
    return Scores(
        np.array([0.0 if value is None else min(value, _HIGHEST) for value in geometry]),
        np.array(logits, np.float64).reshape(len(views), len(SCORES)),
        np.array([view.damaged for view in views], bool),
        np.array([view.major for view in views], bool),
        np.unique(products, return_inverse=True)[1].astype(np.int64),
    )


def measure(scores: Scores, values: Floats, intervals: bool = True) -> dict[str, Any]:
    """Give AUROC and recall at 1 % false alarms of one ranking; minor damage leaves `major` out."""
    result: dict[str, Any] = {}
    for name, wanted in (('major', scores.major), ('any', scores.damaged)):
        rows = wanted | ~scores.damaged
        truth, ranked = wanted[rows], values[rows]
        result[f'auroc_{name}'] = auroc(truth, ranked)
        result[f'recall_at_1pct_{name}'] = recall_at_false_alarms(truth, ranked, 0.01)
        if intervals and name == 'major' and truth.any() and not truth.all():
            result['auroc_major_interval'] = bootstrap_interval(
                auroc, truth, ranked, scores.groups[rows], repeats=100
            )
    return result


def by_type(
    views: Sequence[StoredView], scores: Scores, values: Floats
) -> dict[str, dict[str, float]]:
    """Give the AUROC of each type of damage against sound views, and how many there are."""
    result = {}
    for kind in TYPES:
        wanted = np.array([any(d['type'] == kind for d in v.facts['damages']) for v in views], bool)
        rows = wanted | ~scores.damaged
        result[kind.name.lower()] = {
            'views': float(wanted.sum()),
            'auroc': auroc(wanted[rows], values[rows]),
        }
    return result


def fingerprint(scores: Scores) -> str:
    """Give a digest of the logits, so that two runs can be told to be the same."""
    return sha256(np.round(scores.network, 4).tobytes())[:16]
