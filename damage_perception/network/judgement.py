"""What the network says about views, in the pixels of the views; several in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.backends import Backend
from damage_perception.network.inputs import batch, view_tensor
from damage_perception.network.outputs import ANY, STRIDE, TYPES, damage_probability
from damage_perception.perception.item_view import ItemView
from damage_perception.perception.surface import Relief
from damage_perception.report import DamageType


@dataclass(frozen=True, eq=False)
class NetworkJudgement:
    """What the network says about one view; raw, not calibrated.

    Attributes:
        score: logit of any damage.
        types: logit of each type of damage, by type.
        probability: (H, W) float32 P(damage) of each pixel, NaN = not seen.
        likeliest: (H, W) uint8 DamageType that is likeliest, if there is damage at all.
    """

    score: float
    types: dict[DamageType, float]
    probability: NDArray[np.float32]
    likeliest: NDArray[np.uint8]


def judge_views(
    backend: Backend,
    views: Sequence[ItemView],
    references: Sequence[ItemView | None] | None = None,
    reliefs: Sequence[Relief | None] | None = None,
) -> list[NetworkJudgement]:
    """Judge the views of a frame in one batch.

    Args:
        backend: runs the network.
        views: items, of any sizes.
        references: for each view a sound item of its product on its own grid, or None.
        reliefs: the views' own reliefs if they are known already.
    """
    if not views:
        return []
    nothing = [None] * len(views)
    tensors = [
        view_tensor(view, reference, relief)
        for view, reference, relief
        in zip(views, references or nothing, reliefs or nothing, strict=True)
    ]  # fmt: skip
    out = backend.predict(batch(tensors))
    probability = damage_probability(out.maps)
    likeliest = out.maps[:, 1:].argmax(axis=1)
    kinds = np.array(TYPES, np.uint8)
    return [
        NetworkJudgement(
            float(scores[ANY]),
            {kind: float(scores[row]) for row, kind in enumerate(TYPES)},
            np.where(view.seen, _enlarge(chance, view, cv2.INTER_LINEAR), np.float32(np.nan)),
            kinds[_enlarge(kind_of.astype(np.uint8), view, cv2.INTER_NEAREST)],
        )
        for view, scores, chance, kind_of
        in zip(views, out.scores, probability, likeliest, strict=True)
    ]  # fmt: skip


def _enlarge(values: NDArray[np.generic], view: ItemView, how: int) -> NDArray[np.generic]:
    """Bring a map to the pixels of its view; what was padded is cut off."""
    rows, columns = view.item_mask.shape
    size = (STRIDE * values.shape[1], STRIDE * values.shape[0])
    return np.asarray(cv2.resize(values, size, interpolation=how)[:rows, :columns])
