"""Dents and holes put into whole real frames and judged by the whole pipeline: verdicts by size.

    python test/helpers/pipeline_dents.py

Beside `dent_table.py`, which judges faces outlined by hand, this shows what finding and splitting
the items costs. One frame each; the belt is known from sound frames before.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import real_dents
import real_faces

from damage_perception.frame import CameraIntrinsics, RgbdFrame
from damage_perception.perception.decision.decision import DecisionMaker
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport, Verdict

CAMERA = CameraIntrinsics(1280, 720, real_faces.FX, real_faces.FY, real_faces.CX, real_faces.CY)
BELT_FRAMES = (0, 4, 10, 16, 18)
# Box tops that lie wholly inside the region of interest.
FACES = tuple(face for face in real_faces.BOXES if min(x for x, _ in face.corners) >= 562)
KINDS = (
    (0.0, ''),
    (0.008, ''),
    (0.012, ''),
    (0.020, ''),
    (0.030, ''),
    (0.0, 'deep'),
    (0.0, 'lost'),
)


def judge(rgb: np.ndarray, depth_m: np.ndarray) -> tuple[DamageReport, DecisionMaker]:
    """Judge one frame after the belt was learnt from sound ones."""
    pipeline = DamagePipeline()
    for number, frame in enumerate(BELT_FRAMES):
        sound_rgb, sound_depth = real_faces.load(frame)
        pipeline.process(RgbdFrame(sound_rgb, sound_depth, CAMERA, number + 1))
    maker = DecisionMaker()
    depth = np.asarray(depth_m, np.float32)
    report = pipeline.process(RgbdFrame(rgb, depth, CAMERA, 60_000_000_000))
    maker.update(report)
    return report, maker


def verdict(face: real_faces.Face, dent: real_dents.Dent | None) -> Verdict | None:
    """Give the verdict on the item in the middle of a face; None if no item is found there."""
    sound = dent is None
    frame = real_faces.load(face.frame) if sound else real_dents.damaged_frame(face, dent)
    report, maker = judge(*frame)
    u, v = np.mean(face.corners, axis=0).astype(int)
    here = {
        item.track_id
        for item in report.items
        if item.roi.x <= u < item.roi.x + item.roi.width
        and item.roi.y <= v < item.roi.y + item.roi.height
        and item.mask[v - item.roi.y, u - item.roi.x]
    }
    return next((d.decision for d in maker.flush() if d.track_id in here), None)


def count(depth_m: float, hole: str, places: int = 2) -> Counter[str]:
    """Count the verdicts over all faces and some places on each."""
    verdicts: Counter[str] = Counter()
    for number, face in enumerate(FACES):
        view = real_faces.build_view(face)
        for place in range(places if depth_m or hole else 1):
            rng = np.random.default_rng([number, place])
            dent = real_dents.random_dent(view, rng, depth_m, hole) if depth_m or hole else None
            found = verdict(face, dent)
            verdicts[found.name if found is not None else 'not found'] += 1
    return verdicts


def main() -> None:
    """Print the table."""
    names = ('DIVERT', 'UNKNOWN', 'PASS', 'not found')
    print(f'{len(FACES)} box tops | ' + ' | '.join(names))
    for depth_m, hole in KINDS:
        verdicts = count(depth_m, hole)
        kind = f'hole, {hole}' if hole else f'{depth_m * 1e3:.0f} mm' if depth_m else 'sound'
        shares = (f'{verdicts[name] / verdicts.total():.0%}' for name in names)
        print(f'{kind} | ' + ' | '.join(shares))


if __name__ == '__main__':
    main()
