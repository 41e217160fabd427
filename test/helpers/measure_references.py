"""Measure what comparing with references tells, on rendered pairs; see `reference_places.py` too.

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
    """Features and milliseconds of rendered items and their references."""
    rows, spent = [], np.zeros(2)
    for index in range(items):
        sample = render_sample(spec, 7, index, references=references)
        found = labelled_view(sample)
        if found is None:
            continue
        view = found.view
        shown = [labelled_view(other) for other in sample.references]
        start = time.process_time()
        aligner = Aligner(view)
        fits = [aligner.bring(seen.view) for seen in shown if seen is not None]
        middle = time.process_time()
        compared = compare(view, [fit for fit in fits if fit is not None])
        spent += middle - start, time.process_time() - middle
        family = next(tag[7:] for tag in sample.tags if tag.startswith('family:'))
        if compared is not None:
            rows.append((*what_is_true(sample, found), compared.features, family))
    return rows, 1e3 * spent / items


def main(items: int, references: int) -> None:
    cv2.setNumThreads(1)
    rows, spent = measured(SynthesisSpec(copies=2), items, references)
    print('all products')
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
