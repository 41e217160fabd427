from __future__ import annotations

import numpy as np
import pytest

from damage_perception.learning.training import stains
from damage_perception.learning.training.stains import paint
from damage_perception.network.inputs import (
    CHANNELS,
    HAS_COLOUR,
    HAS_REFERENCE,
    ITEM,
    REFERENCE_RGB,
    RGB,
)
from damage_perception.report import DamageType

_SIDE = 64


@pytest.fixture(autouse=True)
def _always(monkeypatch):
    monkeypatch.setattr(stains, 'PAINTED', 1.0)
    monkeypatch.setattr(stains, 'PAINTED_PAIRS', 1.0)
    monkeypatch.setattr(stains, 'BESIDE', (0.0, 0.0))


def patch(*, paired):
    """A grey item in the left half, and the same of the reference."""
    channels = np.zeros((len(CHANNELS), _SIDE, _SIDE), np.float32)
    channels[ITEM, :, : _SIDE // 2] = 1.0
    channels[HAS_COLOUR] = 1.0
    channels[RGB] = 0.8
    if paired:
        channels[HAS_REFERENCE] = 1.0
        channels[REFERENCE_RGB] = 0.7
    return channels, np.zeros((_SIDE, _SIDE), np.uint8)


def painted(seed, *, paired):
    channels, labels = patch(paired=paired)
    before = channels.copy()
    paint(channels, labels, np.random.default_rng(seed))
    changed = np.abs(channels - before).max(axis=(1, 2)) > 0
    return before, channels, labels, changed


@pytest.mark.parametrize('seed', range(20))
def test_a_stain_alone_is_a_spill_on_the_item(seed):
    before, after, labels, changed = painted(seed, paired=False)
    spilled = labels == DamageType.SPILL
    assert spilled.any()
    assert not labels[:, _SIDE // 2 :].any(), 'beside the item nothing is painted'
    assert not changed[[c for c in range(len(CHANNELS)) if c not in range(8, 11)]].any()
    assert after[RGB][:, spilled].mean() < before[RGB][:, spilled].mean(), 'it darkens'


def test_what_the_reference_shows_too_is_print():
    fates = set()
    for seed in range(60):
        _, _, labels, changed = painted(seed, paired=True)
        item, reference = changed[RGB].any(), changed[REFERENCE_RGB].any()
        assert labels.any() == (item and not reference)
        fates.add((bool(item), bool(reference)))
    assert fates == {(True, False), (True, True), (False, True)}


def test_a_puddle_lies_beside_the_item(monkeypatch):
    monkeypatch.setattr(stains, 'BESIDE', (1.0, 1.0))
    for paired in (False, True):
        said = [painted(seed, paired=paired) for seed in range(20)]
        poured = [each for each in said if each[2].any()]
        assert len(poured) > 10, 'all but those that would not show'
        for before, after, labels, changed in poured:
            assert (labels[:, _SIDE // 2 :] == DamageType.SPILL).any()
            assert not changed[REFERENCE_RGB].any()
            wet = labels[:, _SIDE // 2 :] > 0
            assert np.abs(after[RGB] - before[RGB])[:, :, _SIDE // 2 :][:, wet].mean() > 0.1


def test_damage_is_left_as_it_is():
    channels, labels = patch(paired=False)
    labels[3, 3] = DamageType.TEAR
    before = channels.copy()
    paint(channels, labels, np.random.default_rng(0))
    assert np.array_equal(channels, before)
    assert np.count_nonzero(labels) == 1


def test_nothing_is_painted_where_there_is_no_item_or_no_colour():
    for channel in (ITEM, HAS_COLOUR):
        channels, labels = patch(paired=False)
        channels[channel] = 0.0
        before = channels.copy()
        paint(channels, labels, np.random.default_rng(0))
        assert np.array_equal(channels, before)
        assert not labels.any()


def test_the_same_seed_paints_the_same():
    one, two = painted(4, paired=True), painted(4, paired=True)
    assert np.array_equal(one[1], two[1])
    assert np.array_equal(one[2], two[2])
