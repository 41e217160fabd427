"""Labels and predictions side by side, as arrays: what every measure starts from."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.dataset import Sample
from damage_perception.learning.predictions.prediction import Prediction
from damage_perception.perception.decision.calibration import ScoreCurve
from damage_perception.report import Severity


@dataclass(frozen=True, eq=False)
class Outcomes:
    """One row an image whose item is labelled; rows follow the data set.

    Attributes:
        samples, predictions: (N,) what the rows came from.
        damaged, major: (N,) bool; major where the worst damage is.
        score: (N,) float64 P(damaged), NaN = UNKNOWN.
        raw: (N,) float64 what the score was made from, NaN = UNKNOWN or not said.
        missed: (N,) bool, the labelled item was not found.
        item: (N,) int64 number of the physical item.
        depth_m: (N,) float64 deepest labelled damage, NaN = not labelled.
    """

    samples: tuple[Sample, ...]
    predictions: tuple[Prediction, ...]
    damaged: NDArray[np.bool_]
    major: NDArray[np.bool_]
    score: NDArray[np.float64]
    raw: NDArray[np.float64]
    missed: NDArray[np.bool_]
    item: NDArray[np.int64]
    depth_m: NDArray[np.float64]

    @property
    def unknown(self) -> NDArray[np.bool_]:
        """Say where nothing was judged."""
        return np.isnan(self.score)

    @property
    def has_major(self) -> bool:
        """Say whether severity is labelled at all."""
        return bool(self.major.any())

    @property
    def has_raw(self) -> bool:
        """Say whether every score comes with the raw score that it was made from."""
        return bool((np.isfinite(self.raw) | self.unknown | self.missed).all()) and bool(
            np.isfinite(self.raw).any()
        )

    def rescored(self, curve: ScoreCurve) -> Outcomes:
        """Give the same rows with P(damaged) as a curve makes it of their raw scores.

        What has no raw score keeps what was said: UNKNOWN, or 0 where an item was missed.
        """
        made = np.where(np.isfinite(self.raw), curve.probability(self.raw), self.score)
        return replace(self, score=made)

    def tagged(self, tag: str) -> NDArray[np.bool_]:
        """Say which rows carry a tag."""
        return np.array([tag in sample.tags for sample in self.samples], bool)

    def tags(self, *prefixes: str) -> list[str]:
        """List the tags that begin with one of the prefixes."""
        found = {tag for sample in self.samples for tag in sample.tags}
        return sorted(tag for tag in found if tag.startswith(prefixes))


def join(samples: Sequence[Sample], predictions: Mapping[int | str, Prediction]) -> Outcomes:
    """Put labels and predictions side by side; images without a label are left out.

    Raises:
        UserError: if a labelled image has no prediction, or a prediction belongs to no image.
    """
    known = {sample.image_id for sample in samples}
    stray = next((name for name in predictions if name not in known), None)
    if stray is not None:
        raise UserError(
            f'the predictions hold image {stray}, which the data set (or its split) does not; '
            'give the data set that was judged'
        )
    labelled = [sample for sample in samples if sample.damaged is not None]
    absent = [sample.image_id for sample in labelled if sample.image_id not in predictions]
    if absent:
        raise UserError(
            f'{len(absent):,} images have no prediction, the first is {absent[0]}; '
            'an image that could not be judged needs a line with score null'
        )
    if not labelled:
        raise UserError('no image of the data set is labelled sound or damaged; nothing to measure')
    said = [predictions[sample.image_id] for sample in labelled]
    names = [sample.item_id or f'image {sample.image_id}' for sample in labelled]
    _, item = np.unique(names, return_inverse=True)
    return Outcomes(
        samples=tuple(labelled),
        predictions=tuple(said),
        damaged=np.array([bool(sample.damaged) for sample in labelled]),
        major=np.array([sample.severity == Severity.MAJOR for sample in labelled]),
        score=np.array([prediction.score for prediction in said], np.float64),
        raw=np.array([prediction.raw for prediction in said], np.float64),
        missed=np.array([prediction.missed for prediction in said]),
        item=item.astype(np.int64),
        depth_m=np.array([_deepest(sample) for sample in labelled], np.float64),
    )


def _deepest(sample: Sample) -> float:
    depths = [abs(d.depth_m) for d in sample.damages if not math.isnan(d.depth_m)]
    return max(depths, default=math.nan)
