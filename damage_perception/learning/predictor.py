"""The default detector of an evaluation: the pipeline that the nodes run, on single images."""

from __future__ import annotations

import math

import numpy as np

from damage_perception.errors import CallError
from damage_perception.learning.dataset import Sample
from damage_perception.learning.evaluation import Predictor
from damage_perception.learning.prediction import PredictedDamage, Prediction
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport, Health, ItemReport
from damage_perception.settings import Settings

SHARE = 0.5  # of the labelled item that a found item must cover to be the same


def pipeline_predictor(references: bool = False, settings: Settings | None = None) -> Predictor:
    """Judge each image with a fresh pipeline, so that no image knows of another.

    Raises:
        CallError: if references are wanted, with which the pipeline does not compare.
    """
    if references:
        raise CallError(
            '--references on: the pipeline does not compare single images with references; '
            'give --predictions of a detector that does'
        )

    def predict(sample: Sample) -> Prediction:
        report = DamagePipeline(settings).process(sample.frame())
        return from_report(sample, report)

    return predict


def from_report(sample: Sample, report: DamageReport) -> Prediction:
    """Take the report on the labelled item: the highest confidence among the items that cover it.

    Where no found item covers at least half of it the score is 0 and the item was missed; where
    nothing that covers it was judged, or the frame was not, it is UNKNOWN.
    """
    if report.health == Health.UNKNOWN:
        return Prediction(math.nan, reason=report.reason)
    items = [item for item in report.items if _covers(item, sample, report)]
    if not items:
        return Prediction(0.0, missed=True, labels=report.label_mask())
    damages = [damage for item in items for damage in item.damages]
    confidences = [item.confidence for item in items]
    judged = [value for value in confidences if not math.isnan(value)]
    types: dict[str, float] = {}
    for damage in damages:
        name = damage.damage_type.name.lower()
        types[name] = max(types.get(name, 0.0), float(damage.confidence))
    raw = [item.segmentation_score for item in items if not math.isnan(item.confidence)]
    return Prediction(
        score=max(judged, default=math.nan),
        raw=max(raw, default=math.nan),
        detector=report.detector,
        types=types,
        damages=tuple(
            PredictedDamage(
                damage.damage_type,
                damage.severity,
                float(damage.confidence),
                (damage.roi.x, damage.roi.y, damage.roi.width, damage.roi.height),
                float(damage.depth),
            )
            for damage in damages
        ),
        labels=report.label_mask(),
        confidence=report.confidence_image(),
        reason='' if judged else 'no part of the item was judged',
    )


def _covers(item: ItemReport, sample: Sample, report: DamageReport) -> bool:
    """Say whether a found item covers at least half of the labelled one."""
    if sample.item is None:
        return True
    labelled = sample.item.read()
    if labelled.shape != (report.height, report.width):
        return False
    covered = np.count_nonzero(labelled[item.roi.slices] & item.mask)
    return int(covered) >= SHARE * max(1, int(np.count_nonzero(labelled)))
