"""Fusing views: noise falls, gaps fill, what does not fit is refused."""

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from damage_perception.perception.view.fusion import News, align, fuse
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


def test_a_small_item_whose_face_was_found_off_is_brought_back() -> None:
    warp, fit = align(_view(0), _view(1, shift=(16.0, 3.0)))
    assert np.allclose(warp[:, 2], [16.0, 3.0], atol=0.5)
    assert fit > 0.9


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


def _told(steps_m: list[float], correlation_m: float = 0.01) -> float:
    """Give how many independent looks an item tells that moves so far between them."""
    places = np.cumsum([0.0, *steps_m])
    news = News(np.array([0.0, 0.0, 1.0]))
    return 1.0 + sum(news.of(np.array([x, 0.0, 1.0]), correlation_m) for x in places[1:])


def test_each_look_at_what_moves_fast_is_news() -> None:
    assert _told([0.03] * 9) == pytest.approx(10.0)


def test_what_moves_slowly_tells_as_much_as_its_way_is_long() -> None:
    assert _told([0.005] * 40) == pytest.approx(21.0, rel=0.1)


def test_what_stands_tells_no_more_than_two_looks_however_long() -> None:
    assert _told([0.0]) == pytest.approx(1.0 / 0.75)  # half of the noise is new
    assert 1.9 < _told([0.0] * 50) < 2.0
    trembling = [0.001, -0.001] * 500  # its middle is not found quite where it was
    assert _told(trembling) < 2.2


def test_noise_of_what_stands_is_told_as_it_is() -> None:
    stays = np.random.default_rng(99).normal(0.0, np.sqrt(0.5) * STD_M, (100, 140))
    fused, news = _standing(stays, 0), News(np.zeros(3))
    for seed in range(1, 30):
        after = fuse(fused, _standing(stays, seed), news.of(np.zeros(3), 0.01))
        assert after is not None
        fused = after
    inner = (slice(30, 70), slice(30, 110))
    told = float(np.median(fused.height_std_m[inner]))
    assert fused.height_m[inner].std() == pytest.approx(told, rel=0.2)
    assert told > STD_M * np.sqrt(0.5)


def _standing(stays: NDArray[np.float64], seed: int) -> ItemView:
    view = _view(seed)
    view.height_m[:] = (stays + np.sqrt(0.5) * view.height_m).astype(np.float32)
    return view


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
