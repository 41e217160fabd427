"""Geometry on made views: what has no relief gives nothing, what is pushed in is measured."""

from __future__ import annotations

import dataclasses
import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_views import grid, made_view
from real_dents import Dent, damaged

from damage_perception.perception.geometry.geometry import GeometrySettings, find_damage
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageType


def view(seed: int = 0, **options: float) -> ItemView:
    return made_view(np.random.default_rng(seed), **options)  # type: ignore[arg-type]


def repainted(sound: ItemView, rgb: np.ndarray) -> ItemView:
    return dataclasses.replace(sound, rgb=rgb)


def test_sound_board_gives_nothing() -> None:
    for seed in range(12):
        evidence = find_damage(view(seed))
        assert evidence.probability < 0.1
        assert evidence.blobs == []


def test_flat_print_gives_nothing() -> None:
    sound = view(1)
    rgb = sound.rgb.copy()
    x, y = grid(sound.item_mask.shape)
    rgb[(np.hypot(x, y) < 0.015)] = 5  # a black disc the size of a hole
    rgb[(np.abs(x + 0.08) < 0.002) & (np.abs(y) < 0.08)] = 255
    rgb[(np.abs(x - 0.08) < 0.03) & ((y * 400).astype(int) % 2 == 0)] = 0
    plain, printed = find_damage(sound), find_damage(repainted(sound, rgb))
    assert printed.score == plain.score
    assert printed.blobs == []


@pytest.mark.parametrize('tilt', [-0.05, 0.05])
@pytest.mark.parametrize('bulge', [0.0, 0.008, 0.025])
def test_tilt_and_bulge_give_nothing(tilt: float, bulge: float) -> None:
    evidence = find_damage(view(2, tilt=tilt, bulge_m=bulge))
    assert evidence.probability < 0.1
    assert evidence.blobs == []


def test_wrinkled_pack_gives_nothing() -> None:
    for seed in range(8):
        evidence = find_damage(view(seed, wrinkle_m=0.004, bulge_m=0.02))
        assert evidence.probability < 0.1
        assert evidence.blobs == []


@pytest.mark.parametrize('depth_m', [0.015, 0.02, 0.03])
def test_dent_is_found_where_it_is_and_measured(depth_m: float) -> None:
    place = Dent(0.05, -0.03, depth_m, 0.05)
    dented = damaged(view(3, frames=10), place)
    evidence = find_damage(dented)
    assert evidence.probability > 0.9
    (blob,) = evidence.blobs
    assert blob.damage_type is DamageType.CRUSH
    assert blob.depth_m == pytest.approx(depth_m, abs=0.004 + 0.1 * depth_m)
    x, y = grid(dented.item_mask.shape)
    assert np.hypot(x[blob.mask].mean() - 0.05, y[blob.mask].mean() + 0.03) < 0.008
    assert 0.4 < math.sqrt(4 * blob.mask.sum() / np.pi) * dented.resolution_m / 0.05 < 1.2


def test_significance_rises_with_depth_and_with_frames() -> None:
    def score(depth_m: float, frames: int) -> float:
        return find_damage(damaged(view(4, frames=frames), Dent(0, 0, depth_m))).score

    by_depth = [score(depth, 1) for depth in (0.005, 0.015, 0.02, 0.03)]
    by_frames = [score(0.012, frames) for frames in (1, 3, 10)]
    assert by_depth == sorted(by_depth)
    assert by_frames == sorted(by_frames)
    assert by_frames[-1] > 1.5 * by_frames[0]


@pytest.mark.parametrize('depth_m', [0.02, 0.04])
def test_dent_over_a_third_of_the_face_does_not_drag_the_surface(depth_m: float) -> None:
    sound = view(5)
    width = 2 * math.sqrt(sound.item_mask.sum() * sound.resolution_m**2 / 3 / np.pi)
    evidence = find_damage(damaged(sound, Dent(0, 0, depth_m, width)))
    assert evidence.probability > 0.5
    assert evidence.blobs[0].depth_m == pytest.approx(depth_m, rel=0.3)


