"""ItemViews with labels: what training learns from, made as the product makes its own."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame
from damage_perception.perception.view.face import find_face
from damage_perception.perception.view.fusion import fuse
from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.rectify import rectify
from damage_perception.perception.view.window import ItemWindow
from damage_perception.report import Roi
from damage_perception.synthesis.patch import Damage
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.truth import is_shown


@dataclass(frozen=True, eq=False)
class LabelledView:
    """An ItemView and the damages in it.

    Attributes:
        view: the item, square on to its face.
        masks: one (H, W) bool a damage, in the pixels of the view.
        damages: their truths, in the same order.
    """

    view: ItemView
    masks: tuple[NDArray[np.bool_], ...]
    damages: tuple[Damage, ...]

    def label_map(self) -> NDArray[np.uint8]:
        """Give the type of damage at each pixel of the view, 0 = none."""
        labels = np.zeros(self.view.item_mask.shape, np.uint8)
        for mask, damage in zip(self.masks, self.damages, strict=True):
            labels[mask] = damage.damage_type
        return labels


def labelled_view(sample: Sample) -> LabelledView | None:
    """Rectify a sample by its own measured face; None where it shows too little depth.

    The item mask and the support are the true ones; face, size and orientation are found in the
    measured depth by the same code that the product runs. Further shots are fused as along a track.
    """
    frame = MeasuredFrame(sample.rgb, sample.depth_m, sample.camera)
    height, width = sample.item_mask.shape
    roi = Roi(0, 0, width, height)
    face = find_face(frame, sample.item_mask, roi, sample.plane, sample.profile)
    if face is None:
        return None
    window = ItemWindow(roi, sample.item_mask, sample.others_mask)
    view = rectify(frame, window, face, sample.profile)
    for rgb, depth in sample.more:
        shot = replace(frame, rgb=rgb, depth_m=depth)
        view = fuse(view, rectify(shot, window, face, sample.profile), 1.0) or view
    masks: list[NDArray[np.bool_]] = []
    for start in range(0, len(sample.damages), 3):  # masks travel as the channels of a picture
        part = [damage.mask for damage in sample.damages[start : start + 3]]
        channels = part + [np.zeros_like(part[0])] * (3 - len(part))
        painted = np.stack(channels, axis=2).astype(np.uint8) * np.uint8(255)
        seen = rectify(replace(frame, rgb=painted), window, face, sample.profile).rgb > 127
        masks += [seen[..., k] & view.seen for k in range(len(part))]
    return _labelled(view, masks, [damage.truth for damage in sample.damages])


def _labelled(
    view: ItemView, masks: list[NDArray[np.bool_]], damages: list[Damage]
) -> LabelledView:
    """Leave out what the view hides though a picture shows it, below a neighbour or beside it."""
    kept = [
        (mask, damage)
        for mask, damage in zip(masks, damages, strict=True)
        if is_shown(int(mask.sum()), float(mask.sum()) * view.resolution_m**2 / damage.area_m2)
    ]
    return LabelledView(view, tuple(mask for mask, _ in kept), tuple(truth for _, truth in kept))
