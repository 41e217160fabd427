"""`damage-perception evaluate`: measure a detector on a labelled data set."""

from __future__ import annotations

import json
import math
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from damage_perception.errors import CallError, UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from damage_perception.learning.dataset import Sample
    from damage_perception.learning.metrics.outcomes import Outcomes
    from damage_perception.learning.predictions.prediction import Prediction


def evaluate(
    dataset: Annotated[
        str,
        typer.Option(help='FORMAT:DIR; rgbd-coco, kaputt, armbench, mvtec3d or folder.'),
    ],
    metrics: Annotated[Path, typer.Option(help='Where to write the measures (JSON).')],
    references: Annotated[
        str, typer.Option(help='on: items are compared with the references of the data set.')
    ] = 'off',
    predictions: Annotated[
        Path | None,
        typer.Option(help='JSON Lines: taken if the file is there, else written, masks beside it.'),
    ] = None,
    html: Annotated[Path | None, typer.Option(help='Where to write the report.')] = None,
    calibration: Annotated[
        Path | None, typer.Option(help='calibration.yaml whose thresholds are used.')
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(
            help='Measures of another run, as without references: both are printed, and --html '
            'shows what changed most if that run kept its --predictions.'
        ),
    ] = None,
    split: Annotated[str | None, typer.Option(help='Only this split, as test.')] = None,
    submission: Annotated[
        Path | None, typer.Option(help='Where to write the CSV of the Kaputt challenge.')
    ] = None,
    prevalence: Annotated[
        float, typer.Option(help='Share of damaged items for which precision is stated.')
    ] = 0.001,
    json_: Annotated[bool, typer.Option('--json', help='Print the measures as JSON.')] = False,
) -> None:
    """Measure a detector on labelled images: ours, or any whose predictions are given."""
    from damage_perception.cli.metrics_tables import print_measures, read_metrics
    from damage_perception.cli.result_places import check_place
    from damage_perception.learning.metrics.metrics import evaluate as measure
    from damage_perception.learning.metrics.outcomes import join
    from damage_perception.learning.readers import open_dataset
    from damage_perception.learning.readers.kaputt import write_submission
    from damage_perception.perception.decision.calibration_file import load_calibration

    if not 0.0 < prevalence < 1.0:
        raise CallError(f'--prevalence must lie between 0 and 1, got {prevalence}')
    if references not in ('on', 'off'):
        raise CallError(f'--references must be on or off, got {references}')
    for place in (metrics, html, submission):
        if place is not None:
            check_place(place)
    loaded = None if calibration is None else load_calibration(calibration)
    other = None if against is None else read_metrics(against)
    samples = open_dataset(dataset, split)
    with tempfile.TemporaryDirectory() as folder:  # masks live here if nobody wants to keep them
        path = predictions or Path(folder) / 'predictions.jsonl'
        said = _predictions(samples, path, references == 'on')
        if loaded is not None:
            for detector in {prediction.detector for prediction in said.values()}:
                loaded.check_detector(detector, str(calibration))
        if submission is not None:  # its test labels are withheld, so this comes before measuring
            write_submission(submission, {name: one.score for name, one in said.items()})
        outcomes = join(samples, said)
        if loaded is not None and loaded.curve is not None:
            outcomes = outcomes.rescored(loaded.curve)
        result: dict[str, Any] = {'dataset': dataset, 'split': split, 'references': references}
        if references == 'on':
            result['referenced'] = _referenced(samples, said)
        if predictions is not None:
            result['predictions'] = str(predictions.resolve())
        result |= measure(outcomes, loaded, prevalence)
        _write(metrics, result)
        if html is not None:
            from damage_perception.learning.reports.html_report import write_report

            before = None if other is None else _before(other, outcomes)
            write_report(html, f'Evaluation of {dataset}', result, outcomes, prevalence, before)
    if json_:
        typer.echo(json.dumps(plain(result)))
    else:
        print_measures(plain(result), other)


def plain(value: Any) -> Any:
    """Give a value as JSON knows it: NaN becomes null, numpy numbers become Python's."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if hasattr(value, 'item'):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _predictions(
    samples: list[Sample], path: Path, references: bool
) -> dict[int | str, Prediction]:
    from rich.console import Console
    from rich.progress import track

    from damage_perception.learning.predictions.evaluation import predict_all
    from damage_perception.learning.predictions.prediction_file import read_predictions

    if path.exists():
        typer.echo(f'scores are taken from {path}', err=True)
        said = read_predictions(path)
        if references != any(one.references is not None for one in said.values()):
            raise CallError(
                f'{path} is of --references {"off" if references else "on"}: its lines '
                f'{"do not say" if references else "say"} how many references were used; give the '
                'right file or a new name'
            )
        return said
    from damage_perception.learning.predictions.predictor import pipeline_predictor

    predictor = pipeline_predictor(references)
    console = Console(stderr=True)

    def show(entries: Any) -> Any:
        return track(entries, description='judging', total=len(samples), console=console)

    said = predict_all(samples, predictor, path, show)
    if reasons := Counter(one.reason for one in said.values() if one.reason):
        ((reason, _),) = reasons.most_common(1)
        typer.echo(f'{reasons.total():,} images are UNKNOWN, most often: {reason}', err=True)
    return said


def _referenced(samples: list[Sample], said: dict[int | str, Prediction]) -> dict[str, int]:
    """Count the images with references, with usable ones and with one that fitted the item."""
    return {
        'listed': sum(bool(sample.references) for sample in samples),
        'usable': sum(bool(one.references) for one in said.values()),
        'compared': sum(one.compared for one in said.values()),
    }


def _before(other: dict[str, Any], outcomes: Outcomes) -> NDArray[np.float64] | None:
    """Give the scores of another run for the same images; None where it did not keep them."""
    import numpy as np

    from damage_perception.learning.predictions.prediction_file import read_predictions

    path = Path(str(other.get('predictions', '')))
    if not path.is_file():
        return None
    said = read_predictions(path)
    names = [sample.image_id for sample in outcomes.samples]
    if any(name not in said for name in names):
        raise UserError(f'{path}, which --against names, is of other images; measure it again')
    return np.array([said[name].score for name in names], np.float64)


def _write(path: Path, result: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(plain(result), indent=2) + '\n', encoding='utf-8')
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror})') from None
