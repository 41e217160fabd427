"""What geometry, network, reference and quality of a view say together: one score an item.

Boosted trees weigh the numbers of all parts; a part that is missing is a missing number, so the
same model judges with the network or without, with a reference or without. The more sure geometry
or network is, the higher the score: the trees are monotone in both.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from damage_perception.errors import UserError
from damage_perception.network.boosted_trees import BoostedTrees
from damage_perception.network.judgement import NetworkJudgement
from damage_perception.network.weights import EVIDENCE, read_file, read_manifest
from damage_perception.perception.decision.odds import log_odds, logistic
from damage_perception.perception.evidence.blobs import network_blobs
from damage_perception.perception.evidence.sure_holes import hole_score
from damage_perception.perception.geometry.geometry import DamageBlob, GeometryEvidence
from damage_perception.perception.view.item_view import ItemView

_PRIOR = math.log(0.001 / 0.999)  # one item in a thousand is damaged; half of those learned from
_LEAST_PIXEL = -12.0
_SAME = 0.3  # share of the smaller of two damages that the other covers, if they are one


@dataclass(frozen=True, eq=False)
class Evidence:
    """What is known of a view.

    Attributes:
        score: raw, larger = more damaged; NaN = not judged.
        probability: P(damaged) of the item before calibration, [0, 1]; NaN = not judged.
        confidence: (H, W) float32 P(damage) in [0, 1], NaN = not judged; its worst place says
            what the item says.
        blobs: the damages, surest first.
    """

    score: float
    probability: float
    confidence: NDArray[np.float32]
    blobs: list[DamageBlob]


def of_geometry(geometry: GeometryEvidence) -> Evidence:
    """Take the word of geometry alone, where no weights are loaded."""
    return Evidence(geometry.score, geometry.probability, geometry.confidence, geometry.blobs)


class EvidenceModel:
    """Weighs the parts; `names` are the features, in the order of the trees."""

    def __init__(self, names: tuple[str, ...], trees: BoostedTrees) -> None:
        self.names, self.trees = names, trees

    def scores(self, rows: Sequence[Mapping[str, float]]) -> NDArray[np.float64]:
        """Give the log-odds of damage of each row of features, as if half of all were damaged."""
        values = [[row.get(name, math.nan) for name in self.names] for row in rows]
        return self.trees.logits(np.array(values, np.float32).reshape(len(rows), len(self.names)))

    def weigh(
        self,
        view: ItemView,
        geometry: GeometryEvidence,
        features: Mapping[str, float],
        network: NetworkJudgement | None = None,
    ) -> Evidence:
        """Join what the parts say about a view.

        Args:
            view: the item.
            geometry: of the same view.
            features: of geometry and quality, see `item_features`.
            network: of the same view; None = it was not asked.
        """
        if math.isnan(geometry.score) and network is None:
            return of_geometry(geometry)
        known = {**features, **(network.features if network else {})}
        score = max(float(self.scores([known])[0]), hole_score(view, features, geometry, network))
        worst, level = _places(geometry, network), score + _PRIOR
        peak = float(np.nanmax(worst)) if np.isfinite(worst).any() else 0.0
        seen = network_blobs(view, network) if network else []
        blobs = geometry.blobs + [blob for blob in seen if not _known(blob, geometry.blobs)]
        return Evidence(
            score,
            float(logistic(level)),
            logistic(worst - peak + level).astype(np.float32),
            _levelled(blobs, level),
        )


def load_evidence(folder: Path) -> EvidenceModel:
    """Load the evidence of a folder of weights.

    Raises:
        UserError: if it cannot be used.
    """
    names = read_manifest(folder).evidence
    try:
        return EvidenceModel(names, BoostedTrees(**load(read_file(folder, EVIDENCE))))
    except (SafetensorError, TypeError, ValueError, KeyError) as error:
        raise UserError(f'{folder / EVIDENCE}: {error}; export the weights again') from None


def _places(geometry: GeometryEvidence, network: NetworkJudgement | None) -> NDArray[np.float32]:
    """Give the log-odds of each pixel by whichever part is surer, NaN = neither looked."""
    shape = log_odds(geometry.confidence)
    if network is None:
        return np.asarray(shape, np.float32)
    return np.fmax(np.maximum(shape, np.float32(_LEAST_PIXEL)), network.log_odds)


def _known(blob: DamageBlob, measured: list[DamageBlob]) -> bool:
    """Tell whether geometry has measured a damage that the network points at."""
    area = np.count_nonzero(blob.mask)
    return any(
        np.count_nonzero(blob.mask & other.mask) >= _SAME * min(area, np.count_nonzero(other.mask))
        for other in measured
    )


def _levelled(blobs: list[DamageBlob], level: float) -> list[DamageBlob]:
    """Move the damages so that the surest says what the item says."""
    odds = [float(log_odds(blob.confidence)) for blob in blobs]
    top = max(odds, default=0.0)
    moved = [
        DamageBlob(blob.damage_type, blob.mask, blob.depth_m, float(logistic(own - top + level)))
        for blob, own in zip(blobs, odds, strict=True)
    ]
    return sorted(moved, key=lambda blob: -blob.confidence)
