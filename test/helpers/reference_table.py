"""What references are worth: the table of docs/references.md, from rendered sets.

    python test/helpers/reference_table.py OUT [--items 400]

Renders four sets into OUT and judges them as `evaluate` does, with the shipped weights and
calibration, without and with references; what is there already is kept, so delete OUT/*.jsonl
after a change. `evaluate` takes the same files, as for pictures of what references change most:

    damage-perception evaluate --dataset rgbd-coco:OUT/general --references off \
        --predictions OUT/general_off.jsonl --metrics OUT/off.json
    damage-perception evaluate --dataset rgbd-coco:OUT/general --references on \
        --predictions OUT/general_on.jsonl --metrics OUT/on.json --against OUT/off.json \
        --html OUT/on.html

Of each product three references are used, and a person has seen that they are sound. In the set
`spoilt` a tenth of the products has damaged ones and a tenth those of another print, and only
what the gallery puts aside by itself is missing.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from damage_perception.errors import UserError
from damage_perception.frame import ItemIdentity, RgbdFrame
from damage_perception.learning.metrics.outcomes import Outcomes, join
from damage_perception.learning.metrics.ranking import auroc, bootstrap_interval
from damage_perception.learning.metrics.ranking import recall_at_false_alarms as recall
from damage_perception.learning.predictions.evaluation import predict_all
from damage_perception.learning.predictions.prediction_file import read_predictions
from damage_perception.learning.predictions.predictor import pipeline_predictor
from damage_perception.learning.predictions.reference_views import reference_views
from damage_perception.learning.readers import open_dataset
from damage_perception.perception.comparison.fixed_references import FixedReferences
from damage_perception.perception.gallery.hygiene import unlike_siblings
from damage_perception.perception.gallery.soundness import doubt_about
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageType, Status
from damage_perception.settings import Settings
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.writer import Job, finish, open_folder, write_items

PRISTINE = SynthesisSpec(references=(3, 3), bad_references=0.0, old_references=0.0)
SPOILT = replace(PRISTINE, bad_references=0.1, old_references=0.1)
PACKS = replace(
    PRISTINE, families=('blister', 'multi_pack'), damages=('missing_unit',), several=0.0
)
SEED = 41001
OLD, DAMAGED = 'reference:old_design', 'reference:damaged'
PASSING = 8  # items of a product with outdated references that are shown after each other


def make(out: Path, name: str, spec: SynthesisSpec, seed: int, items: int) -> Path:
    """Render a set, or go on with it."""
    job = Job(out / name, spec, seed, items)
    open_folder(job, resume=True)
    for _ in write_items(job):
        pass
    finish(job)
    return job.folder


def keep_lookalikes(folder: Path) -> None:
    """Take what has no print that looks like damage out of a set."""
    path = folder / 'dataset.json'
    data = json.loads(path.read_text())
    data['images'] = [i for i in data['images'] if 'lookalike:' in str(i['tags'])]
    kept = {image['id'] for image in data['images']}
    data['annotations'] = [a for a in data['annotations'] if a['image_id'] in kept]
    path.write_text(json.dumps(data))


def judged(folder: Path, references: bool) -> Outcomes:
    """Judge a set, or read what was said of it."""
    path = folder.with_name(f'{folder.name}_{"on" if references else "off"}.jsonl')
    samples = open_dataset(f'rgbd-coco:{folder}')
    if path.exists():
        said = read_predictions(path)
    else:
        said = predict_all(samples, pipeline_predictor(references), path)
    for detector in {one.detector for one in said.values() if one.detector}:
        DamagePipeline().calibration.check_detector(detector, str(path))
    return join(samples, said)


def of_type(outcomes: Outcomes, *kinds: DamageType) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the rows of these damages and of sound items, which are damaged, and their scores."""
    shown = [any(d.damage_type in kinds for d in s.damages) for s in outcomes.samples]
    rows = np.array(shown) | (~outcomes.damaged & ~outcomes.unknown)
    return rows, np.array(shown)[rows], np.where(outcomes.unknown, -1.0, outcomes.score)[rows]


def print_alarms(off: Outcomes, on: Outcomes) -> None:
    calibration = DamagePipeline().calibration
    points = {p.budget: p.threshold for p in (calibration.point, *calibration.points)}
    for budget, threshold in sorted(points.items()):
        cells = []
        for run in (off, on):
            sound = ~run.damaged & ~run.unknown
            cells.append(f'{int((run.score[sound] >= threshold).sum())} of {int(sound.sum())}')
        name = f'alarms on look-alikes, P {threshold:.2g} (budget {budget:.1%})'
        shipped = ', shipped' * (budget == calibration.point.budget)
        print(f'| {name}{shipped} | {" | ".join(cells)} |')


def print_missing(off: Outcomes, on: Outcomes) -> None:
    cells = []
    for run in (off, on):
        _, damaged, score = of_type(run, DamageType.MISSING_UNIT)
        cells.append(f'{recall(damaged, score, 0.01):.2f}, {auroc(damaged, score):.3f}')
    print(f'| missing unit, recall at 1 % false alarms, AUROC ({damaged.sum()} of '
          f'{len(damaged)}) | {" | ".join(cells)} |')  # fmt: skip


