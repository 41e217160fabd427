"""The model card, written from what was measured, so that no figure is copied by hand.

python -m damage_perception.learning.training.model_card docs/training_result.json \
        docs/pictures_test.json docs/pictures_shifted_test.json > docs/model_card.md
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from damage_perception.network.network_settings import SHIPPED
from damage_perception.network.weights import Manifest, read_manifest

SPLITS = {'test': 'held-out products', 'shifted_test': 'shifted: other sizes, prints, sensors'}
PARTS = {
    'geometry': 'geometry alone',
    'network': 'network alone',
    'network_reference': 'network with a reference',
    'evidence_shape': 'evidence without the network',
    'evidence_colour': 'evidence without depth',
    'evidence': '**evidence** (geometry + network)',
    'evidence_reference': '**evidence with a reference**',
}
PICTURES = {  # what the sets are made by that `evaluate` measured
    'test': 'damage-perception synthesize --out D --items 1000 --seed 51001',
    'shifted_test': 'damage-perception synthesize --out D --items 600 --seed 51002 '
    '--split-family shifted',
}
_FROM_PICTURES = """\
The same by `damage-perception evaluate --dataset rgbd-coco:D --metrics m.json`: here items are
found and outlined too, what is not found ranks last, and damage that no view shows, on side walls
or under a neighbour, counts as missed. Sets of other seeds should lie within the intervals.
"""
_CANNOT = """\
- Everything it learned from was rendered. On real frames it was only ever tested, see the README.
- Faces that the camera sees at a slant, side walls and undersides: not judged.
- Wet on dark or busy prints, peels below a millimetre, leaks that barely show beside an item.
- A finger hole that is no damage is told from a puncture only with a reference of the product.
- A missing unit is a guess without a reference.
- Photographs without depth: it was trained on square views; walls seen at a slant alarm it.
"""


def model_card(
    result: dict[str, Any], manifest: Manifest, pictures: dict[str, dict[str, Any]]
) -> str:
    """Give the card as Markdown.

    Args:
        result: what `train` measured on views.
        manifest: that of the weights.
        pictures: what `evaluate` measured on a set of each split.
    """
    return '\n'.join([
        '# Model card', '', *_origin(result, manifest), '', '## What it reaches', '',
        'Views of items that no training saw; AUROC, recall at 1 % false alarms of major damage,',
        'AUROC of any damage. Recall is a point of the curve of the very split, not what a station',
        'sees at a threshold from elsewhere.', '', *_parts(result), '', '## By type of damage', '',
        'AUROC against all sound views, `shifted_test`.', '', *_types(result['shifted_test']), '',
        '## False alarms', '', *_alarms(result), '', '## From pictures', '',
        _FROM_PICTURES, *_pictures(pictures), '', '## What it cannot see', '', _CANNOT,
    ])  # fmt: skip


def _origin(result: dict[str, Any], manifest: Manifest) -> list[str]:
    config = result['config']
    before = manifest.samples - config['samples']
    began = f'It began with weights that had seen {before:,} of them (training.md).'
    return [
        f'Made by `{manifest.command}` at commit `{manifest.commit[:12]}`, seed {manifest.seed};',
        f'weights after {manifest.samples:,} patches, the best on the shifted validation split.',
        *([began] if before else []),
        f'Rendered for it: {config["train_items"]:,} items alone and {_paired(config):,} with',
        f'a reference to learn from, {config["evidence_items"]:,} others to fit the evidence on',
        f'({result["trees"]} trees), {config["validation_items"]:,} shifted ones to choose by,',
        f'{config["test_items"]:,} of each split to measure on. Nothing pretrained, no photos.',
    ]


def _paired(config: dict[str, Any]) -> int:
    return int(config['pair_items'] + config.get('rare_items', 0))


def _parts(result: dict[str, Any]) -> list[str]:
    rows = ['| split | by | AUROC major | recall at 1 % | AUROC any |', '|---|---|---|---|---|']
    for split, meaning in SPLITS.items():
        found = result[split]
        for part, name in PARTS.items():
            rows.append(_row(split, name, found[part]))
        rows.append(_row(split, 'evidence, single frames only', found['single_frame']))
        rows.append(f'| {split} | {meaning}: {found["views"]} views, {found["major"]} with major '
                    'damage | | | |')  # fmt: skip
    return rows


def _pictures(pictures: dict[str, dict[str, Any]]) -> list[str]:
    rows = ['| set | items, with major damage | AUROC major | recall at 1 % | AUROC any |'
            ' not found |',
            '|---|---|---|---|---|---|']  # fmt: skip
    for split, command in PICTURES.items():
        found = pictures[split]
        auroc, recall = (
            f'{found[name]:.3f} ({low:.2f} to {high:.2f})'
            for name in ('auroc_major', 'roc_recall_at_1pct_major')
            for low, high in (found['intervals'][name],)
        )
        outcomes = found['outcomes']
        missed = sum(outcomes[name]['missed'] for name in ('sound', 'damaged'))
        rows.append(
            f'| `{command}` | {found["images"]}, {outcomes["major"]["images"]} | {auroc} | '
            f'{recall} | {found["auroc_any"]:.3f} | {missed} |'
        )
    return rows


def _row(split: str, name: str, found: dict[str, Any]) -> str:
    low, high = found['auroc_major_interval']
    return (
        f'| {split} | {name} | {found["auroc_major"]:.3f} ({low:.2f} to {high:.2f}) | '
        f'{found["recall_at_1pct_major"]:.2f} | {found["auroc_any"]:.3f} |'
    )


def _types(found: dict[str, Any]) -> list[str]:
    kinds = list(found['types']['evidence'])
    rows = ['| by | ' + ' | '.join(kind.replace('_', ' ') for kind in kinds) + ' |',
            '|---' * (len(kinds) + 1) + '|']  # fmt: skip
    counts = [f'{found["types"]["evidence"][kind]["views"]:.0f}' for kind in kinds]
    rows.append('| views | ' + ' | '.join(counts) + ' |')
    for part, name in PARTS.items():
        values = [f'{found["types"][part][kind]["auroc"]:.2f}' for kind in kinds]
        rows.append(f'| {name} | ' + ' | '.join(values) + ' |')
    return rows


def _alarms(result: dict[str, Any]) -> list[str]:
    rows = ['Sound views beyond the threshold that 1 % of the sound views of `val` reach.', '',
            '| split | reference | all | prints that look like damage | others |',
            '|---|---|---|---|---|']  # fmt: skip
    for split in SPLITS:
        for part, name in (('evidence', 'none'), ('evidence_reference', 'one')):
            rates = result[split][f'alarms_{part}']
            looks, others = rates['lookalikes'], rates['others']
            rows.append(
                f'| {split} | {name} | {rates["all"]:.1%} | {looks["alarms"]} of '
                f'{looks["views"]} | {others["alarms"]} of {others["views"]} |'
            )
    return rows


def main(arguments: Sequence[str]) -> None:
    """Print the card of the shipped weights."""
    result, *pictures = (json.loads(Path(name).read_text()) for name in arguments)
    named = dict(zip(PICTURES, pictures, strict=True))
    print(model_card(result, read_manifest(SHIPPED), named), end='')


if __name__ == '__main__':
    main(sys.argv[1:])
