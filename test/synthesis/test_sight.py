"""What counts as damage can be seen; a clean hole and dark print differ by depth alone."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest

from damage_perception.report import DamageType, Severity
from damage_perception.synthesis import damage as damage_module
from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.damage import inflict
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.openings import hole
from damage_perception.synthesis.patch import Damage, Patch
from damage_perception.synthesis.products import Product, artwork
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.truth import SIGHT, is_seen, record, trace_of
from damage_perception.synthesis.views import labelled_view

_CARTON = Product('carton', 'retail_carton', (0.24, 0.18, 0.08), 5)


def _carton(seed: int = 1, product: Product = _CARTON) -> Patch:
    return build_item(product, stream(seed), 0.002, 0.0, roomy=True)


def test_the_most_changed_quarter_of_enough_pixels_decides() -> None:
    trace = np.full(100, SIGHT, np.uint8)
    assert is_seen(trace)
    assert not is_seen(trace - 1)
    assert not is_seen(trace[:11])
    assert not is_seen(trace, shown=0.09)
    trace[25:] = 0
    assert is_seen(trace)
    trace[12:] = 0
    assert not is_seen(trace)


def test_a_trace_follows_colour_and_height() -> None:
    sound, patch = _carton(), _carton()
    face = np.zeros(patch.shape, bool)
    face[patch.face_slices] = True
    assert not trace_of(sound, patch, face).any()
    patch.albedo[face] = np.clip(sound.albedo[face].astype(int) + 5, 0, 255)
    assert np.median(trace_of(sound, patch, face)) < SIGHT
    patch.albedo[face] = 255 - sound.albedo[face]
    assert np.percentile(trace_of(sound, patch, face), 90) > SIGHT
    patch.albedo[face] = sound.albedo[face]
    patch.height[face] -= np.float32(0.003)
    assert trace_of(sound, patch, face).min() >= SIGHT


def test_a_puddle_of_the_colour_of_the_ground_leaves_no_trace() -> None:
    sound, patch = _carton(), _carton()
    patch.ground = (150, 24, 30)
    beside = ~patch.mask
    patch.albedo[beside], patch.cover[beside] = patch.ground, 0.9
    assert trace_of(sound, patch, beside).max() < SIGHT / 4


def test_what_nobody_could_see_did_not_happen(monkeypatch: pytest.MonkeyPatch) -> None:
    def faint(patch: Patch, rng: np.random.Generator, major: bool, family: str) -> Damage | None:
        before = patch.height.copy()
        patch.albedo[patch.mask] += (patch.albedo[patch.mask] < 255).astype(np.uint8)
        return record(patch, before, patch.mask, DamageType.SPILL, 'faint')

    monkeypatch.setattr(damage_module, 'spill', faint)
    patch, sound = _carton(), _carton()
    assert inflict(patch, _CARTON, DamageType.SPILL, stream(2), True) is None
    np.testing.assert_array_equal(patch.albedo, sound.albedo)
    assert not patch.mark.any()
    assert not patch.damages


@pytest.mark.parametrize(
    'ground', [(14, 62, 44), (24, 26, 28), (96, 100, 104), (30, 44, 92), (196, 198, 196)]
)
def test_a_spill_shows_on_any_support(ground: tuple[int, int, int]) -> None:
    for seed in range(6):
        patch = _carton()
        patch.ground = ground
        spilt = inflict(patch, _CARTON, DamageType.SPILL, stream(seed), True)
        assert spilt is not None
        assert is_seen(patch.trace[patch.mark == spilt.mark])


def test_a_view_that_hides_a_damage_has_none() -> None:
    spec = SynthesisSpec(crop=96, damaged=1.0, damages=('hole',), families=('retail_carton',),
                         oblique=0.0, neighbours=0.0, several=0.0, truncated=0.0)  # fmt: skip
    sample = render_sample(spec, 13, 0, 0)
    over = cv2.dilate(sample.damages[0].mask.astype(np.uint8), np.ones((9, 9))) > 0
    below = dataclasses.replace(sample, others_mask=over, item_mask=sample.item_mask & ~over)
    kept, hidden = labelled_view(sample), labelled_view(below)
    assert kept is not None
    assert hidden is not None
    assert len(kept.damages) == len(kept.masks) == 1
    assert len(hidden.damages) == len(hidden.masks) == 0


def test_some_holes_are_cut_clean_and_as_dark_as_print() -> None:
    clean = []
    for seed in range(60):
        patch = _carton()
        before = patch.height.copy()
        found = hole(patch, stream(seed), True)
        if found is None or found.kind != 'clean_cut':
            continue
        inside = patch.mark == found.mark
        assert patch.albedo[inside].mean() < 60
        assert np.median((before - patch.height)[inside]) > 0.008
        assert found.severity == Severity.MAJOR
        clean.append(found.depth_m)
    assert 0.2 < len(clean) / 60 < 0.5
    thin = Product('thin', 'blister', (0.2, 0.14, 0.012), 5)
    kinds = {hole(_carton(1, thin), stream(seed), True) for seed in range(20)}
    assert {found.kind for found in kinds if found} == {'puncture'}  # black without depth is print
    assert max(clean) > 2 * min(clean)
    printed = Product('dark', 'retail_carton', (0.24, 0.18, 0.08), 5, lookalike='dark_circle')
    ink = (artwork(printed).max(axis=2) < 60) & (artwork(_CARTON).max(axis=2) >= 60)
    assert ink.mean() > 0.001
