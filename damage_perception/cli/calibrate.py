"""`damage-perception calibrate`: from a budget of false alarms to a threshold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from damage_perception.errors import CallError, UserError

if TYPE_CHECKING:
    from damage_perception.learning.outcomes import Outcomes
    from damage_perception.perception.calibration import Calibration


def calibrate(
    labels: Annotated[Path, typer.Option(help='dataset.json of an rgbd-coco data set.')],
    predictions: Annotated[Path, typer.Option(help='What was said about it (JSON Lines).')],
    out: Annotated[Path, typer.Option(help='Where to write calibration.yaml.')],
    budget: Annotated[
        float, typer.Option(help='Share of sound items that may be diverted, as 0.001.')
    ] = 0.001,
    confidence: Annotated[float, typer.Option(help='Chance that the bound holds.')] = 0.95,
    groups: Annotated[
        str, typer.Option(help='Tags GROUPS:NAME name product groups that get their own threshold.')
    ] = 'family',
    split: Annotated[str | None, typer.Option(help='Only this split, as val.')] = None,
    prevalence: Annotated[
        float, typer.Option(help='Share of damaged items for which the plots state precision.')
    ] = 0.001,
    plots: Annotated[Path | None, typer.Option(help='Folder for plots (PNG).')] = None,
) -> None:
    """Find the threshold that keeps false alarms of sound items within a budget."""
    from damage_perception.learning.calibrate import calibrate as fit
    from damage_perception.learning.outcomes import join
    from damage_perception.learning.prediction_file import read_predictions
    from damage_perception.learning.readers import rgbd_coco

    for name, value in (('budget', budget), ('confidence', confidence), ('prevalence', prevalence)):
        if not 0.0 < value < 1.0:
            raise CallError(f'--{name} must lie between 0 and 1, got {value}')
    samples = rgbd_coco.read(labels)
    if split is not None:
        samples = [sample for sample in samples if sample.split == split]
    if not samples:
        raise UserError(f'{labels} lists no image' + (f' of split {split}' if split else ''))
    outcomes = join(samples, read_predictions(predictions))
    source = labels / 'dataset.json' if labels.is_dir() else labels
    fitted = fit(outcomes, budget, confidence, groups, (source, predictions))
    _write(out, fitted)
    if plots is not None:
        _plots(plots, outcomes, fitted, prevalence)
    point = fitted.point
    typer.echo(
        f'{out}: threshold {point.threshold:.4f}; {point.alarms} of {point.sound_items:,} sound '
        f'items reach it; at {confidence:.0%} confidence at most {point.bound:.4%} of sound items '
        f'will (budget {budget:.4%}); groups of their own: {", ".join(fitted.groups) or "none"}'
    )


def _write(path: Path, calibration: Calibration) -> None:
    import yaml

    from damage_perception.perception.calibration import to_dict

    data: dict[str, Any] = to_dict(calibration)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding='utf-8')
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror})') from None


def _plots(folder: Path, outcomes: Outcomes, calibration: Calibration, prevalence: float) -> None:
    from damage_perception.learning.calibrate import sound_item_scores
    from damage_perception.learning.calibration import item_scores
    from damage_perception.learning.figures import score_figure, station_figure

    sound = sound_item_scores(outcomes, ~outcomes.damaged)
    damaged, _ = item_scores(outcomes.score[outcomes.damaged], outcomes.item[outcomes.damaged])
    try:
        folder.mkdir(parents=True, exist_ok=True)
        score_figure(outcomes, calibration.point.threshold).savefig(folder / 'scores.png', dpi=120)
        station_figure(sound, damaged, prevalence).savefig(folder / 'budget.png', dpi=120)
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror})') from None
