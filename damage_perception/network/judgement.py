"""What the network says about views, in the pixels of the views; several in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.backends import Backend
from damage_perception.network.inputs import batch, view_tensor
from damage_perception.network.outputs import STRIDE, TYPES
from damage_perception.network.view_features import channel_features, network_features
from damage_perception.perception.geometry.surface import Relief
from damage_perception.perception.view.item_view import ItemView

_LIMIT = 12.0  # log-odds beyond which nothing is surer


@dataclass(frozen=True, eq=False)
class NetworkJudgement:
    """What the network says about one view; raw, not calibrated.

    Attributes:
        log_odds: (H, W) float32 of any damage at each pixel, NaN = not seen.
        likeliest: (H, W) uint8 DamageType that is likeliest, if there is damage at all.
        features: numbers of the whole view for the evidence, by name.
    """

    log_odds: NDArray[np.float32]
    likeliest: NDArray[np.uint8]
    features: dict[str, float] = field(default_factory=dict)


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
    evidence = np.clip(out.maps[:, 1:] - out.maps[:, :1], -_LIMIT, _LIMIT)
    kinds = np.array(TYPES, np.uint8)
    judged = []
    for view, channels, maps, scores, kind in zip(
        views, tensors, out.maps, out.scores, evidence, strict=True
    ):
        total = np.log(np.exp(kind).sum(axis=0))
        likeliest = kinds[_enlarge(kind.argmax(axis=0).astype(np.uint8), view, cv2.INTER_NEAREST)]
        log_odds = np.where(
            view.seen, _enlarge(total, view, cv2.INTER_LINEAR), np.float32(np.nan)
        ).astype(np.float32)
        features = channel_features(channels) | network_features(maps, scores, channels)
        judged.append(NetworkJudgement(log_odds, likeliest, features))
    return judged


def _enlarge(values: NDArray[np.generic], view: ItemView, how: int) -> NDArray[np.generic]:
    """Bring a map to the pixels of its view; what was padded is cut off."""
    rows, columns = view.item_mask.shape
    size = (STRIDE * values.shape[1], STRIDE * values.shape[0])
    return np.asarray(cv2.resize(values, size, interpolation=how)[:rows, :columns])
