"""Stored views made from nothing: noise with a dent, so that training needs no rendering."""

from __future__ import annotations

import numpy as np

from damage_perception.learning.training.stored_view import StoredView, encode
from damage_perception.learning.training.training_view import TrainingView
from damage_perception.network.inputs import (
    CHANNELS,
    HAS_COLOUR,
    ITEM,
    REFERENCE,
    RELIEF,
    SEEN,
    VALID,
)
from damage_perception.perception.evidence.item_features import ITEM_FEATURES
from damage_perception.report import DamageType


def made_view(seed: int, damaged: bool, side: int = 112) -> StoredView:
    rng = np.random.default_rng(seed)
    channels = rng.normal(0, 0.5, (len(CHANNELS), side, side)).astype(np.float32)
    channels[[VALID, ITEM, SEEN, HAS_COLOUR]] = 1.0
    channels[REFERENCE] = 0.0
    labels = np.zeros((side, side), np.uint8)
    anchors = {kind: [[side // 2, side // 2]] for kind in ('print', 'relief', 'outline', 'plain')}
    if damaged:
        spot = np.s_[side // 2 - 10 : side // 2 + 10, side // 2 - 10 : side // 2 + 10]
        labels[spot] = DamageType.CRUSH
        channels[RELIEF][spot] -= 4.0
        anchors['damage'] = [[side // 2, side // 2]]
    else:
        anchors['damage'] = []
    facts = {
        'reference': False,
        'item_id': f'made-{seed}',
        'sku': f'made-{seed}',
        'frames': 1.0,
        'features': dict.fromkeys(ITEM_FEATURES),
        'geometry': 3.0 + damaged + rng.normal(),
        'damages': [{'type': 1, 'kind': 'dent', 'major': True}] if damaged else [],
        'tags': ['family:made'],
        'anchors': anchors,
    }
    return StoredView(encode(TrainingView(channels, labels, facts)), facts)


def made_views(count: int) -> list[StoredView]:
    return [made_view(seed, seed % 2 == 0) for seed in range(count)]
