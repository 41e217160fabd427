"""Running a detector over a data set."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from damage_perception.errors import UserError
from damage_perception.learning.dataset import Sample
from damage_perception.learning.predictions.prediction import Prediction
from damage_perception.learning.predictions.prediction_file import write_predictions

Predictor = Callable[[Sample], Prediction]
Track = Callable[[Iterable[Sample]], Iterable[Sample]]


def predict_all(
    samples: Sequence[Sample],
    predictor: Predictor,
    path: Path,
    track: Track | None = None,
) -> dict[int | str, Prediction]:
    """Judge every sample and write `path` (JSON Lines) with masks beside it as it goes.

    Args:
        samples: what to judge.
        predictor: from a sample to what is said about it.
        path: the predictions file.
        track: wraps the samples to show progress.

    Raises:
        UserError: if an image is not there, before any is judged, or a file cannot be written.
    """
    _check_files(samples)
    tracked = samples if track is None else track(samples)
    return dict(write_predictions(path, _judge(tracked, predictor)))


def _check_files(samples: Sequence[Sample]) -> None:
    for sample in samples:
        for file in (sample.rgb, sample.depth):
            if isinstance(file, Path) and not file.is_file():
                raise UserError(
                    f'image {sample.image_id}: {file} is not there; copy the data set again'
                )


def _judge(
    samples: Iterable[Sample], predictor: Predictor
) -> Iterator[tuple[int | str, Prediction]]:
    for sample in samples:
        try:
            yield sample.image_id, predictor(sample)
        except UserError:  # labels or weights that cannot be used
            raise
        except Exception as error:  # one image must not end it all, as one frame does not
            why = f'it could not be judged: {type(error).__name__} {error}'
            yield sample.image_id, Prediction(math.nan, reason=why)
