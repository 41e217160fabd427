"""How surely major dents are found in views of one picture and of several fused ones.

    python test/helpers/fused_views.py CACHE [WEIGHTS] [--config config/training/default.yaml]

The held-out views of a training (`damage-perception train ... --cache CACHE` renders them; a fifth
is fused of two to six pictures) are judged without a reference: those that are sound or have major
dents, of one picture every third. Other views in each row, so there are more items than in
`fused_recall.py` and no pairs. The threshold is that which 5 % of the sound views of one picture
reach; false alarms on fused ones stand beside.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from damage_perception.learning.metrics.ranking import auroc
from damage_perception.learning.training.config import read_config
from damage_perception.learning.training.evidence_rows import item_row
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.learning.training.view_store import read_views
from damage_perception.network.backends import Backend, open_backend
from damage_perception.network.inputs import REFERENCE, pad
from damage_perception.network.network_settings import NetworkSettings
from damage_perception.network.view_features import channel_features, network_features
from damage_perception.perception.evidence.evidence import EvidenceModel, load_evidence
from damage_perception.report import DamageType

SPLITS = ('shifted_test', 'test', 'shifted_val')
ROWS = {'1': (1, 1), '2 or 3': (2, 3), '4 to 6': (4, 6)}
DEPTHS_MM = {'all': (0.0, 1e3), 'below 20 mm': (0.0, 20.0), '20 mm and more': (20.0, 1e3)}
FALSE_ALARMS = 0.05


@dataclass(frozen=True)
class Judged:
    """One view; `depth_mm` is that of its deepest major dent, 0 = sound."""

    frames: float
    depth_mm: float
    geometry: float
    score: float


def judge(view: StoredView, backend: Backend, model: EvidenceModel) -> Judged:
    """Judge a view as if no reference were known."""
    channels = view.channels()
    channels[REFERENCE] = 0.0
    seen = {k: v for k, v in channel_features(channels).items() if 'reference' not in k}
    out = backend.predict(pad(channels)[None])
    said = network_features(out.maps[0], out.scores[0], channels)
    score = float(model.scores([item_row(view) | seen | said])[0])
    depths = [d['depth_mm'] for d in view.facts['damages'] if d['major']]
    geometry = view.facts['geometry']
    known = np.nan if geometry is None else float(geometry)
    return Judged(view.facts['frames'], max(map(abs, depths), default=0.0), known, score)


def wanted(views: Sequence[StoredView]) -> Iterator[StoredView]:
    """Give the views that are sound or have a major dent, of those of one picture every third."""
    singles = 0
    for view in views:
        damages = view.facts['damages']
        if damages and not any(d['major'] and d['type'] == DamageType.CRUSH for d in damages):
            continue
        singles += view.facts['frames'] == 1
        if view.facts['frames'] > 1 or singles % 3 == 0:
            yield view


def table(judged: Sequence[Judged]) -> str:
    """Write a row a depth and number of pictures."""
    single = [each.score for each in judged if each.frames == 1 and not each.depth_mm]
    limit = float(np.quantile(single, 1.0 - FALSE_ALARMS))
    lines = [
        '| major dents | pictures | sound, dented | AUROC | geometry | found | false alarms |',
        '|---|---|---|---|---|---|---|',
    ]
    for name, (low, high) in DEPTHS_MM.items():
        for pictures, (fewest, most) in ROWS.items():
            row = [each for each in judged if fewest <= each.frames <= most]
            sound = [each for each in row if not each.depth_mm]
            dented = [each for each in row if each.depth_mm and low <= each.depth_mm < high]
            truth = np.array([False] * len(sound) + [True] * len(dented))
            scores, geometry = (
                np.nan_to_num([getattr(each, part) for each in (*sound, *dented)])
                for part in ('score', 'geometry')
            )
            found, alarms = np.mean(scores[truth] > limit), np.mean(scores[~truth] > limit)
            lines.append(
                f'| {name} | {pictures} | {len(sound)}, {len(dented)} | {auroc(truth, scores):.3f} '
                f'| {auroc(truth, geometry):.3f} | {found:.2f} | {alarms:.3f} |'
            )
    return '\n'.join(lines)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('cache', type=Path)
    parser.add_argument('weights', type=Path, nargs='?', default=NetworkSettings().folder)
    parser.add_argument('--config', type=Path, default=Path('config/training/default.yaml'))
    given = parser.parse_args()
    cv2.setNumThreads(1)
    backend, model = open_backend(given.weights, 'auto', 1), load_evidence(given.weights)
    sets = read_config(given.config).view_sets(given.cache)
    judged = [
        judge(view, backend, model) for split in SPLITS for view in wanted(read_views(*sets[split]))
    ]
    print(table(judged))


if __name__ == '__main__':
    main()
