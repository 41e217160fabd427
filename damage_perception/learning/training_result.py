"""What a training gave: evidence fitted, weights written, every held-out split measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from damage_perception.learning.augmentation import drop_colour, drop_depth
from damage_perception.learning.evidence_fit import Row, fit_evidence, item_row, view_rows
from damage_perception.learning.network_evaluation import (
    Floats,
    Judge,
    Scores,
    by_type,
    fingerprint,
    measure,
    score_views,
)
from damage_perception.learning.stored_view import StoredView
from damage_perception.learning.training_config import TrainingConfig
from damage_perception.learning.training_run import (
    BEST,
    CURVE,
    RESULT,
    WEIGHTS,
    Paths,
    read_split,
)
from damage_perception.learning.worst_views import write_worst
from damage_perception.network.backends import open_backend
from damage_perception.network.backends.torch_backend import load_network
from damage_perception.network.export import add_evidence, write_weights
from damage_perception.network.outputs import ANY
from damage_perception.network.weights import read_manifest
from damage_perception.perception.evidence import EvidenceModel
from damage_perception.synthesis.records import write_whole

REPORTED = ('shifted_val', 'test', 'shifted_test')
_ALARMS = 0.01  # share of sound views of `val` beyond the threshold that tags are counted at


def finish(config: TrainingConfig, paths: Paths) -> dict[str, Any]:
    """Export the best weights, fit the evidence on `val`, measure every other held-out split.

    How many trees the evidence has is chosen on `shifted_val`, as the weights were.
    """
    weights = paths.out / WEIGHTS
    write_weights(load_network(paths.out / BEST), weights, read_manifest(paths.out / BEST))
    judge = open_backend(weights).predict
    splits = {name: read_split(config, paths, name) for name in ('val', *REPORTED)}
    rows = {name: _Rows(views, judge) for name, views in splits.items()}
    model = _fit(rows, splits, config.seed)
    add_evidence(weights, model.names, model.trees.tensors())
    curve = json.loads((paths.out / CURVE).read_text())
    threshold = _threshold(rows['val'], splits['val'], model)
    result: dict[str, Any] = {'config': asdict(config), 'curve': curve,
                              'trees': len(model.trees.feature)}  # fmt: skip
    for name in REPORTED:
        result[name] = _measured(splits[name], rows[name], model, judge, threshold)
        worst = model.scores(rows[name].alone)
        write_worst(splits[name], worst, judge, paths.out / 'worst' / name)
    result['network_without'] = _ablations(splits['shifted_test'], judge)
    write_whole(paths.out / RESULT, json.dumps(result, indent=1).encode())
    return result


class _Rows:
    """Features of the views of a split, by what is known of them."""

    def __init__(self, views: Sequence[StoredView], judge: Judge) -> None:
        self.shape = [item_row(view) for view in views]
        self.alone = view_rows(views, judge, references=False)
        self.paired = view_rows(views, judge, references=True)
        self.colour = view_rows(views, judge, references=False, depth=False)


def _fit(rows: dict[str, _Rows], splits: dict[str, list[StoredView]], seed: int) -> EvidenceModel:
    learned, chosen = rows['val'], rows['shifted_val']
    everything = [*learned.shape, *learned.alone, *learned.paired, *learned.colour]
    choosing: list[Row] = [*chosen.alone, *chosen.paired]
    return fit_evidence(everything, splits['val'] * 4, choosing, splits['shifted_val'] * 2, seed)


def _threshold(rows: _Rows, views: Sequence[StoredView], model: EvidenceModel) -> float:
    sound = np.array([not view.damaged for view in views])
    return float(np.quantile(model.scores(rows.alone)[sound], 1.0 - _ALARMS))


def _measured(
    views: Sequence[StoredView], rows: _Rows, model: EvidenceModel, judge: Judge, threshold: float
) -> dict[str, Any]:
    """Measure each part and all together, on single frames of which `alone` has no reference."""
    scores = score_views(views, judge)
    rankings = {
        'geometry': scores.geometry,
        'network': np.array([row['net_any'] for row in rows.alone]),
        'network_reference': scores.network[:, ANY],
        'evidence_shape': model.scores(rows.shape),
        'evidence': model.scores(rows.alone),
        'evidence_reference': model.scores(rows.paired),
        'evidence_colour': model.scores(rows.colour),
    }
    single = np.array([view.facts['frames'] == 1.0 for view in views])
    found: dict[str, Any] = {
        'views': len(views),
        'damaged': int(scores.damaged.sum()),
        'major': int(scores.major.sum()),
        'fingerprint': fingerprint(scores),
        **{name: measure(scores, values) for name, values in rankings.items()},
        'single_frame': measure(scores.only(single), rankings['evidence'][single]),
        'types': {name: by_type(views, scores, values) for name, values in rankings.items()},
    }
    for name in ('evidence', 'evidence_reference'):
        found[f'alarms_{name}'] = _alarms(views, scores, rankings[name], threshold)
    return found


def _alarms(
    views: Sequence[StoredView], scores: Scores, values: Floats, threshold: float
) -> dict[str, Any]:
    """Give the share of sound views that alarm, of all and of those with each tag."""
    sound = ~scores.damaged
    alarmed = values >= threshold
    kinds = sorted({tag for view in views for tag in view.facts['tags']
                    if tag.startswith(('lookalike:', 'oddity:', 'family:'))})  # fmt: skip
    rates: dict[str, Any] = {'all': float(alarmed[sound].mean())}
    looks = np.array([any(t.startswith('lookalike:') for t in v.facts['tags']) for v in views])
    for name, rows in (('lookalikes', looks), ('others', ~looks)):
        rates[name] = {'views': int((sound & rows).sum()),
                       'alarms': int(alarmed[sound & rows].sum())}  # fmt: skip
    for kind in kinds:
        tagged = sound & np.array([kind in view.facts['tags'] for view in views])
        rates[kind] = {'views': int(tagged.sum()), 'alarms': int(alarmed[tagged].sum())}
    return rates


def _ablations(views: Sequence[StoredView], judge: Judge) -> dict[str, Any]:
    """Measure the network with a modality taken away; references where there are some."""
    from damage_perception.network.inputs import REFERENCE

    def drop_reference(channels: Any) -> None:
        channels[REFERENCE] = 0.0

    changes = {'nothing': None, 'colour': drop_colour, 'depth': drop_depth,
               'reference': drop_reference}  # fmt: skip
    result: dict[str, Any] = {}
    for name, change in changes.items():
        scores = score_views(views, judge, change)
        result[name] = measure(scores, scores.network[:, ANY], False)
    return result
