"""What a training gave: evidence fitted, weights written, every held-out split measured."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from damage_perception.learning.training.config import TrainingConfig
from damage_perception.learning.training.evidence_fit import fit_evidence
from damage_perception.learning.training.evidence_rows import Row, Rows, rows_of
from damage_perception.learning.training.network_evaluation import (
    Floats,
    Truth,
    by_type,
    fingerprint,
    measure,
)
from damage_perception.learning.training.run import (
    BEST,
    CURVE,
    RESULT,
    WEIGHTS,
    Paths,
    read_split,
)
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.learning.training.worst_views import write_worst
from damage_perception.network.backends import open_backend
from damage_perception.network.backends.torch_backend import load_network
from damage_perception.network.export import add_evidence, write_weights
from damage_perception.network.weights import read_manifest
from damage_perception.perception.evidence.evidence import EvidenceModel
from damage_perception.synthesis.records import write_whole

REPORTED = ('shifted_val', 'test', 'shifted_test')
_HIGHEST = 10.0  # geometry's significance is cut here: beyond, it is sure
_ALARMS = 0.01  # share of sound views of `val` beyond the threshold that tags are counted at


def finish(config: TrainingConfig, paths: Paths, workers: int = 1) -> dict[str, Any]:
    """Export the best weights, fit the evidence on `val`, measure every other held-out split.

    How many trees the evidence has is chosen on `shifted_val`, as the weights were.
    """
    weights = paths.out / WEIGHTS
    write_weights(load_network(paths.out / BEST), weights, read_manifest(paths.out / BEST))
    sets = config.view_sets(paths.cache)
    splits = {name: read_split(config, paths, name) for name in ('val', *REPORTED)}
    rows = {name: rows_of(*sets[name], weights, workers) for name in splits}
    model = _fit(rows, splits, config.seed)
    add_evidence(weights, model.names, model.trees.tensors())
    curve = json.loads((paths.out / CURVE).read_text())
    threshold = _threshold(rows['val'], splits['val'], model)
    result: dict[str, Any] = {'config': asdict(config), 'curve': curve,
                              'trees': len(model.trees.feature)}  # fmt: skip
    judge = open_backend(weights).predict
    for name in REPORTED:
        result[name] = _measured(splits[name], rows[name], model, threshold)
        write_worst(splits[name], model.scores(rows[name].alone), judge, paths.out / 'worst' / name)
    write_whole(paths.out / RESULT, json.dumps(result, indent=1).encode())
    return result


def _fit(rows: dict[str, Rows], splits: dict[str, list[StoredView]], seed: int) -> EvidenceModel:
    learned, chosen = rows['val'], rows['shifted_val']
    everything = [*learned.shape, *learned.alone, *learned.paired, *learned.colour]
    choosing = [*chosen.alone, *chosen.paired]
    return fit_evidence(everything, splits['val'] * 4, choosing, splits['shifted_val'] * 2, seed)


def _threshold(rows: Rows, views: Sequence[StoredView], model: EvidenceModel) -> float:
    sound = np.array([not view.damaged for view in views])
    return float(np.quantile(model.scores(rows.alone)[sound], 1.0 - _ALARMS))


def _measured(
    views: Sequence[StoredView], rows: Rows, model: EvidenceModel, threshold: float
) -> dict[str, Any]:
    """Measure each part and all together; `single_frame` is the evidence without reference."""
    truth = Truth.of(views)
    rankings = {
        'geometry': np.array([_significance(view) for view in views]),
        'network': _network(rows.alone),
        'network_without_depth': _network(rows.colour),
        'network_without_colour': _network(rows.colourless),
        'network_reference': _network(rows.paired),
        'evidence_shape': model.scores(rows.shape),
        'evidence_colour': model.scores(rows.colour),
        'evidence': model.scores(rows.alone),
        'evidence_reference': model.scores(rows.paired),
    }
    single = np.array([view.facts['frames'] == 1.0 for view in views])
    found: dict[str, Any] = {
        'views': len(views),
        'damaged': int(truth.damaged.sum()),
        'major': int(truth.major.sum()),
        'fingerprint': fingerprint(rankings['network_reference']),
        **{name: measure(truth, values) for name, values in rankings.items()},
        'single_frame': measure(truth.only(single), rankings['evidence'][single]),
        'types': {name: by_type(views, truth, values) for name, values in rankings.items()},
    }
    for name in ('evidence', 'evidence_reference'):
        found[f'alarms_{name}'] = _alarms(views, truth, rankings[name], threshold)
    return found


def _network(rows: Sequence[Row]) -> Floats:
    return np.array([row['net_any'] for row in rows])


def _significance(view: StoredView) -> float:
    told = view.facts['geometry']
    return 0.0 if told is None else min(told, _HIGHEST)


def _alarms(
    views: Sequence[StoredView], truth: Truth, values: Floats, threshold: float
) -> dict[str, Any]:
    """Give the share of sound views that alarm, of all and of those with each tag."""
    sound = ~truth.damaged
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
