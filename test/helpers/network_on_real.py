"""Print what a network says on real sound faces and on dents and holes put into them.

Run `python test/helpers/network_on_real.py WEIGHTS` from the repository root. Nothing may be
chosen by these figures: the real frames are for measuring only.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from dent_table import _views, auroc  # noqa: E402
from real_faces import available  # noqa: E402

from damage_perception.network.backends import Backend, open_backend  # noqa: E402
from damage_perception.network.judgement import judge_views  # noqa: E402
from damage_perception.perception.geometry import find_damage  # noqa: E402
from damage_perception.perception.item_view import ItemView  # noqa: E402


def scores(backend: Backend, views: list[ItemView]) -> tuple[list[float], list[float]]:
    """Give the significance of geometry and the network's logit of each view."""
    return (
        [find_damage(view).score for view in views],
        [judge_views(backend, [view])[0].score for view in views],
    )


def main() -> None:
    """Print AUROC by damage and the highest sound scores, single frames."""
    if not available():
        sys.exit('the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA')
    backend = open_backend(Path(sys.argv[1]), 'auto', 1)
    sound, damages = _views(np.random.default_rng(0), 2, 1, 0.0)
    boxes, soft = scores(backend, sound['box']), scores(backend, sound['soft'])
    print(f'sound: {len(boxes[1])} box tops, {len(soft[1])} soft packs; network logits')
    for name, values in (('boxes', boxes[1]), ('soft', soft[1])):
        print(f'  {name}: median {np.median(values):.2f}, highest {max(values):.2f}')
    print(f'{"":18}{"geometry":>10}{"network":>10}{"boxes only":>12}{"":>10}')
    for name, views in damages.items():
        geometry, network = scores(backend, views)
        print(
            f'{name:18}{auroc(boxes[0] + soft[0], geometry):10.3f}'
            f'{auroc(boxes[1] + soft[1], network):10.3f}'
            f'{auroc(boxes[0], geometry):12.3f}{auroc(boxes[1], network):10.3f}'
        )


if __name__ == '__main__':
    main()
