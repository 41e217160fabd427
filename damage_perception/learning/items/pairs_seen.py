"""Pieces that the item finder makes of rendered pictures, and which of them are one item."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame, RgbdFrame
from damage_perception.perception.items.cut import Cut, cut_pieces
from damage_perception.perception.items.joins import Joining
from damage_perception.perception.projection import height_image
from damage_perception.perception.support.support import SupportFinder
from damage_perception.settings import Settings
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.sample import Sample

Row = dict[str, float]

_SURE = 0.7  # share of a piece that is of the item, or is not
_ITEM, _OTHER, _UNSURE = 1, 2, 0


def cut_sample(sample: Sample, settings: Settings) -> Cut | None:
    """Cut a rendered picture as the product does; None where it finds no support."""
    frame = MeasuredFrame.of(RgbdFrame(sample.rgb, sample.depth_m, sample.camera))
    support = SupportFinder(settings.plane).update(frame.depth_m, frame.camera)
    if support is None:
        return None
    height_m = height_image(frame.depth_m, support.plane, frame.camera)
    pixel_m = support.plane.offset / frame.camera.fx
    return cut_pieces(sample.rgb, height_m, support.region, pixel_m, settings.items)


def pairs_seen(sample: Sample, cut: Cut, rng: Rng) -> tuple[list[Row], list[bool]]:
    """Give what speaks for and against each two pieces, and whether they are one item.

    Pieces of the item are joined one after another in an order drawn by chance, and each state on
    the way is shown: at run time, too, some are joined already.
    """
    owner = _owners(sample, cut)
    joining = Joining(cut.scene, cut.labels)
    rows: list[Row] = []
    same: list[bool] = []
    fresh = set(joining.borders)
    while True:
        for pair in sorted(fresh & set(joining.borders)):
            owners = {owner[label] for label in pair}
            if _UNSURE not in owners and owners != {_OTHER}:
                rows.append(joining.features(pair))
                same.append(owners == {_ITEM})
        of_item = [p for p in sorted(joining.borders) if {owner[q] for q in p} == {_ITEM}]
        if not of_item:
            return rows, same
        chosen = of_item[int(rng.integers(len(of_item)))]
        joining.join(chosen)
        fresh = {pair for pair in joining.borders if chosen[0] in pair}


def _owners(sample: Sample, cut: Cut) -> dict[int, int]:
    """Tell of each label whose it is."""
    y, x = cut.corner
    rows, columns = cut.labels.shape
    window = np.s_[y :: cut.step, x :: cut.step]
    of_item: NDArray[np.bool_] = sample.item_mask[window][:rows, :columns]
    count = int(cut.labels.max()) + 1
    area = np.bincount(cut.labels.ravel(), minlength=count)
    inside = np.bincount(cut.labels[of_item], minlength=count)
    share = inside / np.maximum(1, area)
    return {
        label: _ITEM if share[label] > _SURE else _OTHER if share[label] < 1 - _SURE else _UNSURE
        for label in range(1, count)
    }
