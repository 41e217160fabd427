"""Cut what stands on the support into pieces, at creases and at seams."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.items.foreground import Scene, find_standing
from damage_perception.perception.items.seams import dark_lines, split_seams
from damage_perception.perception.items.split import split_creases
from damage_perception.setting import check_ranges, setting

_FINEST_M = 0.0018  # finer pixels show items no better, only later


@dataclass(frozen=True)
class ItemsSettings:
    """How items are told from the support and from each other."""

    min_height_m: float = setting(
        0.012,
        'Metres above the support from which something counts as an item.',
        low=0.001,
        high=1.0,
    )
    min_size_m: float = setting(
        0.03, 'Metres across below which something is no item.', low=0.001, high=1.0
    )
    crease_m: float = setting(
        0.0045, 'Metres that a crease between two items lies below its sides.', low=0.0005, high=0.1
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True, eq=False)
class Cut:
    """A picture cut into pieces.

    Attributes:
        scene: what was cut, of every `step`-th pixel.
        labels: (H, W) int32 of the scene, the pieces, 0 = support.
        doubts: of some pieces, how nearly they were cut further, 1 = they should have been.
        step: pixels of the picture that one of the scene stands for, along a side.
        corner: row and column of the picture where the scene starts.
    """

    scene: Scene
    labels: NDArray[np.int32]
    doubts: dict[int, float]
    step: int
    corner: tuple[int, int]


def cut_pieces(
    rgb: NDArray[np.uint8],
    height_m: NDArray[np.float32],
    region: NDArray[np.bool_],
    pixel_m: float,
    settings: ItemsSettings,
) -> Cut | None:
    """Cut a picture into pieces, each of one item or of a part of one; None without a region.

    Args:
        rgb: (H, W, 3) uint8.
        height_m: (H, W) float32, metres above the support, NaN = no depth.
        region: (H, W) bool, the region of interest.
        pixel_m: metres that a pixel spans on the support.
        settings: what counts as an item.
    """
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    if not len(rows):
        return None
    step = max(1, int(_FINEST_M / pixel_m))
    window = np.s_[rows[0] : rows[-1] + 1 : step, columns[0] : columns[-1] + 1 : step]
    scene = Scene(rgb[window], height_m[window], region[window], pixel_m * step)
    standing = find_standing(scene, settings.min_height_m, settings.min_size_m)
    labels = np.zeros(standing.shape, np.int32)
    doubts: dict[int, float] = {}
    if standing.any():
        labels, doubts = split_creases(
            scene, standing, settings.min_height_m, settings.min_size_m, settings.crease_m
        )
        scene.dark = dark_lines(scene.grey, scene.pixel_m)
        labels = split_seams(labels, scene.dark, scene.pixel_m, settings.min_size_m)
    return Cut(scene, labels, doubts, step, (int(rows[0]), int(columns[0])))
