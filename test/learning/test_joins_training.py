"""Learning which pieces are one item: what pictures show, and the command from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from damage_perception.cli.main import build_app
from damage_perception.learning.items.pairs_seen import cut_sample, pairs_seen
from damage_perception.learning.items.run import Seen, render_pictures
from damage_perception.perception.items.join_model import MANIFEST, TENSORS, read_joins
from damage_perception.settings import Settings
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec


def shown(families: tuple[str, ...], neighbours: float, crowded: float = 0.0) -> list[bool]:
    """Give the truth of the pairs that a few pictures show."""
    spec = SynthesisSpec(families=families, neighbours=neighbours, crowded=crowded, copies=1)
    same: list[bool] = []
    for index in range(6):
        sample = render_sample(spec, 7, index, references=0)
        cut = cut_sample(sample, Settings())
        if cut is not None:
            same += pairs_seen(sample, cut, stream(1, index))[1]
    return same


def test_a_set_alone_shows_pieces_of_one_item_and_a_crowd_others() -> None:
    alone, crowd = shown(('multi_pack',), 0.0), shown(('shipping_carton',), 1.0, 1.0)
    assert np.mean(alone) > 0.7
    assert not all(crowd)


def test_the_same_seed_shows_the_same() -> None:
    one, other = (list(render_pictures(2, 11, 1)) for _ in range(2))
    assert repr(one) == repr(other)  # unknown values are NaN, which no comparison takes for equal


def test_the_command_writes_trees_that_a_program_loads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('sys.argv', ['damage-perception', 'train-joins'])
    call = ['train-joins', '--out', str(tmp_path / 'joins'), '--items', '16', '--seed', '3']
    result = CliRunner().invoke(build_app(), call)
    assert result.exit_code == 0, result.output
    assert 'trees learnt from' in result.output
    model = read_joins(tmp_path / 'joins')
    assert np.isfinite(model.logits([{}, dict.fromkeys(model.features, 1.0)])).all()
    manifest = json.loads((tmp_path / 'joins' / MANIFEST).read_text())
    assert (manifest['seed'], manifest['items']) == (3, 16)
    assert (tmp_path / 'joins' / TENSORS).stat().st_size < 1 << 20


def test_too_few_items_are_said_to_be_too_few(tmp_path: Path) -> None:
    from damage_perception.errors import UserError
    from damage_perception.learning.items.run import train_joins
    from damage_perception.perception.items.join_model import JoinManifest

    with pytest.raises(UserError, match='ask for more --items'):
        train_joins([Seen((), ())], tmp_path, JoinManifest('', (), 0.0))
