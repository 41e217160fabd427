from __future__ import annotations

import numpy as np
import pytest
from made_store import made_view, made_views

from damage_perception.errors import UserError
from damage_perception.learning.training.augmentation import (
    drop_colour,
    drop_depth,
    drop_modalities,
)
from damage_perception.learning.training.patches import Patches
from damage_perception.learning.training.stored_view import decode, encode
from damage_perception.learning.training.view_store import ViewSet, read_views, render, render_shard
from damage_perception.network.inputs import (
    CHANNELS,
    COLOUR,
    DEPTH,
    ITEM,
    REFERENCE,
    REFERENCE_RGB,
    RELIEF,
    SEEN,
)
from damage_perception.synthesis.noise import stream


def test_a_patch_depends_on_its_number_alone():
    views = made_views(4)
    first, second = Patches(views, 96, 3), Patches(views, 96, 3)
    first.batch(0, 5)
    for got, expected in zip(first.batch(7, 2), second.batch(7, 2), strict=True):
        assert got.tobytes() == expected.tobytes()
    assert Patches(views, 96, 4).batch(7, 2)[0].tobytes() != first.batch(7, 2)[0].tobytes()


def test_labels_stay_on_what_they_label():
    patches = Patches([made_view(0, True)], 96, 0)
    kept = 0
    for number in range(40):
        channels, labels = patches.patch(number)
        assert channels.shape == (len(CHANNELS), 96, 96)
        dent = labels > 0
        if dent.sum() > 50 and channels[DEPTH].any():
            kept += channels[RELIEF][dent].mean() < channels[RELIEF][~dent].mean() - 2.0
    assert kept > 20


def test_what_lies_outside_the_view_is_not_seen():
    patches = Patches([made_view(0, True, side=64)], 96, 0)
    seen = np.stack([patches.patch(number)[0][SEEN] for number in range(10)])
    assert (seen.sum(axis=(1, 2)) <= 64 * 64).all()
    assert seen.any()


def test_damage_and_sound_places_are_both_shown():
    patches = Patches(made_views(8), 96, 0)
    damaged = [patches.patch(number)[1].any() for number in range(200)]
    assert 0.4 < np.mean(damaged) < 0.9


def test_nothing_to_train_on_is_said():
    with pytest.raises(UserError, match='train_items'):
        Patches([], 96, 0)


def test_a_dropped_modality_leaves_nothing_of_it_and_all_else():
    full = np.ones((len(CHANNELS), 8, 8), np.float32)
    colourless, depthless = full.copy(), full.copy()
    drop_colour(colourless)
    drop_depth(depthless)
    assert not colourless[COLOUR].any()
    assert not colourless[REFERENCE_RGB].any()
    assert colourless[DEPTH].all()
    assert not depthless[DEPTH].any()
    assert depthless[COLOUR].all()
    for channels in (colourless, depthless):
        assert channels[[ITEM, SEEN]].all()


def test_modalities_are_dropped_at_random_but_never_both():
    counts = np.zeros(3)
    for seed in range(400):
        channels = np.ones((len(CHANNELS), 2, 2), np.float32)
        drop_modalities(channels, stream(seed))
        gone = [not channels[part].any() for part in (COLOUR, DEPTH, REFERENCE)]
        counts += gone
        assert not (gone[0] and gone[1])
    assert (counts > 400 * np.array([0.05, 0.05, 0.3])).all()
    assert (counts < 400 * np.array([0.16, 0.16, 0.5])).all()


def test_storing_loses_a_fraction_of_the_noise():
    view = made_view(1, True)
    again = decode(view.data[:-1])
    assert again.shape == (len(CHANNELS), 112, 112)
    rng = np.random.default_rng(1)
    channels = rng.normal(0, 0.5, (len(CHANNELS), 112, 112)).astype(np.float32)
    assert np.abs(again[0] - channels[0]).max() <= 0.5 / 20 + 1e-6


@pytest.fixture
def small_shards(monkeypatch):
    monkeypatch.setattr('damage_perception.learning.training.view_store.SHARD', 4)


def test_rendering_is_resumed_and_gives_the_same_bytes(tmp_path, small_shards):
    first = ViewSet(tmp_path / 'a', 'standard', 'val', 3, 0.5, 0.5, 2)
    second = ViewSet(tmp_path / 'b', 'standard', 'val', 3, 0.5, 0.5, 2)
    assert sum(render(first, 4)) > 0
    assert list(render(first, 4)) == []
    render_shard_alone(second)
    assert first.path(0).read_bytes() == second.path(0).read_bytes()
    data = [views.path(0).with_suffix('.bin').read_bytes() for views in (first, second)]
    assert data[0] == data[1]
    views = read_views(first, 4)
    assert all(view.facts['split'] == 'val' for view in views)
    assert all(view.damaged == bool(view.labels.any()) for view in views)
    assert all(np.isfinite(view.channels()).all() for view in views)
    assert max(view.facts['frames'] for view in views) > 1


def render_shard_alone(views: ViewSet) -> None:
    views.folder.mkdir()
    render_shard(views, 0)


def test_a_folder_of_other_views_is_refused(tmp_path, small_shards):
    list(render(ViewSet(tmp_path, 'standard', 'val', 3), 0))
    with pytest.raises(UserError, match='other settings'):
        list(render(ViewSet(tmp_path, 'standard', 'val', 4), 0))


def test_encoding_keeps_a_reference_only_where_there_is_one():
    without = made_view(0, False)
    assert without.data.shape[0] == REFERENCE.start + 1
    view = type('', (), {'channels': without.channels(), 'labels': without.labels,
                         'facts': {'reference': True}})()  # fmt: skip
    assert encode(view).shape[0] == len(CHANNELS) + 1
