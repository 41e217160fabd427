"""Small made-up views for the tests of the gallery."""

from __future__ import annotations

import numpy as np

from damage_perception.perception.view.item_view import ItemView


def make_view(seed: int = 0, height: int = 24, width: int = 32) -> ItemView:
    """Give a view with random colour and height, holes in the depth and an item in the middle."""
    random = np.random.default_rng(seed)
    shape = (height, width)
    height_m = random.normal(0.0, 0.01, shape).astype(np.float32)
    height_m[random.random(shape) < 0.1] = np.nan
    std_m = np.where(np.isnan(height_m), np.nan, 0.0021).astype(np.float32)
    item_mask = np.zeros(shape, bool)
    item_mask[4:-4, 4:-4] = True
    seen = np.ones(shape, bool)
    seen[:, :2] = False
    return ItemView(
        rgb=random.integers(0, 256, (*shape, 3), np.uint8),
        height_m=height_m,
        height_std_m=std_m,
        item_mask=item_mask,
        seen=seen,
        resolution_m=0.0015,
        to_camera=np.eye(4),
        frames=3.0,
        noise_correlation_m=0.004,
    )


def assert_same(got: ItemView, expected: ItemView) -> None:
    """Views are equal but for the steps that height is kept in."""
    for name in ('rgb', 'item_mask', 'seen', 'to_camera'):
        np.testing.assert_array_equal(getattr(got, name), getattr(expected, name))
    np.testing.assert_allclose(got.height_m, expected.height_m, atol=5.1e-5)
    np.testing.assert_allclose(got.height_std_m, expected.height_std_m, atol=5.1e-6)
    assert (got.resolution_m, got.frames) == (expected.resolution_m, expected.frames)
    assert got.noise_correlation_m == expected.noise_correlation_m
