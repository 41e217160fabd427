"""A view comes back from its bytes, and nothing else does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from gallery_views import assert_same, make_view
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.perception.view.codec import (
    ViewError,
    decode_view,
    encode_view,
    quantise_height,
    restore_height,
)


def test_a_view_comes_back() -> None:
    assert_same(decode_view(encode_view(make_view())), make_view())


def test_encoding_is_deterministic_and_settles() -> None:
    once = encode_view(make_view(5))
    assert once == encode_view(make_view(5))
    assert once == encode_view(decode_view(once))


@given(st.lists(st.floats(-3, 3, width=32) | st.just(float('nan')), min_size=1))
def test_height_survives_within_half_a_step(values: list[float]) -> None:
    height = np.array(values, np.float32)
    np.testing.assert_allclose(restore_height(quantise_height(height)), height, atol=5.1e-5)


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(ViewError):
        decode_view(data)


@pytest.mark.parametrize('keep', [0.1, 0.5, 0.99])
def test_a_cut_file_is_refused(keep: float) -> None:
    data = encode_view(make_view())
    with pytest.raises(ViewError):
        decode_view(data[: int(len(data) * keep)])


@pytest.mark.parametrize(
    ('changes', 'expected'),
    [
        ({'rgb': np.zeros((24, 32, 3), np.float32)}, 'rgb must be uint8'),
        ({'height_m': np.zeros((24, 32))}, 'height_m must be float32'),
        ({'height_m': np.full((24, 32), np.inf, np.float32)}, 'within 3.2 m'),
        ({'height_m': np.full((24, 32), 5.0, np.float32)}, 'within 3.2 m'),
        ({'height_std_m': np.full((24, 32), -1.0, np.float32)}, 'not be negative'),
        ({'item_mask': np.zeros((24, 32), bool)}, 'item mask is empty'),
        ({'resolution_m': float('nan')}, 'resolution must lie'),
        ({'resolution_m': 0.0}, 'resolution must lie'),
        ({'to_camera': np.full((4, 4), np.nan)}, 'to_camera'),
        ({'frames': float('inf')}, 'frames'),
    ],
)
def test_a_bad_view_is_refused_by_name(changes: dict[str, object], expected: str) -> None:
    view = dataclasses.replace(make_view(), **changes)  # type: ignore[arg-type]
    with pytest.raises(ViewError, match=expected):
        encode_view(view)


@pytest.mark.parametrize(('height', 'width'), [(4, 32), (24, 4000)])
def test_wrong_sizes_are_refused(height: int, width: int) -> None:
    view = make_view(0, max(height, 12), width)
    names = ('rgb', 'height_m', 'height_std_m', 'item_mask', 'seen')
    cut = {name: getattr(view, name)[:height] for name in names}
    with pytest.raises(ViewError, match='8 to 2048 pixels'):
        encode_view(dataclasses.replace(view, **cut))


def test_a_view_without_depth_is_kept() -> None:
    nothing = np.full((24, 32), np.nan, np.float32)
    view = dataclasses.replace(make_view(), height_m=nothing, height_std_m=nothing)
    assert not decode_view(encode_view(view)).valid.any()
