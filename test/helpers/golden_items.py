"""Rendered items and what the shipped weights said of them, so that no backend drifts unseen.

Run `python test/helpers/golden_items.py` after new weights: it writes golden_items.json.
"""

from __future__ import annotations

import json
from pathlib import Path

from damage_perception.network.backends import open_backend
from damage_perception.network.judgement import judge_views
from damage_perception.network.network_settings import SHIPPED
from damage_perception.perception.comparison.alignment import bring_reference
from damage_perception.perception.evidence.evidence import load_evidence
from damage_perception.perception.evidence.item_features import item_features
from damage_perception.perception.geometry.geometry import find_damage
from damage_perception.perception.geometry.surface import own_relief
from damage_perception.perception.view.item_view import ItemView
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.views import labelled_view

GOLDEN = Path(__file__).with_suffix('.json')
_SEED, _COUNT = 78, 8


def golden_views() -> list[tuple[ItemView, ItemView | None]]:
    """Render the items; every second one comes with a reference."""
    views = []
    for index in range(_COUNT):
        sample = render_sample(SynthesisSpec(), _SEED, index, references=index % 2)
        found = labelled_view(sample)
        if found is None:
            continue
        other = labelled_view(sample.references[0]) if sample.references else None
        aligned = bring_reference(found.view, other.view) if other else None
        views.append((found.view, aligned.view if aligned else None))
    return views


def golden_scores(
    views: list[tuple[ItemView, ItemView | None]], backend: str, precision: str = 'fp32'
) -> list[dict[str, float]]:
    """Judge the views one by one: the network's score and that of the evidence."""
    network, model = open_backend(SHIPPED, backend, 1, precision), load_evidence(SHIPPED)
    scores = []
    for view, reference in views:
        said = judge_views(network, [view], [reference])[0]
        relief = own_relief(view)
        geometry = find_damage(view, relief=relief)
        evidence = model.weigh(view, geometry, item_features(view, relief, geometry), said)
        scores.append({'network': said.features['net_any'], 'evidence': evidence.score})
    return scores


if __name__ == '__main__':
    GOLDEN.write_text(json.dumps(golden_scores(golden_views(), 'torch'), indent=1))
