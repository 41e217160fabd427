"""Print how surely dents and holes put into real faces are found.

Run `python test/helpers/dent_table.py` from the repository root; `--json` for programs.

Sound: all 22 box tops and 19 soft packs of the real frames, as they are (one frame) or several
times with the real noise of other box tops (ten frames). Damaged: the box tops, four places each.
The threshold of 1 % false alarms is the 99th percentile of all sound scores: of 41 faces that is
all but the worst one. Beside it the field's plain way: a least-squares plane, 99th percentile of
depth below it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parents[2])]

from real_dents import damaged, fused, random_dent, redrawn  # noqa: E402
from real_faces import BOXES, SOFT, available, build_view  # noqa: E402

from damage_perception.perception.geometry.geometry import find_damage  # noqa: E402
from damage_perception.perception.view.item_view import ItemView  # noqa: E402

DEPTHS_M = (0.008, 0.012, 0.020, 0.030)
HOLES = ('deep', 'lost')


def plane_fit(view: ItemView) -> float:
    """Score a view by the plain plane fit: 99th percentile of depth below the plane, metres."""
    use = view.item_mask & np.isfinite(view.height_m)
    rows, cols = np.nonzero(use)
    design = np.stack([cols, rows, np.ones_like(rows)], axis=1).astype(np.float64)
    height = view.height_m[use].astype(np.float64)
    terms = np.linalg.lstsq(design, height, rcond=None)[0]
    return float(np.percentile(design @ terms - height, 99))


def auroc(negative: list[float], positive: list[float]) -> float:
    """Give the chance that a positive scores above a negative; ties count half."""
    a, b = np.asarray(negative)[:, None], np.asarray(positive)[None, :]
    return float(np.mean((b > a) + 0.5 * (b == a)))


def scores(views: list[ItemView]) -> dict[str, list[float]]:
    """Score views by geometry and by the plain plane fit."""
    return {
        'geometry': [find_damage(view).score for view in views],
        'plane fit': [plane_fit(view) for view in views],
    }


CASES = {'1 frame': (1, 0.0), '10 frames': (10, 0.0), '10 frames, half stays': (10, 0.5)}


def measure(placements: int, seed: int = 0) -> dict[str, dict[str, dict[str, float]]]:
    """Give, by frames, detector and damage: AUROC and detection rate at 1 % false alarms.

    `auroc_boxes` leaves the soft packs out of the negatives, on which a plane cannot fit.
    """
    table: dict[str, dict[str, dict[str, float]]] = {}
    for case, (count, stays) in CASES.items():
        rng = np.random.default_rng(seed)
        sound, damages = _views(rng, placements, count, stays)
        boxes = scores(sound['box'])
        soft = scores(sound['soft'])
        for name, views in damages.items():
            for way, positive in scores(views).items():
                negative = boxes[way] + soft[way]
                limit = float(np.percentile(negative, 99))
                table.setdefault(f'{case}, {way}', {})[name] = {
                    'auroc': auroc(negative, positive),
                    'auroc_boxes': auroc(boxes[way], positive),
                    'rate': float(np.mean(np.asarray(positive) > limit)),
                    'positives': float(len(positive)),
                    'negatives': float(len(negative)),
                    'worst_sound': float(max(negative)),
                }
    return table


def _views(
    rng: np.random.Generator, placements: int, count: int, stays: float
) -> tuple[dict[str, list[ItemView]], dict[str, list[ItemView]]]:
    """Give sound views by kind of face, and damaged views by damage."""
    sound: dict[str, list[ItemView]] = {'box': [], 'soft': []}
    damages: dict[str, list[ItemView]] = {}
    for face in (*BOXES, *SOFT):
        view = build_view(face)
        if count == 1:
            sound[face.kind].append(view)
        for _ in range(placements):
            frames = [view, *redrawn(face, view, rng, count - 1, stays)]
            if count > 1:
                sound[face.kind].append(fused(frames))
            if face.kind != 'box':
                continue
            dents = {f'dent {d * 1000:.0f} mm': random_dent(view, rng, d) for d in DEPTHS_M}
            dents |= {f'hole 20 mm {h}': random_dent(view, rng, 0.06, h) for h in HOLES}
            for name, dent in dents.items():
                hurt = [damaged(frame, dent) for frame in frames[:count]]
                damages.setdefault(name, []).append(fused(hurt) if count > 1 else hurt[0])
    return sound, damages


def main() -> None:
    """Print the table, or JSON with --json."""
    if not available():
        sys.exit('the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA')
    table = measure(placements=4)
    if '--json' in sys.argv:
        print(json.dumps(table))
        return
    for row, cells in table.items():
        first = next(iter(cells.values()))
        print(
            f'\n{row} ({first["positives"]:.0f} damaged of a kind, '
            f'{first["negatives"]:.0f} sound, worst {first["worst_sound"]:.3g})'
        )
        print(f'{"":18}{"AUROC":>8}{"boxes":>8}{"rate at 1 %":>14}')
        for name, cell in cells.items():
            print(f'{name:18}{cell["auroc"]:8.3f}{cell["auroc_boxes"]:8.3f}{cell["rate"]:14.2f}')


if __name__ == '__main__':
    main()
