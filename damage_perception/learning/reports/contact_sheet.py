"""Pictures of the worst misses and alarms, and of what another run told better or worse."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.dataset import Sample, largest_side
from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.predictions.prediction import Prediction
from damage_perception.report import NOT_JUDGED

Image = NDArray[np.uint8]
LABELLED, PREDICTED = (255, 210, 0), (230, 30, 30)  # outlines: what is there, what was said


def worst(outcomes: Outcomes, damaged: bool, count: int = 12) -> list[int]:
    """Give the rows of the worst misses (damaged) or of the worst alarms (sound), worst first."""
    score = np.where(outcomes.unknown, -1.0 if damaged else -2.0, outcomes.score)
    rows = np.flatnonzero(outcomes.damaged == damaged)
    order = np.argsort(score[rows] if damaged else -score[rows], kind='stable')
    return [int(row) for row in rows[order][:count]]


def changed(
    outcomes: Outcomes, before: NDArray[np.float64], count: int = 12
) -> tuple[list[int], list[int]]:
    """Give the rows that are told better than in another run, and those told worse, most first.

    What counts is the share of sound items that score as high: damaged items should have none
    above them, sound ones all.

    Args:
        outcomes: this run.
        before: (N,) scores of the other run for the same rows, NaN = UNKNOWN.
        count: rows of each kind, at most.
    """
    shares = [_sound_above(scores, outcomes.damaged) for scores in (before, outcomes.score)]
    gain = (shares[0] - shares[1]) * np.where(outcomes.damaged, 1.0, -1.0)
    order = [int(row) for row in np.argsort(-gain, kind='stable')]
    return (
        [row for row in order if gain[row] > 0.0][:count],
        [row for row in reversed(order) if gain[row] < 0.0][:count],
    )


def _sound_above(score: NDArray[np.float64], damaged: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Give the share of sound items that score at least as high as each; UNKNOWN scores lowest."""
    known = np.where(np.isnan(score), -1.0, score)
    sound = np.sort(known[~damaged])
    return 1.0 - np.searchsorted(sound, known) / max(len(sound), 1)


def picture(sample: Sample, said: Prediction, size: int = 320) -> Image:
    """Draw the item: cropped to its label, damage outlined in yellow, what was said in red."""
    canvas = sample.read_rgb().copy()
    labelled = sample.label_mask()
    if labelled is not None:
        _outline(canvas, labelled > 0, LABELLED)
    predicted = said.read_labels()
    if predicted is not None and predicted.shape == canvas.shape[:2]:
        _outline(canvas, (predicted > 0) & (predicted != NOT_JUDGED), PREDICTED)
    return largest_side(_crop(canvas, sample), size)


def _outline(canvas: Image, region: NDArray[np.bool_], colour: tuple[int, int, int]) -> None:
    contours, _ = cv2.findContours(
        region.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.drawContours(canvas, contours, -1, colour, max(1, max(canvas.shape) // 400))


def _crop(canvas: Image, sample: Sample) -> Image:
    if not sample.items:
        return canvas
    rows, columns = np.nonzero(np.logical_or.reduce([item.read() for item in sample.items]))
    if not rows.size:
        return canvas
    margin = 12
    top, left = max(0, rows.min() - margin), max(0, columns.min() - margin)
    return canvas[top : rows.max() + margin, left : columns.max() + margin]
