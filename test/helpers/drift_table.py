"""How soon drift is warned of, and how often nothing is: on figures of rendered items.

    python test/helpers/drift_table.py [ITEMS] [SEED]

Renders ITEMS sound items (300), sees each through the pipeline as it is, with half the light, and
through a smeared lens, and takes the figures that the pipeline watches. Runs of 10,000 items are
then drawn from these figures with replacement, since rendering so many would take hours: what they
show is chance over this pool of items, not new items. A changed design is seen by what references
say of items, so its row draws that flag at the stated share.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame, RgbdFrame
from damage_perception.perception.decision.budget_watch import OutcomeWatch, WatchSettings
from damage_perception.perception.decision.drift_watch import SENTENCES, DriftWatch
from damage_perception.perception.decision.item_figures import item_figures
from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import ItemReport, Verdict
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec

NAMES = tuple(SENTENCES)
RUNS, ITEMS_A_RUN, BEFORE = 100, 10_000, 1000
Picture = NDArray[np.uint8]


def as_it_is(rgb: Picture) -> Picture:
    """Leave a picture alone."""
    return rgb


def half_the_light(rgb: Picture) -> Picture:
    """Halve what falls on the sensor; the curve of sRGB is taken as a power of 2.2."""
    linear = 0.5 * (rgb.astype(np.float32) / 255.0) ** 2.2
    return np.rint(255.0 * linear ** (1 / 2.2)).astype(np.uint8)


def smeared_lens(rgb: Picture) -> Picture:
    """Blur by two pixels and veil, as a greasy finger does."""
    blurred = cv2.GaussianBlur(rgb, (0, 0), 2.0).astype(np.float32)
    return np.rint(0.9 * blurred + 0.1 * blurred.mean()).astype(np.uint8)


CHANGES: dict[str, Callable[[Picture], Picture]] = {
    'none': as_it_is, 'light halved': half_the_light, 'lens smeared': smeared_lens,
}  # fmt: skip


def figures_of(sample: Sample, change: Callable[[Picture], Picture]) -> dict[str, float] | None:
    """Give the figures of the rendered item; None where the pipeline sees it unclearly."""
    frame = RgbdFrame(change(sample.rgb), sample.depth_m, sample.camera)
    report = DamagePipeline().process(frame)

    def is_it(item: ItemReport) -> bool:
        shared = np.count_nonzero(sample.item_mask[item.roi.slices] & item.mask)
        clear = not any(item.status & flag for flag in IN_THE_WAY)
        return clear and 2 * shared >= np.count_nonzero(sample.item_mask)

    found = next((item for item in report.items if is_it(item)), None)
    return None if found is None else item_figures(MeasuredFrame.of(frame), found)


def pools(items: int, seed: int) -> dict[str, NDArray[np.float64]]:
    """Give (N, figures) of what each change makes of the items that are seen clearly."""
    rows: dict[str, list[list[float]]] = {name: [] for name in CHANGES}
    spec = SynthesisSpec(damaged=0.0, copies=1)
    for index in range(items):
        sample = render_sample(spec, seed, index, references=0)
        for name, change in CHANGES.items():
            figures = figures_of(sample, change)
            if figures is not None:
                rows[name].append([figures[key] for key in NAMES])
    return {name: np.array(found) for name, found in rows.items()}


def drawn(pool: NDArray[np.float64], rng: np.random.Generator) -> Iterator[dict[str, float]]:
    """Draw items from a pool for ever."""
    while True:
        for row in pool[rng.integers(0, len(pool), 1000)]:
            yield dict(zip(NAMES, row, strict=True))


def items_to_warning(
    watch: DriftWatch, pool: NDArray[np.float64], rng: np.random.Generator, most: int
) -> int:
    """Count items until a warning; 0 = there was none."""
    for count, figures in zip(range(1, most + 1), drawn(pool, rng), strict=False):
        watch.take(figures)
        if watch.sentence():
            return count
    return 0


def items_to_suspicion(share: float, rng: np.random.Generator) -> int:
    """Count items until it is said that references no longer fit."""
    watch = OutcomeWatch(WatchSettings())
    for _ in range(BEFORE):
        watch.take(Verdict.PASS, False)
    for count in range(1, 1001):
        watch.take(Verdict.PASS, bool(rng.random() < share))
        if watch.warnings():
            return count
    return 0


def row(name: str, delays: list[int]) -> str:
    """Write a row of the table."""
    median, late = np.percentile([delay or np.inf for delay in delays], (50, 95))
    within = sum(0 < delay <= 200 for delay in delays)
    return f'| {name} | {median:.0f} | {late:.0f} | {within} of {len(delays)} |'


def main() -> None:
    items, seed = (int(value) for value in [*sys.argv[1:], '300', '5'][:2])
    found = pools(items, seed)
    rng = np.random.default_rng(seed)
    print(f'{items} items rendered, seen clearly: { ({n: len(p) for n, p in found.items()}) }')
    for name, pool in found.items():
        medians = dict(zip(NAMES, np.nanmedian(pool, axis=0).round(3), strict=True))
        print(f'median figures, {name}: {medians}')
    false = [items_to_warning(DriftWatch(), found['none'], rng, ITEMS_A_RUN) for _ in range(RUNS)]
    print(f'no drift: {sum(map(bool, false))} of {RUNS} runs of {ITEMS_A_RUN:,} items warned')
    print('| drift | items to the warning, median | 95 % | within 200 |\n|---|---|---|---|')
    for name in list(CHANGES)[1:]:
        delays = []
        for _ in range(RUNS):
            watch = DriftWatch()
            items_to_warning(watch, found['none'], rng, BEFORE)
            delays.append(items_to_warning(watch, found[name], rng, 1000))
        print(row(name, delays))
    for share in (0.2, 0.5):
        delays = [items_to_suspicion(share, rng) for _ in range(RUNS)]
        print(row(f'design changed: {share:.0%} of items unlike their references', delays))


if __name__ == '__main__':
    main()
