"""Figures of an evaluation or a calibration (matplotlib, drawn without a display)."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.special import expit, logit

from damage_perception.learning.metrics.outcomes import Outcomes
from damage_perception.learning.metrics.ranking import reliability
from damage_perception.proportions import interval, precision_at

ITEMS = 10_000
LEAST = 1e-5  # P(damaged) below which scores are drawn as one
ODDS_TICKS = (1e-3, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999)
SOUND, DAMAGED, MARK = '#4477aa', '#cc3311', '#222222'


def ranking_figure(outcomes: Outcomes) -> Figure:
    """Draw the precision-recall and the ROC curve (false alarms on a log axis)."""
    from sklearn.metrics import precision_recall_curve, roc_curve

    figure = Figure(figsize=(10, 4), layout='constrained')
    left, right = figure.subplots(1, 2)
    for name, wanted, colour in (
        ('any damage', outcomes.damaged, DAMAGED),
        ('major damage', outcomes.major, SOUND),
    ):
        rows = wanted | (~outcomes.damaged & ~outcomes.unknown)
        damaged = wanted[rows]
        if not damaged.any() or damaged.all():
            continue
        score = np.where(outcomes.unknown, -1.0, outcomes.score)[rows]
        precision, recall, _ = precision_recall_curve(damaged, score)
        false_alarms, found, _ = roc_curve(damaged, score, drop_intermediate=False)
        left.step(recall, precision, where='post', color=colour, label=name)
        right.step(false_alarms, found, where='post', color=colour, label=name)
    _dress(left, 'Precision and recall (of this set)', 'recall', 'precision')
    _dress(right, 'Recall against false alarms', 'share of sound items called damaged', 'recall')
    right.set_xscale('symlog', linthresh=1e-4)
    right.set_xlim(0, 1)
    return figure


def score_figure(
    outcomes: Outcomes, threshold: float | None, prevalence: float | None = None
) -> Figure:
    """Draw the distribution of scores and how far they can be taken as probabilities.

    Args:
        outcomes: labels and scores.
        threshold: where to draw a line; None = nowhere.
        prevalence: share of damaged items that the scores are stated for; None = that of the set.
    """
    figure = Figure(figsize=(10, 4), layout='constrained')
    left, right = figure.subplots(1, 2)
    judged = ~outcomes.unknown
    shown, bins = outcomes.score, np.linspace(0, 1, 41)
    if prevalence is not None:  # most lie near 0: told apart on a scale of odds
        farthest = float(logit(1 - LEAST))
        bins = expit(np.linspace(-farthest, farthest, 61))
        shown = np.clip(shown, LEAST, 1 - LEAST)
    left.hist(shown[judged & ~outcomes.damaged], bins, color=SOUND, label='sound')
    left.hist(shown[judged & outcomes.damaged], bins, color=DAMAGED, alpha=0.7, label='damaged')
    if judged.any():
        left.set_yscale('log')
    _dress(left, 'Scores', 'score' if prevalence is None else 'P(damaged)', 'images')
    if prevalence is not None:
        left.set_xscale('logit')
        left.set_xlim(LEAST, 1 - LEAST)
        left.set_xticks(ODDS_TICKS, [f'{tick:g}' for tick in ODDS_TICKS])
        left.minorticks_off()
    left.set_ylim(bottom=0.5 if judged.any() else 0.0)
    if threshold is not None:
        left.axvline(threshold, color=MARK, linestyle='--', label='threshold')
    left.legend(frameon=False)
    damaged, score = outcomes.damaged[judged], outcomes.score[judged]
    said_of = 'P(damaged)'
    if prevalence is not None:
        share = float(damaged.mean()) if damaged.size else 0.0
        score = _at_share(score, prevalence, share)
        said_of += f' where {share:.1%} are damaged, as in this set'
    _draw_reliability(right, damaged, score)
    _dress(right, 'Reliability (lines: 95 % intervals)', said_of, 'share damaged')
    return figure


def _draw_reliability(axes: Axes, damaged: NDArray[np.bool_], score: NDArray[np.float64]) -> None:
    """Draw a point a bin, with how far the images in it let its share be known."""
    said, found, count = reliability(damaged, score)
    bounds = [interval(round(f * n), int(n)) for f, n in zip(found, count, strict=True)]
    low, high = np.array(bounds).reshape(-1, 2).T
    axes.plot([0, 1], [0, 1], color='#bbbbbb')
    axes.vlines(said, low, high, color=SOUND, linewidth=1)
    axes.scatter(said, found, s=24, color=SOUND)


def _at_share(score: NDArray[np.float64], prevalence: float, share: float) -> NDArray[np.float64]:
    """Restate P(damaged) for a set with another share of damaged items, by Bayes' rule."""
    if not 0.0 < share < 1.0:
        return score
    odds = score / np.maximum(1.0 - score, 1e-300)
    odds *= share / (1.0 - share) * (1.0 - prevalence) / prevalence
    return np.asarray(np.where(score >= 1.0, 1.0, odds / (1.0 + odds)))


