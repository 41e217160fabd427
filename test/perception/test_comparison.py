from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from made_views import made_view

from damage_perception.perception.comparison.alignment import Aligned, bring_reference
from damage_perception.perception.comparison.comparison import COMPARISON_FEATURES, compare

_AS_IT_IS = np.eye(2, 3)


def printed(seed: int, print_seed: int = 5):
    """A copy of a printed box: the print is the product's, the noise its own."""
    view = made_view(np.random.default_rng(seed), (0.2, 0.12), frames=20, drop_outs=0.0)
    rows, columns = view.item_mask.shape
    spots = np.random.default_rng(print_seed).uniform(30, 220, (6, 9, 3)).astype(np.float32)
    art = cv2.resize(spots, (columns, rows), interpolation=cv2.INTER_CUBIC)
    rgb = np.where(view.item_mask[..., None], np.clip(art, 0, 255), view.rgb)
    return replace(view, rgb=rgb.astype(np.uint8))


def at_once(view):
    return Aligned(view, 1.0, _AS_IT_IS)


def spot(view, size: int = 12):
    mask = np.zeros(view.item_mask.shape, bool)
    row, column = (length // 2 for length in mask.shape)
    mask[row - size : row + size, column - size : column + size] = True
    return mask


def blotched(view):
    """Scribble where the print is plain; the same pixels for every copy."""
    rgb, (row, column) = view.rgb.copy(), (length // 2 for length in view.item_mask.shape)
    for offset in (-8, 0, 8):
        cv2.line(rgb, (column - 12, row + offset), (column + 12, row + offset), (0, 0, 0), 3)
    return replace(view, rgb=rgb)


def sunk(view, depth_m: float, rgb=(15, 15, 15)):
    mask = spot(view)
    height = np.where(mask, view.height_m - np.float32(depth_m), view.height_m)
    return replace(view, height_m=height, rgb=np.where(mask[..., None], np.uint8(rgb), view.rgb))


def test_without_references_nothing_is_compared():
    assert compare(printed(0), []) is None


def test_two_sound_copies_hardly_differ():
    found = compare(printed(0), [at_once(printed(1))])
    assert set(found.features) == set(COMPARISON_FEATURES)
    assert found.features['colour_p99'] < 15
    assert found.features['missing_peak'] < 0.05
    assert found.features['missing_cm2'] == 0.0
    assert found.features['extra_cm2'] == found.features['lost_cm2'] == 0.0
    assert np.nanmax(np.abs(found.height_m)) < 0.003


def test_other_light_is_no_difference():
    view = printed(0)
    x = np.linspace(-12, 12, view.item_mask.shape[1])[None, :, None]
    lit = np.clip(0.7 * view.rgb * (1.0, 0.9, 0.8) + 15 + x, 0, 255).astype(np.uint8)
    found = compare(replace(view, rgb=lit), [at_once(printed(1))])
    assert found.features['colour_p99'] < 15


def test_a_misfit_of_some_millimetres_is_no_difference():
    other = printed(1)
    shifted = replace(other, rgb=np.roll(other.rgb, 2, axis=1))
    found = compare(printed(0), [at_once(shifted)])
    assert found.features['colour_p99'] < 15


def test_a_stain_is_seen_and_where():
    view = printed(0)
    rgb = np.where(spot(view)[..., None], np.uint8((250, 250, 20)), view.rgb)
    found = compare(replace(view, rgb=rgb), [at_once(printed(1))])
    assert found.features['colour_peak'] > 50
    inside = np.nanmedian(found.colour[spot(view, 8)])
    assert inside > 50 > 10 * np.nanmedian(found.colour[~spot(view, 20)])


def test_a_print_like_damage_is_explained_by_the_reference():
    item, mask = blotched(printed(0)), spot(printed(0), 16)
    with_it = compare(item, [at_once(blotched(printed(1)))])
    without = compare(item, [at_once(printed(1))])
    assert with_it.explains(mask) > 0.9
    assert without.explains(mask) < 0.3
    assert np.isnan(with_it.explains(np.zeros_like(mask)))


def test_one_reference_of_several_explains_a_label():
    item = blotched(printed(0))
    found = compare(item, [at_once(printed(1)), at_once(blotched(printed(2)))])
    assert found.features['unexplained_share'] < 0.1
    assert found.explains(spot(item, 16)) > 0.9


@pytest.mark.parametrize(('depth_m', 'rgb', 'missing'), [
    (0.03, (15, 15, 15), True),
    (0.03, None, False),  # as deep but it looks the same: no unit is gone
    (0.0, (15, 15, 15), False),  # a dark mark
])  # fmt: skip
def test_a_missing_unit_is_lower_and_looks_different(depth_m, rgb, missing):
    view = printed(0)
    item = sunk(view, depth_m, rgb) if rgb else replace(sunk(view, depth_m), rgb=view.rgb)
    found = compare(item, [at_once(printed(1))])
    assert (found.features['missing_cm2'] > 5) == missing
    assert found.missing[spot(view, 6)].all() == missing
    assert not missing or found.features['missing_mm'] == pytest.approx(1e3 * depth_m, rel=0.15)


def test_a_face_that_was_fitted_askew_is_no_difference_of_height():
    view = printed(0)
    slope = np.linspace(-0.006, 0.006, view.item_mask.shape[1], dtype=np.float32)[None, :]
    found = compare(replace(view, height_m=view.height_m + slope), [at_once(printed(1))])
    assert max(found.features['low_p99_mm'], found.features['high_p99_mm']) < 3


def test_what_hangs_out_of_an_item_is_extra():
    view = printed(0)
    mask, seen = view.item_mask.copy(), view.seen.copy()
    rows, columns = np.nonzero(mask)
    middle, right = int(rows.mean()), int(columns.max())
    mask[middle - 15 : middle + 15, right : right + 14] = True
    found = compare(replace(view, item_mask=mask, seen=seen | mask), [at_once(printed(1))])
    assert found.features['extra_cm2'] > 4
    assert found.features['lost_cm2'] == 0.0


def test_without_depth_colour_is_still_compared():
    view = printed(0)
    blind = replace(view, height_m=np.full_like(view.height_m, np.nan))
    found = compare(blind, [at_once(printed(1))])
    assert np.isnan(found.features['low_p99_mm'])
    assert np.isfinite(found.features['colour_p99'])
    assert np.isnan(found.height_m).all()


def test_what_alignment_brings_compares_as_equal():
    view = printed(0)
    aligned = bring_reference(view, printed(1))
    assert aligned is not None
    found = compare(view, [aligned])
    assert found.features['colour_peak'] < 15
    assert found.features['reference_fit'] > 0.8


def test_an_item_that_is_hidden_gives_no_numbers():
    view = printed(0)
    hidden = replace(view, seen=np.zeros_like(view.seen))
    found = compare(hidden, [at_once(printed(1))])
    assert np.isnan(found.features['colour_p99'])
    assert np.isnan(found.colour).all()
