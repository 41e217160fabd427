"""Dents found in the fused view of an item, against those found in its single pictures.

    python test/helpers/fused_recall.py [--items 100] [--shots 8] [--seed 11]

As many sound items are rendered as dented ones, several pictures of each with noise of their own,
and judged by the shipped weights: each picture by itself, and all of them fused. The threshold of
each way lies where the same number of sound items reach it. `best` is what an item's worst picture
says, which costs sound items too.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np

from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.evidence.assessor import Asked, Assessor, Memory
from damage_perception.perception.geometry.geometry import GeometrySettings
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import Severity
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.views import labelled_view

WAYS = ('one', 'best', 'fused')
DEPTHS_MM = ((0, 8), (8, 12), (12, 16), (16, 24), (24, 1000))


@dataclass(frozen=True)
class Scores:
    """What is said of one item; `depth_mm` is that of its dent, 0 = sound."""

    depth_mm: float
    major: bool
    one: float
    best: float
    fused: float


def scores_of(sample: Sample, assessor: Assessor) -> Scores | None:
    """Score an item picture by picture and fused; None where it cannot be judged."""
    pictures = ((sample.rgb, sample.depth_m), *sample.more)
    singles = [replace(sample, rgb=rgb, depth_m=depth, more=()) for rgb, depth in pictures]
    found = [labelled_view(each) for each in (*singles, sample)]
    views = [each.view for each in found if each is not None]
    if len(views) < len(found):
        return None
    *each, fused = (score(view, assessor) for view in views)
    if not np.isfinite([*each, fused]).all():
        return None
    truth = [damage.truth for damage in sample.damages]
    depth = max((1e3 * abs(damage.depth_m) for damage in truth), default=0.0)
    major = any(damage.severity is Severity.MAJOR for damage in truth)
    return Scores(depth, major, each[0], max(each), fused)


def score(view: ItemView, assessor: Assessor) -> float:
    """Score one view; NaN = it cannot be judged."""
    (evidence,) = assessor.assess([Asked(view, view, (), Memory())], GeometrySettings())
    return evidence.score


def render(items: int, shots: int, seed: int, damaged: float) -> list[Scores]:
    """Render and score items, all of them sound or dented."""
    spec = SynthesisSpec(
        damaged=damaged, damages=('crush',), major=0.7, several=0.0, neighbours=0.0,
        oblique=0.0, truncated=0.0, sensors=('stereo',), copies=1,
    )  # fmt: skip
    assessor = Assessor(NetworkSettings())
    samples = (render_sample(spec, seed, number, 0, shots) for number in range(items))
    return [scores for sample in samples if (scores := scores_of(sample, assessor))]


def table(sound: Sequence[Scores], dented: Sequence[Scores]) -> str:
    """Write how many of the major dents are found at the same number of false alarms."""
    major = [each for each in dented if each.major]
    lines = [
        f'| of {len(sound)} sound | major dents | number | {" | ".join(WAYS)} |',
        '|---|---|---|---|---|---|',
    ]
    for allowed in sorted({1, max(1, round(0.05 * len(sound)))}):
        for low, high in ((0, 1000), *DEPTHS_MM):
            group = [each for each in major if low <= each.depth_mm < high]
            found = [f'{_found(sound, group, way, allowed):.2f}' for way in WAYS]
            name = 'all' if (low, high) == (0, 1000) else f'{low} to {high} mm'
            lines.append(f'| {allowed} | {name} | {len(group)} | {" | ".join(found)} |')
    return '\n'.join(lines)


def _found(sound: Sequence[Scores], group: Sequence[Scores], way: str, allowed: int) -> float:
    """Give the share that lies above all sound items but `allowed` of them."""
    limit = sorted((getattr(each, way) for each in sound), reverse=True)[allowed]
    return float(np.mean([getattr(each, way) > limit for each in group])) if group else math.nan


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--items', type=int, default=100)
    parser.add_argument('--shots', type=int, default=8)
    parser.add_argument('--seed', type=int, default=11)
    given = parser.parse_args()
    cv2.setNumThreads(1)
    sound = render(given.items, given.shots, given.seed, 0.0)
    print(table(sound, render(given.items, given.shots, given.seed + 1, 1.0)))


if __name__ == '__main__':
    main()