def station_figure(
    sound: NDArray[np.float64],
    damaged: NDArray[np.float64],
    prevalence: float,
    budget: float | None = None,
) -> Figure:
    """Draw what every budget buys: recall, items diverted and precision per 10,000 items.

    Args:
        sound: (N,) scores of sound items.
        damaged: (M,) scores of damaged items, NaN = UNKNOWN.
        prevalence: share of damaged items at the station.
        budget: share of sound items that was allowed, where to draw a line; None = nowhere.
    """
    figure = Figure(figsize=(10, 4), layout='constrained')
    left, right = figure.subplots(1, 2)
    for axes in (left, right) if budget is not None else ():
        axes.axvline(budget, color=MARK, linestyle='--', label='budget')
    falling = np.sort(sound)[::-1]
    rates = np.geomspace(max(1 / len(falling), 1e-5), 0.2, 60)
    edges = falling[np.minimum((rates * len(falling)).astype(int), len(falling) - 1)]
    recalls = np.array([np.mean(damaged > edge) if len(damaged) else np.nan for edge in edges])
    precisions = [precision_at(r, f, prevalence) for r, f in zip(recalls, rates, strict=True)]
    left.semilogx(rates, recalls, color=SOUND, label='recall, UNKNOWN not found')
    left.semilogx(rates, precisions, color=DAMAGED, label=f'precision at {prevalence:.2%} damaged')
    _dress(left, 'What a budget buys', 'share of sound items diverted', 'share')
    right.loglog(rates, rates * (1 - prevalence) * ITEMS, color=DAMAGED, label='sound, diverted')
    right.loglog(
        rates,
        np.maximum(recalls * prevalence * ITEMS, 1e-3),
        color=SOUND,
        label='damaged, diverted',
    )
    _dress(right, f'Of {ITEMS:,} items', 'share of sound items diverted', 'items')
    right.set_ylim(bottom=1e-1)
    right.legend(frameon=False)
    return figure


def bars_figure(title: str, shares: dict[str, dict[str, Any]]) -> Figure:
    """Draw shares with their 95 % intervals as horizontal bars."""
    figure = Figure(figsize=(7, 0.9 + 0.34 * max(1, len(shares))), layout='constrained')
    axes = figure.subplots()
    names = list(shares)[::-1]
    rate = np.nan_to_num([shares[name]['rate'] for name in names])
    spread = np.array(
        [[r - shares[n]['low'], shares[n]['high'] - r] for n, r in zip(names, rate, strict=True)]
    )
    labels = [f'{name} ({shares[name]["count"]}/{shares[name]["of"]})' for name in names]
    axes.barh(labels, rate, xerr=np.clip(spread.T, 0, None), color=SOUND, ecolor=MARK, height=0.6)
    axes.set_xlim(0, 1.0 if rate.max() > 0.25 else min(1.0, 1.1 * (rate + spread[:, 1]).max()))
    axes.set_title(title, loc='left', fontsize=11)
    axes.spines[['top', 'right']].set_visible(False)
    return figure


def _dress(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, loc='left', fontsize=11)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if y != 'items' and y != 'images':
        axes.set_ylim(0, 1.02)
    axes.grid(color='#eeeeee')
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(frameon=False)
