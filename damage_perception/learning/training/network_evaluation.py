"""How well a ranking of views tells damaged from sound: of the network, of geometry, of any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.metrics.ranking import (
    auroc,
    bootstrap_interval,
    recall_at_false_alarms,
)
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.network.inputs import pad
from damage_perception.network.outputs import ANY, TYPES, NetworkOutput
from damage_perception.network.weights import sha256

Floats = NDArray[np.float64]
Judge = Callable[[NDArray[np.float32]], NetworkOutput]


@dataclass(frozen=True, eq=False)
class Truth:
    """What is true of N views.

    Attributes:
        damaged, major: (N,) bool.
        groups: (N,) number of the product, since copies of one are not independent.
    """

    damaged: NDArray[np.bool_]
    major: NDArray[np.bool_]
    groups: NDArray[np.int64]

    @classmethod
    def of(cls, views: Sequence[StoredView]) -> Truth:
        """Take what the engine knew."""
        products = [view.facts['sku'] for view in views]
        return cls(
            np.array([view.damaged for view in views], bool),
            np.array([view.major for view in views], bool),
            np.unique(products, return_inverse=True)[1].astype(np.int64),
        )

    def only(self, rows: NDArray[np.bool_]) -> Truth:
        """Give the truth of some of the views."""
        return Truth(*(getattr(self, item.name)[rows] for item in fields(self)))


def network_scores(views: Sequence[StoredView], judge: Judge) -> Floats:
    """Give the network's logit of any damage of each view, with its reference if it has one."""
    said = [judge(pad(view.channels())[None]).scores[0, ANY] for view in views]
    return np.array(said, np.float64)


def measure(truth: Truth, values: Floats, intervals: bool = True) -> dict[str, Any]:
    """Give AUROC and recall at 1 % false alarms of one ranking; minor damage leaves `major` out."""
    result: dict[str, Any] = {}
    for name, wanted in (('major', truth.major), ('any', truth.damaged)):
        rows = wanted | ~truth.damaged
        labels, ranked = wanted[rows], values[rows]
        result[f'auroc_{name}'] = auroc(labels, ranked)
        result[f'recall_at_1pct_{name}'] = recall_at_false_alarms(labels, ranked, 0.01)
        if intervals and name == 'major' and labels.any() and not labels.all():
            result['auroc_major_interval'] = bootstrap_interval(
                auroc, labels, ranked, truth.groups[rows], repeats=100
            )
    return result


def by_type(
    views: Sequence[StoredView], truth: Truth, values: Floats
) -> dict[str, dict[str, float]]:
    """Give the AUROC of each type of damage against sound views, and how many there are."""
    result = {}
    for kind in TYPES:
        wanted = np.array([any(d['type'] == kind for d in v.facts['damages']) for v in views], bool)
        rows = wanted | ~truth.damaged
        result[kind.name.lower()] = {
            'views': float(wanted.sum()),
            'auroc': auroc(wanted[rows], values[rows]),
        }
    return result


def fingerprint(values: Floats) -> str:
    """Give a digest of scores, so that two runs can be told to be the same."""
    return sha256(np.round(values, 4).tobytes())[:16]
