"""`damage-perception calibrate`: from a budget of false alarms to a threshold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from damage_perception.errors import CallError, UserError

if TYPE_CHECKING:
    from damage_perception.learning.metrics.outcomes import Outcomes
    from damage_perception.perception.decision.calibration import Calibration


def calibrate(
    out: Annotated[Path, typer.Option(help='Where to write calibration.yaml.')],
    labels: Annotated[
        Path | None, typer.Option(help='dataset.json of an rgbd-coco data set.')
    ] = None,
    predictions: Annotated[
        Path | None, typer.Option(help='What was said about it (JSON Lines), with --labels.')
    ] = None,
    journal: Annotated[
        Path | None, typer.Option(help='Or a journal of decisions, some of them reviewed.')
    ] = None,
    engine: Annotated[
        int, typer.Option(min=0, help='Or so many items, rendered and judged here.')
    ] = 0,
    seed: Annotated[int, typer.Option(min=0, help='Of the rendered items.')] = 7,
    damaged: Annotated[
        float, typer.Option(help='Share of the rendered items that are damaged.')
    ] = 0.1,
    params: Annotated[
        Path | None, typer.Option(help='ROS parameter file of what judges the rendered items.')
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=256, help='Processes that render.')] = 1,
    budget: Annotated[
        float, typer.Option(help='Share of sound items that may be diverted, as 0.001.')
    ] = 0.001,
    confidence: Annotated[float, typer.Option(help='Chance that the bound holds.')] = 0.95,
    groups: Annotated[
        str, typer.Option(help='Tags GROUPS:NAME name product groups that get their own threshold.')
    ] = 'family',
    split: Annotated[str | None, typer.Option(help='Only this split of --labels, as val.')] = None,
    prevalence: Annotated[
        float, typer.Option(help='Share of damaged items for which P(damaged) is stated.')
    ] = 0.001,
    plots: Annotated[Path | None, typer.Option(help='Folder for plots (PNG).')] = None,
) -> None:
    """Find what a raw score means and the threshold that keeps false alarms within a budget."""
    from damage_perception.cli.result_places import check_place
    from damage_perception.learning.calibration.calibrate import calibrate as fit
    from damage_perception.learning.calibration.calibration import check_count
    from damage_perception.perception.decision.calibration_file import write_calibration

    shares = {'budget': budget, 'confidence': confidence, 'prevalence': prevalence,
              'damaged': damaged}  # fmt: skip
    for name, value in shares.items():
        if not 0.0 < value < 1.0:
            raise CallError(f'--{name} must lie between 0 and 1, got {value}')
    if [labels is not None, journal is not None, engine > 0].count(True) != 1:
        raise CallError('give one of --labels with --predictions, --journal or --engine')
    if (labels is None) != (predictions is None):
        raise CallError('--labels and --predictions go together')
    check_place(out)
    files: tuple[Path, ...] = ()
    if labels is not None and predictions is not None:
        outcomes = _of_data_set(labels, predictions, split)
        files = (labels / 'dataset.json' if labels.is_dir() else labels, predictions)
    elif journal is not None:
        outcomes, files = _of_journal(journal), (journal,)
    else:
        # Told before hours of rendering.
        check_count(round(engine * (1.0 - damaged)), budget, confidence)
        outcomes = _of_engine(engine, seed, damaged, params, workers)
    fitted = fit(outcomes, budget, confidence, groups, files, prevalence)
    write_calibration(out, fitted)
    if plots is not None:
        _plots(plots, outcomes, fitted)
    point = fitted.point
    typer.echo(
        f'{out}: threshold {point.threshold:.4g}; {point.alarms} of {point.sound_items:,} sound '
        f'items reach it; at {confidence:.0%} confidence at most {point.bound:.4%} of sound items '
        f'will (budget {budget:.4%}); groups of their own: {", ".join(fitted.groups) or "none"}'
    )


def _of_data_set(labels: Path, predictions: Path, split: str | None) -> Outcomes:
    from damage_perception.learning.metrics.outcomes import join
    from damage_perception.learning.predictions.prediction_file import read_predictions
    from damage_perception.learning.readers import rgbd_coco

    samples = rgbd_coco.read(labels)
    if split is not None:
        samples = [sample for sample in samples if sample.split == split]
    if not samples:
        raise UserError(f'{labels} lists no image' + (f' of split {split}' if split else ''))
    return join(samples, read_predictions(predictions))


def _of_journal(journal: Path) -> Outcomes:
    from damage_perception.journal.entries import read_entries
    from damage_perception.learning.calibration.journal_items import reviewed_outcomes

    return reviewed_outcomes(read_entries(journal))


def _of_engine(
    count: int, seed: int, damaged: float, params: Path | None, workers: int
) -> Outcomes:
    from damage_perception.cli.progress import show_progress
    from damage_perception.cli.settings_file import read_settings
    from damage_perception.learning.calibration.engine_items import EngineItems
    from damage_perception.learning.metrics.outcomes import join
    from damage_perception.synthesis.spec import SynthesisSpec

    settings, _ = read_settings(params)
    items = EngineItems(SynthesisSpec(damaged=damaged, copies=1), seed, count, settings)
    judged = list(show_progress(items.judge(workers), count, 'rendering and judging'))
    samples = [sample for sample, _ in judged]
    return join(samples, {sample.image_id: said for sample, said in judged})


def _plots(folder: Path, outcomes: Outcomes, calibration: Calibration) -> None:
    from damage_perception.learning.calibration.calibrate import sound_item_scores
    from damage_perception.learning.calibration.calibration import item_scores
    from damage_perception.learning.reports.figures import score_figure, station_figure

    if calibration.curve is not None:
        outcomes = outcomes.rescored(calibration.curve)
    sound = sound_item_scores(outcomes, ~outcomes.damaged)
    damaged, _ = item_scores(outcomes.score[outcomes.damaged], outcomes.item[outcomes.damaged])
    prevalence = calibration.prevalence
    said_at = None if calibration.curve is None else prevalence
    try:
        folder.mkdir(parents=True, exist_ok=True)
        scores = score_figure(outcomes, calibration.point.threshold, said_at)
        scores.savefig(folder / 'scores.png', dpi=120)
        station = station_figure(sound, damaged, prevalence, calibration.point.budget)
        station.savefig(folder / 'budget.png', dpi=120)
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror})') from None