def print_types(off: Outcomes, on: Outcomes) -> None:
    kinds = [kind for kind in DamageType if kind not in (0, DamageType.MISSING_UNIT)]
    for name, group in [(k.name.lower(), (k,)) for k in kinds] + [('all these', tuple(kinds))]:
        cells = []
        for run in (off, on):
            _, damaged, score = of_type(run, *group)
            cells.append(f'{auroc(damaged, score):.3f}, {recall(damaged, score, 0.001):.2f}')
        if damaged.any():
            print(f'| {name} ({damaged.sum()}): AUROC, recall at 0.1 % of '
                  f'{np.sum(~damaged)} sound items | {" | ".join(cells)} |')  # fmt: skip
    print(f'| all these: what references add to AUROC | | {gained(off, on, tuple(kinds))} |')


def gained(one: Outcomes, two: Outcomes, kinds: tuple[DamageType, ...]) -> str:
    """Give the gain of AUROC from one run to another of the same images, with its 95 % interval."""
    known = ~one.unknown & ~two.unknown
    rows = known & (~one.damaged | of_type(one, *kinds)[0])
    pairs = np.flatnonzero(rows).astype(np.float64)

    def gain(damaged, index):
        return float(np.subtract(*(auroc(damaged, r.score[index.astype(int)]) for r in (two, one))))

    _, product = np.unique([one.samples[int(i)].sku for i in pairs], return_inverse=True)
    low, high = bootstrap_interval(gain, one.damaged[rows], pairs, product)
    return f'{gain(one.damaged[rows], pairs):+.3f} ({low:+.3f} to {high:+.3f})'


def doubted(samples: list) -> dict[str, list[bool]]:
    """Tell of the references of each product which the gallery puts aside, in their order."""
    found: dict[str, list[bool]] = {}
    for sample in samples:
        if sample.sku in found:
            continue
        used: list = []
        found[sample.sku] = []
        for picture in sample.references:
            (view,) = reference_views(replace(sample, references=(picture,))) or [None]
            aside = view is None or bool(
                doubt_about(view, Settings()) or unlike_siblings(view, used)
            )
            found[sample.sku].append(aside)
            used += [] if aside else [view]
    return found


def seems_outdated(sample, number: int) -> bool:
    """Show items of a product one after the other; tell whether a new design is suspected."""
    spec = replace(SPOILT, damaged=0.0, neighbours=0.0, truncated=0.0, copies=PASSING)
    known = FixedReferences(reference_views(sample), sample.sku)
    pipeline = DamagePipeline(references=known, only_look=True)
    for k in range(PASSING):
        shown = render_sample(spec, SEED, number * PASSING + k, references=0)
        pipeline.reset()
        frame = RgbdFrame(
            shown.rgb, shown.depth_m, shown.camera, k + 1, identity=ItemIdentity(sample.sku)
        )
        if any(item.status & Status.REFERENCE_SUSPECT for item in pipeline.process(frame).items):
            return True
    return False


def print_spoilt(folder: Path, off: Outcomes, on: Outcomes) -> None:
    data = json.loads((folder / 'dataset.json').read_text())
    flaws: dict[str, list[str]] = {}
    for entry in data['references']:
        flaws.setdefault(entry['sku'], []).append(str(entry['tags']))
    samples = open_dataset(f'rgbd-coco:{folder}')
    spoilt = [s for s in samples if 'reference:' in str(flaws[s.sku])]
    aside = doubted(spoilt)
    path = folder.with_name('spoilt_on.jsonl')
    if not path.exists():
        kept = [
            replace(
                s,
                references=tuple(
                    r for r, a in zip(s.references, aside[s.sku], strict=True) if not a
                ),
            )
            for s in spoilt
        ]
        predict_all(kept, pipeline_predictor(True), path)
    said = dict(zip([s.image_id for s in on.samples], on.predictions, strict=True))
    worse = join(samples, said | read_predictions(path))
    kinds = tuple(DamageType)
    print(f'| AUROC of all damage | {auroc(*of_type(off, *kinds)[1:]):.3f} | '
          f'{auroc(*of_type(on, *kinds)[1:]):.3f} |')  # fmt: skip
    cells = f'{auroc(*of_type(worse, *kinds)[1:]):.3f}, {gained(on, worse, kinds)}'
    spoiled = f'{len(aside)} of {len(flaws)} products with damaged or outdated references'
    print(f'| the same, {spoiled} | | {cells} |')
    damaged = [a for s in aside for a, f in zip(aside[s], flaws[s], strict=True) if DAMAGED in f]
    print(f'| damaged references put aside | | {sum(damaged)} of {len(damaged)} |')
    numbers = {s.sku: (s.image_id - 1) // SPOILT.copies for s in spoilt}
    old = {s.sku: s for s in spoilt if OLD in str(flaws[s.sku])}
    told = sum(seems_outdated(s, numbers[sku]) for sku, s in old.items())
    print(f'| products with outdated references told within {PASSING} items | | '
          f'{told} of {len(old)} |')  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--items', type=int, default=400)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    items = given.items
    general = make(given.out, 'general', PRISTINE, SEED, items)
    packs = make(given.out, 'packs', PACKS, SEED + 1, items // 2)
    alike = make(given.out, 'alike', replace(PRISTINE, damaged=0.0), SEED + 2, 2 * items)
    keep_lookalikes(alike)
    spoilt = make(given.out, 'spoilt', SPOILT, SEED, items)
    print('| measure | without references | with three |')
    print('|---|---|---|')
    for folder, show in ((alike, print_alarms), (packs, print_missing), (general, print_types)):
        show(judged(folder, False), judged(folder, True))
    print_spoilt(spoilt, judged(general, False), judged(general, True))


if __name__ == '__main__':
    try:
        main()
    except UserError as error:
        raise SystemExit(str(error)) from None
