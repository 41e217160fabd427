"""Print what each part says on real sound faces and on dents and holes put into them.

Run `python test/helpers/network_on_real.py [WEIGHTS]` from the repository root. Nothing may be
chosen by these figures: the real frames are for measuring only.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from dent_table import _views, auroc, plane_fit  # noqa: E402
from real_faces import available  # noqa: E402

from damage_perception.network.network_settings import SHIPPED, NetworkSettings  # noqa: E402
from damage_perception.perception.evidence.assessor import Asked, Assessor, Memory  # noqa: E402
from damage_perception.perception.geometry.geometry import GeometrySettings, find_damage  # noqa: E402
from damage_perception.perception.view.item_view import ItemView  # noqa: E402

PARTS = ('plane fit', 'geometry', 'network', 'evidence')


def alone(view: ItemView) -> ItemView:
    """Blank what lies around a face: its outline was drawn by hand, its neighbours were not."""
    return replace(
        view,
        rgb=np.where(view.item_mask[..., None], view.rgb, np.uint8(0)),
        height_m=np.where(view.item_mask, view.height_m, np.float32(np.nan)),
        height_std_m=np.where(view.item_mask, view.height_std_m, np.float32(np.nan)),
        seen=view.seen & view.item_mask,
    )


def scores(assessor: Assessor, views: list[ItemView]) -> dict[str, list[float]]:
    """Give what each part says of each view."""
    said: dict[str, list[float]] = {part: [] for part in PARTS}
    for view in map(alone, views):
        memory = Memory()
        evidence = assessor.assess([Asked(view, view, (), memory)], GeometrySettings())[0]
        said['plane fit'].append(plane_fit(view))
        said['geometry'].append(find_damage(view).score)
        said['network'].append(memory.judgement.features['net_any'] if memory.judgement else 0.0)
        said['evidence'].append(evidence.score)
    return said


def main() -> None:
    """Print AUROC by damage and the highest sound scores, single frames."""
    if not available():
        sys.exit('the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA')
    weights = sys.argv[1] if len(sys.argv) > 1 else str(SHIPPED)
    assessor = Assessor(NetworkSettings(weights=weights, threads=1))
    sound, damages = _views(np.random.default_rng(0), 2, 1, 0.0)
    boxes, soft = scores(assessor, sound['box']), scores(assessor, sound['soft'])
    for kind, said in (('box tops', boxes), ('soft packs', soft)):
        for part in PARTS:
            print(f'{len(said[part])} sound {kind}, {part}: median {np.median(said[part]):.2f}, '
                  f'highest {max(said[part]):.2f}')  # fmt: skip
    print(f'{"AUROC":18}' + ''.join(f'{part:>11}' for part in PARTS) + '   beside boxes alone:')
    for name, views in damages.items():
        hurt = scores(assessor, views)
        every = [auroc(boxes[part] + soft[part], hurt[part]) for part in PARTS]
        alone = [auroc(boxes[part], hurt[part]) for part in PARTS]
        print(f'{name:18}' + ''.join(f'{value:11.3f}' for value in (*every, *alone)))


if __name__ == '__main__':
    main()
