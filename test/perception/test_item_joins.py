"""Pieces that are joined into items: what joins, what stays apart, files that are refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_heaps import PIXEL_M, Block, heap
from safetensors.numpy import load_file, save_file

import damage_perception
from damage_perception.errors import UserError
from damage_perception.network.boosted_trees import BoostedTrees
from damage_perception.network.weights import sha256
from damage_perception.perception.items.cut import Cut, ItemsSettings, cut_pieces
from damage_perception.perception.items.items import find_items
from damage_perception.perception.items.join_model import (
    MANIFEST,
    TENSORS,
    JoinModel,
    read_joins,
)
from damage_perception.perception.items.joins import join_pieces

SHIPPED = Path(damage_perception.__file__).parent / 'data' / 'items'
HOLLOW = (35, 30, 28)


def always(logit: float) -> JoinModel:
    """Make a model that says the same of each two pieces."""
    node = np.zeros((1, 1), np.int32)
    value = np.full((1, 1), logit, np.float32)
    trees = BoostedTrees(
        np.zeros(1, np.float32), node, np.zeros((1, 1), np.float32), node, node,
        np.zeros((1, 1), bool), value,
    )  # fmt: skip
    return JoinModel(('gap',), 0.0, trees)


def cut(*blocks: Block, seed: int = 0) -> Cut:
    picture = heap(*blocks, seed=seed)
    pieces = cut_pieces(picture.rgb, picture.height_m, picture.region, PIXEL_M, ItemsSettings())
    assert pieces is not None
    return pieces


ROW = (Block(80, 90, 90, 100, 0.06), Block(172, 90, 80, 100, 0.12), Block(300, 90, 60, 60, 0.1))


def test_likely_pieces_become_one_and_what_is_far_stays() -> None:
    pieces = cut(*ROW)
    labels, _ = join_pieces(pieces.scene, pieces.labels, pieces.doubts, always(1.0))
    assert len(np.unique(labels[labels > 0])) == 2  # the third lies nine centimetres off
    one = labels == labels[140, 100]
    assert one[140, 200]
    assert not one[110, 320]


def test_unlikely_pieces_stay_apart() -> None:
    pieces = cut(*ROW)
    labels, doubts = join_pieces(pieces.scene, pieces.labels, pieces.doubts, always(-1.0))
    assert np.array_equal(labels, pieces.labels)
    assert doubts == dict(pieces.doubts)


def test_the_doubt_of_a_piece_goes_with_it() -> None:
    pieces = cut(*ROW[:2])
    names = sorted(np.unique(pieces.labels[pieces.labels > 0]).tolist())
    labels, doubts = join_pieces(pieces.scene, pieces.labels, {names[1]: 0.9}, always(1.0))
    assert doubts == {names[0]: 0.9}
    assert set(np.unique(labels).tolist()) == {0, names[0]}


@settings(max_examples=20, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 300), st.integers(0, 220), st.integers(20, 110),
                  st.integers(20, 90), st.floats(0.02, 0.3)),
        max_size=6,
    ),
    st.integers(0, 9),
)  # fmt: skip
def test_joining_takes_no_pixel_from_an_item(blocks: list, seed: int) -> None:
    pieces = cut(*(Block(*block) for block in blocks), seed=seed)
    labels, _ = join_pieces(pieces.scene, pieces.labels, pieces.doubts, always(1.0))
    assert (labels[pieces.labels > 0] > 0).all()
    for label in np.unique(pieces.labels[pieces.labels > 0]):
        assert len(np.unique(labels[pieces.labels == label])) == 1


@pytest.mark.parametrize('seed', range(3))
def test_the_flaps_of_an_opened_carton_are_one_item(seed: int) -> None:
    flaps = Block(90, 90, 70, 130, 0.12), Block(230, 90, 70, 130, 0.12)
    hollow = Block(160, 90, 70, 130, 0.07, HOLLOW)
    picture = heap(*flaps, hollow, seed=seed, halo_px=2)
    seen = picture.rgb, picture.height_m, picture.region, PIXEL_M, ItemsSettings()
    (item,) = find_items(*seen, alone=True)
    assert item.roi.width > 195


def made(folder: Path, **changes: object) -> Path:
    """Copy the shipped trees and change the manifest; `None` leaves a field out."""
    shutil.copytree(SHIPPED, folder)
    values = json.loads((folder / MANIFEST).read_text())
    values = {key: value for key, value in (values | changes).items() if value is not None}
    (folder / MANIFEST).write_text(json.dumps(values))
    return folder


def test_the_shipped_trees_say_how_they_were_made() -> None:
    manifest = json.loads((SHIPPED / MANIFEST).read_text())
    assert manifest['command'].startswith('damage-perception train-joins')
    assert manifest['items'] > 0
    assert manifest['commit']
    assert manifest['engine']
    assert read_joins(SHIPPED).least >= 0.0


@pytest.mark.parametrize(
    ('change', 'said'),
    [
        ({'format': 'other 1'}, 'of another version'),
        ({'least': None}, 'does not say what its trees ask for'),
        ({'features': 'gap'}, 'does not say what its trees ask for'),
        ({'features': ['gap']}, 'no trees that fit'),
        ({'sha256': '0' * 64}, 'SHA-256 differs'),
    ],
)
def test_a_foreign_manifest_is_refused(tmp_path: Path, change: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        read_joins(made(tmp_path / 'items', **change))


def test_files_that_are_missing_cut_or_not_finite_are_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / 'items')
    whole = (folder / TENSORS).read_bytes()
    (folder / TENSORS).write_bytes(whole[:-100])
    with pytest.raises(UserError, match='SHA-256 differs'):
        read_joins(folder)
    cut_short = made(tmp_path / 'cut', sha256=sha256(whole[:-100]))
    (cut_short / TENSORS).write_bytes(whole[:-100])
    with pytest.raises(UserError, match='no trees that fit'):
        read_joins(cut_short)
    tensors = load_file(SHIPPED / TENSORS)
    tensors['base'] = np.full(1, np.nan, np.float32)
    save_file(tensors, folder / TENSORS)
    digest = sha256((folder / TENSORS).read_bytes())
    (folder / MANIFEST).write_text(
        json.dumps(json.loads((folder / MANIFEST).read_text()) | {'sha256': digest})
    )
    with pytest.raises(UserError, match='no trees that fit'):
        read_joins(folder)
    (folder / TENSORS).unlink()
    with pytest.raises(UserError, match='cannot be read'):
        read_joins(folder)
    (folder / MANIFEST).write_text('{"format":')
    with pytest.raises(UserError, match='not whole JSON'):
        read_joins(folder)
    with pytest.raises(UserError, match='cannot be read'):
        read_joins(tmp_path / 'nowhere')
