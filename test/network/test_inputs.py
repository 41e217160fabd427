from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_views import made_view

from damage_perception.network.inputs import (
    CHANNELS,
    COLOUR,
    DEPTH,
    HAS_REFERENCE,
    ITEM,
    REFERENCE,
    REFERENCE_DIFFERENCE,
    RELIEF,
    SEEN,
    VALID,
    batch,
    pad,
    view_tensor,
)

HEIGHT, RESIDUAL = range(2)


def view(seed: int = 0, **more):
    return made_view(np.random.default_rng(seed), **{'size_m': (0.15, 0.1), **more})


def dented(sound, depth_m=0.015):
    rows, columns = sound.item_mask.shape
    y, x = np.indices((rows, columns))
    distance = np.hypot(y - rows / 2, x - columns / 2) * sound.resolution_m
    dent = depth_m * np.exp(-((distance / 0.012) ** 2))
    return replace(sound, height_m=(sound.height_m - dent).astype(np.float32))


def test_channels_have_the_shape_of_the_view_and_are_finite():
    item = view()
    tensor = view_tensor(item)
    assert tensor.shape == (len(CHANNELS), *item.item_mask.shape)
    assert tensor.dtype == np.float32
    assert np.isfinite(tensor).all()
    np.testing.assert_array_equal(tensor[VALID] > 0, item.valid)
    np.testing.assert_array_equal(tensor[ITEM] > 0, item.item_mask)
    np.testing.assert_array_equal(tensor[SEEN] > 0, item.seen)


def test_the_same_view_gives_the_same_bytes():
    # All are kept, so that each lies elsewhere in memory, which vector code may take to heart.
    first, *others = [view_tensor(view()) for _ in range(12)]
    assert all(other.tobytes() == first.tobytes() for other in others)


def test_depth_is_told_in_units_of_the_views_own_noise():
    near = view(drop_outs=0.0)
    far = replace(near, height_m=3 * near.height_m, height_std_m=3 * near.height_std_m)
    first, second = view_tensor(near), view_tensor(far)
    # The surface fit has priors in metres, so a little may move.
    assert np.abs(first[HEIGHT] - second[HEIGHT]).max() < 0.01
    inside = near.item_mask
    assert np.abs(first[RESIDUAL] - second[RESIDUAL])[inside].mean() < 0.15


def test_sound_residuals_are_noise_of_about_one_deviation():
    item = view(size_m=(0.3, 0.24))
    residual = view_tensor(item)[RESIDUAL][item.item_mask & item.valid]
    assert 0.4 < np.sinh(residual).std() < 1.4


def test_a_dent_stands_out_in_relief_and_is_not_in_colour():
    sound = view(size_m=(0.2, 0.15), drop_outs=0.0)
    before, after = view_tensor(sound), view_tensor(dented(sound))
    rows, columns = sound.item_mask.shape
    spot = (slice(rows // 2 - 4, rows // 2 + 4), slice(columns // 2 - 4, columns // 2 + 4))
    assert after[RELIEF][spot].mean() < before[RELIEF][spot].mean() - 1.0
    np.testing.assert_array_equal(after[COLOUR], before[COLOUR])


def test_without_a_reference_its_channels_are_zero():
    assert not view_tensor(view())[REFERENCE].any()


def test_with_a_reference_the_difference_shows_the_dent_only():
    sound = view(size_m=(0.2, 0.15), drop_outs=0.0)
    tensor = view_tensor(dented(sound), sound)
    assert (tensor[HAS_REFERENCE] == 1.0).all()
    difference = tensor[REFERENCE_DIFFERENCE]
    rows, columns = difference.shape
    assert difference[rows // 2, columns // 2] < -1.0
    assert abs(difference[rows // 2, columns // 5]) < 0.05


def test_a_reference_on_another_grid_is_refused():
    with pytest.raises(ValueError, match='reference must be on the grid'):
        view_tensor(view(), view(size_m=(0.2, 0.1)))


def test_a_view_without_any_depth_keeps_its_colour():
    item = view()
    nothing = np.full(item.item_mask.shape, np.nan, np.float32)
    tensor = view_tensor(replace(item, height_m=nothing, height_std_m=nothing))
    assert np.isfinite(tensor).all()
    assert not tensor[DEPTH].any()
    assert tensor[COLOUR].any()


def test_padding_adds_nothing_that_is_seen():
    tensor = view_tensor(view())
    padded = pad(tensor)
    assert padded.shape[1] % 16 == padded.shape[2] % 16 == 0
    rows, columns = tensor.shape[1:]
    assert not padded[:, rows:].any()
    assert not padded[:, :, columns:].any()
    np.testing.assert_array_equal(padded[:, :rows, :columns], tensor)


def test_a_batch_holds_views_of_several_sizes():
    first, second = view_tensor(view()), view_tensor(view(size_m=(0.1, 0.2)))
    both = batch([first, second])
    assert both.shape[0] == 2
    assert both.shape[2] >= max(first.shape[1], second.shape[1])
    np.testing.assert_array_equal(both[1, :, : second.shape[1], : second.shape[2]], second)
