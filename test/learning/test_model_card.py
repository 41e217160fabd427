from __future__ import annotations

import json
from pathlib import Path

from damage_perception.learning.training.model_card import PICTURES, model_card
from damage_perception.network.network_settings import SHIPPED
from damage_perception.network.weights import read_manifest

DOCS = Path(__file__).parents[2] / 'docs'


def test_the_card_says_what_was_measured():
    result = json.loads((DOCS / 'training_result.json').read_text())
    pictures = {
        split: json.loads((DOCS / f'pictures_{split}.json').read_text()) for split in PICTURES
    }
    card = model_card(result, read_manifest(SHIPPED), pictures)
    assert (DOCS / 'model_card.md').read_text() == card, (
        'make it again: python -m damage_perception.learning.training.model_card '
        'docs/training_result.json docs/pictures_test.json docs/pictures_shifted_test.json '
        '> docs/model_card.md'
    )
