"""What the network says about views, in the pixels of the views; several in one batch."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.network.backends import Backend
from damage_perception.network.inputs import Tensor, batch, view_tensor
from damage_perception.network.outputs import STRIDE, TYPES
from damage_perception.network.view_features import channel_features, network_features
from damage_perception.perception.geometry.surface import Relief
from damage_perception.perception.view.item_view import ItemView

_LIMIT = 12.0  # log-odds beyond which nothing is surer
_KINDS = np.array(TYPES, np.uint8)
# One thread, so that a network which several share is asked one question after the other.
_BESIDE = ThreadPoolExecutor(1, 'network')


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


class Question:
    """Views of a frame that the network judges in one batch, beside what the caller does.

    Args:
        backend: runs the network.
        views: items, of any sizes.
        references: for each view a sound item of its product on its own grid, or None.
        reliefs: the views' own reliefs if they are known already.
    """

    def __init__(
        self,
        backend: Backend,
        views: Sequence[ItemView],
        references: Sequence[ItemView | None] | None = None,
        reliefs: Sequence[Relief | None] | None = None,
    ) -> None:
        nothing = [None] * len(views)
        self._views = views
        self._tensors = [
            view_tensor(view, reference, relief)
            for view, reference, relief
            in zip(views, references or nothing, reliefs or nothing, strict=True)
        ]  # fmt: skip
        self._said = _BESIDE.submit(backend.predict, batch(self._tensors)) if views else None
        self._seen = [channel_features(channels) for channels in self._tensors]

    def answer(self) -> list[NetworkJudgement]:
        """Wait for the network and give what it says of each view; its errors are raised here."""
        if self._said is None:
            return []
        out = self._said.result()
        return [
            _judgement(*parts)
            for parts in zip(
                self._views, self._tensors, self._seen, out.maps, out.scores, strict=True
            )
        ]


def judge_views(
    backend: Backend,
    views: Sequence[ItemView],
    references: Sequence[ItemView | None] | None = None,
    reliefs: Sequence[Relief | None] | None = None,
) -> list[NetworkJudgement]:
    """Ask a `Question` and wait for its answer."""
    return Question(backend, views, references, reliefs).answer()


def _judgement(
    view: ItemView,
    channels: Tensor,
    seen: dict[str, float],
    maps: NDArray[np.float32],
    scores: NDArray[np.float32],
) -> NetworkJudgement:
    kind = np.clip(maps[1:] - maps[:1], -_LIMIT, _LIMIT)
    total = np.log(np.exp(kind).sum(axis=0))
    likeliest = _KINDS[_enlarge(kind.argmax(axis=0).astype(np.uint8), view, cv2.INTER_NEAREST)]
    log_odds = np.where(
        view.seen, _enlarge(total, view, cv2.INTER_LINEAR), np.float32(np.nan)
    ).astype(np.float32)
    return NetworkJudgement(log_odds, likeliest, seen | network_features(maps, scores, channels))


def _enlarge(values: NDArray[np.generic], view: ItemView, how: int) -> NDArray[np.generic]:
    """Bring a map to the pixels of its view; what was padded is cut off."""
    rows, columns = view.item_mask.shape
    size = (STRIDE * values.shape[1], STRIDE * values.shape[0])
    return np.asarray(cv2.resize(values, size, interpolation=how)[:rows, :columns])
