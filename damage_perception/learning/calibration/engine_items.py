"""Rendered items judged as a station would judge them, without a disk between."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np

from damage_perception.frame import RgbdFrame
from damage_perception.learning.dataset import Damage, Sample
from damage_perception.learning.predictions.prediction import Prediction
from damage_perception.perception.decision.calibration import UNCALIBRATED
from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport
from damage_perception.settings import Settings
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.sample import Sample as Rendered
from damage_perception.synthesis.spec import SynthesisSpec

_NOTHING = np.zeros((0, 0, 3), np.uint8)
_SHARE = 0.5  # of the rendered item that a found item must cover to be the same


@dataclass(frozen=True)
class EngineItems:
    """Which items to render: the same values give the same items."""

    spec: SynthesisSpec
    seed: int
    count: int
    settings: Settings = field(default_factory=Settings)

    def judge(self, workers: int = 1) -> Iterator[tuple[Sample, Prediction]]:
        """Render and judge item after item, each in a single picture."""
        tasks = [(self, index) for index in range(self.count)]
        if workers == 1:
            yield from map(_judge, tasks)
            return
        context = multiprocessing.get_context('spawn')
        with ProcessPoolExecutor(workers, context, initializer=_one_thread) as pool:
            try:
                yield from pool.map(_judge, tasks, chunksize=8)
            finally:
                pool.shutdown(cancel_futures=True)


def _one_thread() -> None:
    cv2.setNumThreads(1)  # processes share the cores among them


def _judge(task: tuple[EngineItems, int]) -> tuple[Sample, Prediction]:
    items, index = task
    rendered = render_sample(items.spec, items.seed, index, references=0)
    frame = RgbdFrame(rendered.rgb, rendered.depth_m, rendered.camera)
    report = DamagePipeline(items.settings, UNCALIBRATED).process(frame)
    said = station_prediction(rendered, report)
    truths = [seen.truth for seen in rendered.damages]
    sample = Sample(
        image_id=index,
        rgb=_NOTHING,
        damaged=bool(truths),
        damages=tuple(Damage(t.damage_type, t.severity, t.depth_m) for t in truths),
        tags=rendered.tags,
        sku=rendered.sku,
        item_id=rendered.item_id,
        split=rendered.split,
    )
    return sample, said


def station_prediction(rendered: Rendered, report: DamageReport) -> Prediction:
    """Take what the report says of the rendered item; UNKNOWN where no decision could rest on it.

    So an item that is found in pieces, cut, covered or merged with another says nothing of how
    often sound items are diverted: it never is.
    """
    labelled = int(np.count_nonzero(rendered.item_mask))
    clean = [
        item
        for item in report.items
        if np.count_nonzero(rendered.item_mask[item.roi.slices] & item.mask) >= _SHARE * labelled
        and not any(item.status & flag for flag in IN_THE_WAY)
        and not math.isnan(item.confidence)
    ]
    if not clean:
        return Prediction(math.nan, detector=report.detector, reason='not seen clearly')
    worst = max(clean, key=lambda item: item.confidence)
    return Prediction(worst.confidence, detector=report.detector, raw=worst.segmentation_score)
