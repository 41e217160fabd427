"""The default detector of an evaluation: what judges a single picture for `predict`."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.frame import ItemIdentity
from damage_perception.learning.dataset import Sample
from damage_perception.learning.predictions.evaluation import Predictor
from damage_perception.learning.predictions.prediction import PredictedDamage, Prediction
from damage_perception.learning.predictions.reference_views import reference_views
from damage_perception.perception.comparison.fixed_references import FixedReferences
from damage_perception.report import DamageReport, Health, ItemReport, Status
from damage_perception.settings import Settings
from damage_perception.single_picture import judge_picture

SHARE = 0.5  # of the labelled item that must be covered, and of a piece that must lie on it


def pipeline_predictor(references: bool = False, settings: Settings | None = None) -> Predictor:
    """Judge each image with a fresh pipeline, so that no image knows of another.

    Files that are broken or do not fit each other make the image UNKNOWN, as a camera's would.

    Args:
        references: whether the item is compared with the references of its sample.
        settings: see `Settings`.
    """

    def predict(sample: Sample) -> Prediction:
        try:
            frame = sample.frame()
        except UserError as error:
            return Prediction(math.nan, reason=str(error))
        if sample.sku:
            frame = replace(frame, identity=ItemIdentity(sample.sku))
        if not references:
            return from_report(sample, judge_picture(frame, settings))
        views = reference_views(sample, settings)
        report = judge_picture(frame, settings, FixedReferences(views, sample.sku))
        return replace(from_report(sample, report), references=len(views))

    return predict


def from_report(sample: Sample, report: DamageReport) -> Prediction:
    """Take the report on what is labelled: the highest confidence among the items that cover it.

    An item that is found in pieces is as damaged as the worst of them, as each gets a decision.
    Where what was found covers less than half of any labelled item the score is 0 and it was
    missed; where nothing that covers one was judged, or the frame was not, it is UNKNOWN.
    """
    if report.health == Health.UNKNOWN:
        return Prediction(math.nan, reason=report.reason, detector=report.detector)
    items = _covering(sample, report)
    if not items:
        return Prediction(0.0, missed=True, labels=report.label_mask(), detector=report.detector)
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
        compared=any(not item.status & Status.NO_REFERENCE for item in items),
    )


def _covering(sample: Sample, report: DamageReport) -> list[ItemReport]:
    if not sample.items:
        return list(report.items)
    covering = (_covering_one(region.read(), sample, report) for region in sample.items)
    return list(dict.fromkeys(item for items in covering for item in items))


def _covering_one(
    labelled: NDArray[np.bool_], sample: Sample, report: DamageReport
) -> list[ItemReport]:
    """Give the found items that cover a labelled one: one by one, else in pieces together."""
    if labelled.shape != (report.height, report.width):
        raise UserError(
            f'image {sample.image_id} ({sample.rgb}) is {report.width}x{report.height}, its labels '
            f'are for {labelled.shape[1]}x{labelled.shape[0]}; label it again at its own size'
        )
    shared = [int(np.count_nonzero(labelled[i.roi.slices] & i.mask)) for i in report.items]
    enough = SHARE * max(1, int(np.count_nonzero(labelled)))
    whole = [item for item, pixels in zip(report.items, shared, strict=True) if pixels >= enough]
    if whole:
        return whole
    pieces = [
        (item, pixels)
        for item, pixels in zip(report.items, shared, strict=True)
        if pixels >= SHARE * int(np.count_nonzero(item.mask)) > 0
    ]
    together = sum(pixels for _, pixels in pieces)  # masks of items never overlap
    return [item for item, _ in pieces] if together >= enough else []
