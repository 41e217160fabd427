"""Measure how references are placed and what comparing with them tells, on rendered pairs.

python test/helpers/measure_references.py [ITEMS [REFERENCES]] prints the tables of
docs/references.md.
"""

from __future__ import annotations

import sys
import time
from collections import defaultdict

import cv2
import numpy as np

from damage_perception.perception.comparison.alignment import Aligner
from damage_perception.perception.comparison.comparison import COMPARISON_FEATURES, compare
from damage_perception.report import Severity
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.views import labelled_view

KINDS = ('crush', 'tear', 'hole', 'deconstruction', 'spill', 'missing_unit')
PRINTED = (
    'retail_carton', 'powder_bag', 'bottle', 'tin', 'jar', 'blister', 'multi_pack',
)  # fmt: skip


def true_warp(view, pose, reference, reference_pose, size):
    """Pixels of the view to pixels of the reference, by the poses that the engine drew."""
    corners = [(x * size[0], y * size[1], size[2], 1) for x in (-0.4, 0.4) for y in (-0.4, 0.4)]

    def pixels(of, at):
        points = (np.linalg.inv(of.to_camera) @ at @ np.array(corners).T)[:2].T / of.resolution_m
        return points + (np.array(of.item_mask.shape[::-1]) - 1) / 2

    here = np.column_stack([pixels(view, pose), np.ones(4)])
    return np.linalg.lstsq(here, pixels(reference, reference_pose), rcond=None)[0].T


def placed(view, warp, truth):
    """Turn off the truth in degrees, root mean square distance from it in mm over the item."""
    turn = warp[:, :2] @ np.linalg.inv(truth[:, :2])
    degrees = np.degrees(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]))
    rows, columns = np.nonzero(view.item_mask)
    off = (warp - truth) @ np.stack([columns, rows, np.ones(len(rows))])
    return abs(degrees), 1e3 * view.resolution_m * np.sqrt(np.mean(np.sum(off**2, axis=0)))


def what_is_true(sample, found):
    seen = [
        truth
        for mask, truth in zip(found.masks, found.damages, strict=True)
        if np.count_nonzero(mask) >= 12
    ]
    if seen:
        worst = max(seen, key=lambda truth: truth.severity)
        return worst.damage_type.name.lower(), worst.severity == Severity.MAJOR
    printed = any(tag.startswith('lookalike') for tag in sample.tags)
    return 'lookalike' if printed else 'sound', False


def auroc(sound, damaged):
    low, high = (np.array(values)[np.isfinite(values)] for values in (sound, damaged))
    if min(len(low), len(high)) < 5:
        return float('nan')
    above = (high[:, None] > low) + 0.5 * (high[:, None] == low)
    return float(above.mean())


def table(rows):
    of = defaultdict(list)
    for kind, major, features, *_ in rows:
        of[kind].append(features)
        if kind not in ('sound', 'lookalike'):
            of['any'].append(features)
            of['major'] += [features] * major
    sound = of['sound'] + of['lookalike']
    columns = (*KINDS, 'any', 'major')
    print('| feature |', ' | '.join(columns), '|')
    print('|---|' + '---|' * len(columns))
    for name in COMPARISON_FEATURES:
        values = [
            auroc([row[name] for row in sound], [row[name] for row in of[kind]]) for kind in columns
        ]
        print(f'| {name} |', ' | '.join(f'{value:.2f}' for value in values), '|')
    print(f'{len(sound)} sound (of them {len(of["lookalike"])} look-alikes);',
          ', '.join(f'{len(of[kind])} {kind}' for kind in columns), '\n', flush=True)  # fmt: skip


def measured(spec, items, references):
    """Features, places and milliseconds of rendered items and their references."""
    rows, places, spent = [], defaultdict(list), np.zeros(2)
    for index in range(items):
        sample = render_sample(spec, 7, index, references=references)
        found = labelled_view(sample)
        if found is None:
            continue
        view = found.view
        shown = [(other, labelled_view(other)) for other in sample.references]
        shown = [(other, seen.view) for other, seen in shown if seen is not None]
        start = time.process_time()
        aligner = Aligner(view)
        fits = [(other, there, aligner.bring(there)) for other, there in shown]
        middle = time.process_time()
        compared = compare(view, [fit for *_, fit in fits if fit is not None])
        spent += middle - start, time.process_time() - middle
        family = next(tag[7:] for tag in sample.tags if tag.startswith('family:'))
        for other, there, fit in fits:
            truth = true_warp(view, sample.pose, there, other.pose, sample.size)
            places[family].append(None if fit is None else placed(view, fit.warp, truth))
        if compared is not None:
            rows.append((*what_is_true(sample, found), compared.features, family))
    return rows, places, 1e3 * spent / items


def main(items: int, references: int) -> None:
    cv2.setNumThreads(1)
    rows, places, spent = measured(SynthesisSpec(copies=2), items, references)
    print('| family | pairs | no fit | other way round | median mm | 90 % mm |')
    print('|---|---|---|---|---|---|')
    for family, all_of in sorted(places.items()):
        fits = [place for place in all_of if place is not None]
        off = [mm for turn, mm in fits if turn < 20]
        middle, most = np.percentile(off, (50, 90)) if off else (np.nan, np.nan)
        print(f'| {family} | {len(all_of)} | {len(all_of) - len(fits)} | {len(fits) - len(off)} |',
              f'{middle:.1f} | {most:.1f} |')  # fmt: skip
    print('\nall products')
    table(rows)
    print('printed products')
    table([row for row in rows if row[3] in PRINTED])
    print('packs of units')
    packs = SynthesisSpec(
        copies=2, families=('blister', 'multi_pack'), damages=('missing_unit',), several=0.0
    )
    table(measured(packs, items // 3, references)[0])
    print(f'CPU an item: {spent[0]:.1f} ms to align, {spent[1]:.1f} ms to compare')


if __name__ == '__main__':
    main(*(int(word) for word in (sys.argv[1:] + ['300', '1'][len(sys.argv) - 1 :])))
