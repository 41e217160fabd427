"""Pieces of one box that a dent has split are joined; two items are not."""

from __future__ import annotations

import numpy as np
from made_heaps import PIXEL_M, Block, Heap, heap
from numpy.typing import NDArray

from damage_perception.perception.items.foreground import Scene
from damage_perception.perception.items.whole import join_dented

BLOCK = Block(100, 100, 160, 80)
MIDDLE = 180  # column at which the pieces meet
LEFT, RIGHT = 1, 2


def pieces(picture: Heap, strength: float = 1.3) -> tuple[list[int], dict[int, float]]:
    """Split the block in its middle, offer it for joining; give the labels left and the doubts."""
    labels = np.zeros(picture.region.shape, np.int32)
    labels[BLOCK.slices] = LEFT
    labels[BLOCK.slices][:, MIDDLE - BLOCK.x :] = RIGHT
    scene = Scene(picture.rgb, picture.height_m, picture.region, PIXEL_M)
    joined, doubts = join_dented(scene, labels, {(LEFT, RIGHT): strength}, {LEFT: 0.3, RIGHT: 0.1})
    assert np.array_equal(joined > 0, labels > 0)
    return sorted(set(np.unique(joined).tolist()) - {0}), doubts


def dented(seed: int = 0) -> Heap:
    """Make a box with a dent 3 cm deep and 6 cm wide where its pieces meet, softly shaded."""
    picture = heap(BLOCK, seed=seed)
    v, u = np.mgrid[:320, :420]
    dent = np.clip(1.0 - ((u - MIDDLE) ** 2 + (v - 140) ** 2) / 17.0**2, 0.0, 1.0)
    picture.height_m[:] -= (0.03 * dent).astype(np.float32)
    return Heap(shaded(picture.rgb, dent), picture.height_m, picture.region)


def shaded(rgb: NDArray[np.uint8], dent: NDArray[np.float64]) -> NDArray[np.uint8]:
    return (rgb * (1.0 - 0.4 * dent[..., None])).astype(np.uint8)


def test_the_two_sides_of_a_dent_are_one_item_without_doubt() -> None:
    for seed in range(5):
        labels, doubts = pieces(dented(seed))
        assert labels == [LEFT]
        assert doubts[LEFT] == 0.3


def test_a_dark_line_is_a_gap() -> None:
    picture = dented()
    picture.rgb[BLOCK.slices][:, MIDDLE - BLOCK.x - 1 : MIDDLE - BLOCK.x + 1] = 30
    assert pieces(picture)[0] == [LEFT, RIGHT]


def test_an_edge_of_colour_is_a_border() -> None:
    picture = dented()
    picture.rgb[BLOCK.slices][:, MIDDLE - BLOCK.x :] = (230, 230, 235)
    assert pieces(picture)[0] == [LEFT, RIGHT]


def test_a_strong_crease_is_never_joined() -> None:
    assert pieces(dented(), strength=3.0)[0] == [LEFT, RIGHT]


def test_another_height_is_another_item() -> None:
    picture = dented()
    picture.height_m[BLOCK.slices][:, MIDDLE - BLOCK.x :] += 0.05
    assert pieces(picture)[0] == [LEFT, RIGHT]


def test_soft_packs_are_left_as_they_are() -> None:
    picture = dented()
    waves = 0.012 * np.sin(np.arange(420) / 9.0)[None, :] * np.cos(np.arange(320) / 8.0)[:, None]
    picture.height_m[:] += waves.astype(np.float32)
    assert pieces(picture)[0] == [LEFT, RIGHT]


def test_a_piece_off_the_plane_makes_no_rectangle_whole() -> None:
    picture = dented()
    picture.height_m[BLOCK.slices][:, MIDDLE - BLOCK.x :] -= 0.012
    labels, doubts = pieces(picture)
    assert labels == [LEFT]
    assert doubts[LEFT] == 0.3  # together they are a rectangle: the end of a box is pushed in


def test_nothing_weak_changes_nothing() -> None:
    labels = np.ones((4, 4), np.int32)
    scene = Scene(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.float32), labels > 0, PIXEL_M)
    assert join_dented(scene, labels, {}, {1: 0.2}) == (labels, {1: 0.2})
