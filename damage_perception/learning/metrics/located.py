"""Measures of where and how deep: IoU by type, AUPRO, error of depth; what labels allow."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.dataset import Damage, Sample
from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.metrics.pixel_metrics import IouCounter, aupro
from damage_perception.learning.predictions.prediction import PredictedDamage

LIMITS = (0.3, 0.01)


def located_metrics(outcomes: Outcomes) -> dict[str, Any]:
    """Give `iou_by_type`, `aupro` and `depth_error_mm`, each only where there is data for it."""
    result: dict[str, Any] = {}
    counter = IouCounter()
    images = 0
    for sample, said in zip(outcomes.samples, outcomes.predictions, strict=True):
        predicted = said.read_labels()
        labelled = None if predicted is None else sample.label_mask()
        if predicted is not None and labelled is not None:
            try:
                counter.add(predicted, labelled)
            except ValueError as error:
                raise UserError(f'prediction of image {sample.image_id}: {error}') from None
            images += 1
    if images:
        result['iou_by_type'] = counter.result()
    if any(said.confidence is not None for said in outcomes.predictions):
        areas = aupro(_confidences(outcomes), LIMITS)
        result['aupro'] = {str(limit): area for limit, area in areas.items()}
    errors = _depth_errors(outcomes)
    if errors:
        result['depth_error_mm'] = {name: _spread(values) for name, values in errors.items()}
    return result


def _spread(errors: list[tuple[float, float]]) -> dict[str, float]:
    error, depth = np.asarray(errors).T
    return {
        'count': len(errors),
        'median': float(np.median(error)),
        'p90': float(np.quantile(error, 0.9)),
        'median_share': float(np.median(error / np.maximum(depth, 1e-9))),
    }


def _confidences(
    outcomes: Outcomes,
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    for sample, said in zip(outcomes.samples, outcomes.predictions, strict=True):
        confidence = said.read_confidence()
        labels = None if confidence is None else sample.label_mask()
        if confidence is not None and labels is not None:
            if confidence.shape != labels.shape:
                raise UserError(
                    f'prediction of image {sample.image_id}: confidence must be {labels.shape} '
                    f'like the image, got {confidence.shape}'
                )
            yield confidence, labels > 0


def _depth_errors(outcomes: Outcomes) -> dict[str, list[tuple[float, float]]]:
    """Compare each labelled depth with that of the predicted damage that overlaps it most.

    Returns:
        Error and labelled depth, millimetres, by type; what is flat has no depth to be off.
    """
    errors: dict[str, list[tuple[float, float]]] = {}
    for sample, said in zip(outcomes.samples, outcomes.predictions, strict=True):
        measured = [damage for damage in said.damages if not math.isnan(damage.depth_m)]
        for damage in sample.damages if measured else ():
            found = _overlapping(sample, damage, measured)
            if found is not None:
                error = abs(abs(found.depth_m) - abs(damage.depth_m)) * 1000.0
                name = damage.damage_type.name.lower()
                errors.setdefault(name, []).append((error, abs(damage.depth_m) * 1000.0))
    return errors


def _overlapping(
    sample: Sample, damage: Damage, found: list[PredictedDamage]
) -> PredictedDamage | None:
    if math.isnan(damage.depth_m) or not damage.depth_m or damage.region is None:
        return None
    pixels = damage.region.read()
    best, most = None, 0
    for candidate in found:
        x, y, width, height = (max(0, round(value)) for value in candidate.box)
        shared = int(np.count_nonzero(pixels[y : y + height, x : x + width]))
        if shared > most:
            best, most = candidate, shared
    return best
