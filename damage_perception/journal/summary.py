"""What a journal tells: rates, diverts that were right, misses, by type and product."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from damage_perception.journal.entries import Entry
from damage_perception.proportions import interval
from damage_perception.report import Verdict


def summarise(entries: Sequence[Entry]) -> dict[str, Any]:
    """Give the figures of all decisions and of each group.

    A share has a two-sided 95 % interval (Clopper-Pearson). Precision and misses hold for what
    people reviewed; they stand for the rest only where the reviewed items were picked by chance.

    Returns:
        Figures of all; `by_type` by what a person said that it was, else by the most confident
        damage found; `by_sku` by product, '' = unknown.
    """
    return {
        **_figures(entries),
        'by_type': {key: _figures(group) for key, group in _grouped(entries, _type_of).items()},
        'by_sku': {
            key: _figures(group) for key, group in _grouped(entries, lambda e: e['sku']).items()
        },
    }


def _figures(entries: Sequence[Entry]) -> dict[str, Any]:
    names = [verdict.name for verdict in Verdict]
    counts = {name: sum(entry['decision'] == name for entry in entries) for name in names}
    diverted = [e for e in entries if e['decision'] == 'DIVERT' and e['found'] is not None]
    passed = [e for e in entries if e['decision'] == 'PASS' and e['found'] is not None]
    return {
        'decisions': len(entries),
        'rates': {name.lower(): _share(count, len(entries)) for name, count in counts.items()},
        'reviewed': sum(entry['found'] is not None for entry in entries),
        'precision': _share(_damaged(diverted), len(diverted)),
        'misses': _share(_damaged(passed), len(passed)),
    }


def _damaged(entries: Sequence[Entry]) -> int:
    return sum(entry['found'] == 'damaged' for entry in entries)


def _share(count: int, of: int) -> dict[str, Any]:
    low, high = interval(count, of)
    return {'count': count, 'of': of, 'share': count / of if of else None, 'low': low, 'high': high}


def _grouped(entries: Sequence[Entry], key: Callable[[Entry], str]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[key(entry)].append(entry)
    return dict(sorted(groups.items()))


def _type_of(entry: Entry) -> str:
    if entry['found'] == 'damaged' and entry['found_type'] != 'unknown':
        return str(entry['found_type'])
    damages = json.loads(entry['damages'])
    if not damages:
        return 'none found'
    return str(max(damages, key=lambda damage: damage['confidence'])['type'])
