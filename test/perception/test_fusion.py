"""Fusing views: noise falls, gaps fill, what does not fit is refused."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from damage_perception.perception.view.fusion import align, fuse, independence
from damage_perception.perception.view.item_view import ItemView

STD_M = 0.003


def _picture(seed: int = 7) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 220, (10, 14, 3)).astype(np.uint8)
    return cv2.resize(coarse, (140, 100), interpolation=cv2.INTER_LINEAR)


def _view(
    seed: int, shift: tuple[float, float] = (0.0, 0.0), angle: float = 0.0, art: int = 7,
    dent_m: float = 0.0,
) -> ItemView:  # fmt: skip
    warp = cv2.getRotationMatrix2D((70, 50), angle, 1.0)
    warp[:, 2] += shift
    item = np.zeros((100, 140), np.float32)
    item[20:80, 20:120] = 1.0
    dent = np.zeros_like(item)
    dent[40:60, 50:80] = -dent_m
    item = cv2.warpAffine(item, warp, (140, 100)) > 0.5
    height = cv2.warpAffine(dent, warp, (140, 100))
    height += np.random.default_rng(seed).normal(0.0, STD_M, height.shape).astype(np.float32)
    rgb = cv2.warpAffine(_picture(art), warp, (140, 100))
    everywhere = np.ones_like(item)
    std = np.full(item.shape, STD_M, np.float32)
    return ItemView(
        rgb, height.astype(np.float32), std, item, everywhere, 0.0015, np.eye(4), 1.0, 0.015
    )


def test_alignment_finds_shift_and_rotation() -> None:
    warp, fit = align(_view(0), _view(1, shift=(2.6, -1.4), angle=1.0))
    middle = warp @ np.array([70.0, 50.0, 1.0])
    assert np.allclose(middle, [72.6, 48.6], atol=0.3)
    assert fit > 0.95


def test_noise_falls_with_the_square_root_of_independent_views() -> None:
    fused = _view(0)
    for seed in range(1, 10):
        after = fuse(fused, _view(seed), 1.0)
        assert after is not None
        fused = after
    inner = (slice(30, 70), slice(30, 110))
    assert fused.frames == 10
    assert fused.height_m[inner].std() == pytest.approx(STD_M / np.sqrt(10), rel=0.15)
    assert np.median(fused.height_std_m[inner]) == pytest.approx(STD_M / np.sqrt(10), rel=0.05)


def test_a_repeated_view_is_hardly_news() -> None:
    fused = fuse(_view(0), _view(0), independence(0.0, 10.0))
    assert fused is not None
    assert np.nanmedian(fused.height_std_m) > 0.9 * STD_M
    assert independence(0.0, 10.0) == pytest.approx(0.1)
    assert independence(25.0, 10.0) == 1.0


def test_a_dent_survives_fusion_of_shifted_views() -> None:
    fused = _view(0, dent_m=0.02)
    for seed in range(1, 6):
        after = fuse(fused, _view(seed, shift=(seed, 1.0), angle=0.3 * seed, dent_m=0.02), 1.0)
        assert after is not None
        fused = after
    assert fused.height_m[45:55, 56:74].mean() == pytest.approx(-0.02, abs=0.002)


def test_gaps_are_filled_from_the_other_view() -> None:
    first, second = _view(0), _view(1)
    first.height_m[:50] = np.nan
    first.height_std_m[:50] = np.nan
    second.height_m[50:] = np.nan
    second.height_std_m[50:] = np.nan
    fused = fuse(first, second, 1.0)
    assert fused is not None
    assert fused.valid[5:95, 5:135].mean() > 0.97


def test_flying_pixels_keep_out() -> None:
    second = _view(1)
    second.height_m[45:55, 60:80] = 0.2
    fused = fuse(_view(0), second, 1.0)
    assert fused is not None
    assert np.abs(fused.height_m[47:53, 62:78]).max() < 5 * STD_M


def test_views_of_different_things_are_not_fused() -> None:
    other = _view(1, art=99)
    blank = ItemView(
        np.zeros_like(other.rgb), other.height_m, other.height_std_m,
        np.zeros_like(other.item_mask), other.seen, 0.0015, np.eye(4), 1.0, 0.015,
    )  # fmt: skip
    assert fuse(_view(0), blank, 1.0) is None


def test_fused_pose_follows_the_new_view() -> None:
    new = _view(1, shift=(4.0, 0.0))
    fused = fuse(_view(0), new, 1.0)
    assert fused is not None
    # A point of the item, 10 px right of the middle of the fused grid, lies 14 px right of the
    # middle of the new one.
    place = fused.to_camera @ np.array([10 * 0.0015, 0.0, 0.0, 1.0])
    assert place[0] == pytest.approx(14 * 0.0015, abs=0.0006)


def test_faces_that_were_fitted_apart_are_brought_together() -> None:
    tilted = _view(1)
    rows, columns = np.indices(tilted.height_m.shape)
    tilted.height_m[:] += (0.02 + 0.0001 * rows - 0.0002 * columns).astype(np.float32)
    fused = fuse(_view(0), tilted, 1.0)
    assert fused is not None
    inner = (slice(30, 70), slice(30, 110))
    assert abs(fused.height_m[inner].mean()) < 0.001
    assert np.median(fused.height_std_m[inner]) < 0.8 * STD_M