def test_crushed_corner_is_found_but_a_step_down_beside_the_face_is_not() -> None:
    sound = view(6)
    x, y = grid(sound.item_mask.shape)
    slope = 0.06 - (0.15 - x) - (0.12 - y)
    crushed = sound.height_m - np.where(sound.item_mask, np.clip(slope, 0, None), 0.0)
    step = sound.height_m - np.where(x > 0.11, 0.08, 0.0)
    found = find_damage(dataclasses.replace(sound, height_m=crushed.astype(np.float32)))
    assert found.probability > 0.9
    assert found.blobs[0].damage_type is DamageType.CRUSH
    beside = find_damage(dataclasses.replace(sound, height_m=step.astype(np.float32)))
    assert beside.probability < 0.1
    assert np.isnan(beside.confidence[y.shape[0] // 2, x.shape[1] - 30])


@pytest.mark.parametrize('kind', ['deep', 'lost'])
def test_hole_is_found(kind: str) -> None:
    holed = damaged(view(7), Dent(-0.04, 0.02, 0.06, 0.02, kind))
    evidence = find_damage(holed)
    assert evidence.probability > 0.9
    assert DamageType.HOLE in {blob.damage_type for blob in evidence.blobs}


def test_hole_that_is_cut_out_of_the_item_is_found() -> None:
    """A hole is where the item is not: what splits items or looks behind edges leaves it out."""
    place = Dent(-0.04, 0.02, 0.06, 0.02, 'deep')
    holed = damaged(view(7), place)
    x, y = grid(holed.item_mask.shape)
    disc = np.hypot(x - place.x_m, y - place.y_m) < 0.012
    cut = dataclasses.replace(
        holed,
        item_mask=holed.item_mask & ~disc,
        seen=holed.seen & ~disc,
        height_m=np.where(disc, np.nan, holed.height_m).astype(np.float32),
    )
    evidence = find_damage(cut)
    assert [blob.damage_type for blob in evidence.blobs] == [DamageType.HOLE]


def test_neighbour_on_top_is_no_hole() -> None:
    sound = view(7)
    x, y = grid(sound.item_mask.shape)
    there = np.hypot(x, y) < 0.015
    rgb, height = sound.rgb.copy(), sound.height_m.copy()
    rgb[there] = 0
    height[there] = np.nan
    evidence = find_damage(
        dataclasses.replace(
            sound,
            rgb=rgb,
            height_m=height,
            item_mask=sound.item_mask & ~there,
            seen=sound.seen & ~there,
        )
    )
    assert evidence.blobs == []


def test_drop_out_on_gloss_is_no_hole() -> None:
    sound = view(8)
    x, y = grid(sound.item_mask.shape)
    gloss = np.hypot(x, y) < 0.016
    rgb, height = sound.rgb.copy(), sound.height_m.copy()
    rgb[gloss] = 250
    height[gloss] = np.nan
    evidence = find_damage(dataclasses.replace(sound, rgb=rgb, height_m=height))
    assert evidence.probability < 0.1
    assert evidence.blobs == []


def test_lifted_flap_is_deconstruction() -> None:
    sound = view(9)
    x, y = grid(sound.item_mask.shape)
    lifted = sound.height_m + 0.035 * ((np.abs(x) < 0.03) & (np.abs(y) < 0.025))
    evidence = find_damage(dataclasses.replace(sound, height_m=lifted.astype(np.float32)))
    assert evidence.probability > 0.5
    assert evidence.blobs[0].damage_type is DamageType.DECONSTRUCTION
    assert evidence.blobs[0].depth_m == pytest.approx(-0.035, abs=0.006)


def test_confidence_is_nan_where_nothing_was_judged() -> None:
    sound = view(10)
    seen, height = sound.seen.copy(), sound.height_m.copy()
    seen[:, :60] = False
    x, y = grid(sound.item_mask.shape)
    lost = (x > 0.02) & (x < 0.1) & (np.abs(y) < 0.05)
    height[lost] = np.nan
    part = dataclasses.replace(sound, seen=seen, height_m=height)
    evidence = find_damage(part)
    assert np.isnan(evidence.confidence[~part.item_mask | ~seen]).all()
    assert np.isnan(evidence.confidence[lost]).mean() > 0.6
    assert np.isfinite(evidence.confidence[part.item_mask & seen & ~lost]).mean() > 0.9
    known = evidence.confidence[np.isfinite(evidence.confidence)]
    assert evidence.confidence.dtype == np.float32
    assert ((known >= 0) & (known <= 1)).all()


def test_same_view_same_evidence() -> None:
    dented = damaged(view(11), Dent(0.02, 0.01, 0.03))
    first, second = find_damage(dented), find_damage(dented)
    assert first.score == second.score
    assert first.confidence.tobytes() == second.confidence.tobytes()


def test_a_view_takes_a_few_milliseconds() -> None:
    sound = view(12, size_m=(0.32, 0.32))  # type: ignore[arg-type]
    find_damage(sound)
    times = []
    for _ in range(20):
        start = time.process_time()
        find_damage(sound)
        times.append(time.process_time() - start)
    assert min(times) < 0.02  # 5 ms where nothing else runs


def empty(shape: tuple[int, int], height: float = np.nan, std: float = 0.002) -> ItemView:
    return ItemView(
        np.zeros((*shape, 3), np.uint8),
        np.full(shape, height, np.float32),
        np.full(shape, std, np.float32),
        np.ones(shape, bool),
        np.ones(shape, bool),
        0.0015,
        np.eye(4),
        1.0,
        0.012,
    )


@pytest.mark.parametrize('shape', [(1, 1), (1, 300), (2, 2), (5, 5), (120, 90)])
@pytest.mark.parametrize('height', [np.nan, np.inf, -np.inf])
def test_nothing_measured_is_not_judged(shape: tuple[int, int], height: float) -> None:
    evidence = find_damage(empty(shape, height))
    assert math.isnan(evidence.score)
    assert math.isnan(evidence.probability)
    assert np.isnan(evidence.confidence).all()
    assert evidence.blobs == []


def test_nothing_of_the_item_seen_is_not_judged() -> None:
    sound = view(13)
    for name in ('item_mask', 'seen'):
        nothing = dataclasses.replace(sound, **{name: np.zeros_like(sound.seen)})
        assert math.isnan(find_damage(nothing).score)


@settings(max_examples=40, deadline=None)
@given(
    rows=st.integers(1, 90),
    cols=st.integers(1, 90),
    seed=st.integers(0, 2**31),
    std=st.sampled_from([0.0, 1e-9, 0.002, math.nan, math.inf]),
    size=st.sampled_from([0.0, 1e-3, 0.1, 50.0, 1e30]),
    correlation=st.sampled_from([0.0, 0.01, 1.0]),
)
def test_odd_views_never_crash(
    rows: int, cols: int, seed: int, std: float, size: float, correlation: float
) -> None:
    rng = np.random.default_rng(seed)
    height = (size * rng.standard_normal((rows, cols))).astype(np.float32)
    height[rng.random((rows, cols)) < 0.2] = np.nan
    height[rng.random((rows, cols)) < 0.05] = np.inf
    odd = dataclasses.replace(
        empty((rows, cols)),
        height_m=height,
        noise_correlation_m=correlation,
        height_std_m=np.full((rows, cols), std, np.float32),
        rgb=rng.integers(0, 256, (rows, cols, 3), dtype=np.uint8),
        item_mask=rng.random((rows, cols)) < 0.9,
    )
    evidence = find_damage(odd)
    assert evidence.confidence.shape == (rows, cols)
    assert math.isnan(evidence.score) == math.isnan(evidence.probability)
    assert math.isnan(evidence.score) or 0.0 <= evidence.probability <= 1.0
    surest = max((blob.confidence for blob in evidence.blobs), default=0.0)
    assert math.isnan(evidence.score) or evidence.probability >= surest


def test_settings_refuse_what_is_out_of_range() -> None:
    with pytest.raises(ValueError, match='steepness must lie in'):
        GeometrySettings(steepness=0.0)
