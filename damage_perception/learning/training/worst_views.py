"""Pictures of the worst misses and the worst alarms of a network among stored views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.training.network_evaluation import Judge
from damage_perception.learning.training.stored_view import StoredView
from damage_perception.network.inputs import RELIEF, RGB, pad
from damage_perception.network.outputs import STRIDE, damage_probability
from damage_perception.synthesis.records import write_png

_SIDE, _CAPTION = 220, 34
_LABELLED = (255, 210, 0)


def write_worst(
    views: Sequence[StoredView], values: NDArray[np.float64], judge: Judge, folder: Path,
    count: int = 12,
) -> None:  # fmt: skip
    """Write `misses.png` and `alarms.png`: colour with labels, relief, what the network says."""
    damaged = np.array([view.major for view in views], bool)
    sound = np.array([not view.damaged for view in views], bool)
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows, sign in (('misses', damaged, 1.0), ('alarms', sound, -1.0)):
        order = np.argsort(np.where(rows, sign * values, np.inf), kind='stable')
        chosen = [int(row) for row in order[: min(count, int(rows.sum()))]]
        if chosen:
            tiles = [_row(views[row], float(values[row]), judge) for row in chosen]
            write_png(folder / f'{name}.png', _sheet(tiles)[..., ::-1])


def _row(view: StoredView, value: float, judge: Judge) -> NDArray[np.uint8]:
    channels = view.channels()
    rgb = np.clip(channels[RGB].transpose(1, 2, 0) * 64 + 115, 0, 255).astype(np.uint8).copy()
    contours, _ = cv2.findContours(
        (view.labels > 0).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    cv2.drawContours(rgb, contours, -1, _LABELLED, 1)
    relief = np.clip(channels[RELIEF] * 40 + 128, 0, 255).astype(np.uint8)
    said = damage_probability(judge(pad(channels)[None]).maps)[0]
    said = np.repeat(np.repeat(said, STRIDE, 0), STRIDE, 1)[: rgb.shape[0], : rgb.shape[1]]
    heat = cv2.applyColorMap((said * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)[..., ::-1]
    tiles = [_fit(rgb), _fit(cv2.cvtColor(relief, cv2.COLOR_GRAY2RGB)), _fit(heat)]
    kinds = ', '.join(damage['kind'] for damage in view.facts['damages'])
    tags = ' '.join(tag.split(':')[1] for tag in view.facts['tags'] if ':' in tag)
    band = np.full((_CAPTION, 3 * _SIDE, 3), 255, np.uint8)
    for line, text in enumerate((f'{value:+.2f}  {kinds or "sound"}', tags[:105])):
        cv2.putText(band, text, (4, 13 + 15 * line), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1,
                    cv2.LINE_AA)  # fmt: skip
    return np.concatenate([band, np.concatenate(tiles, axis=1)])


def _fit(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scale into a square tile."""
    scale = (_SIDE - 4) / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    tile = np.full((_SIDE, _SIDE, 3), 255, np.uint8)
    tile[: small.shape[0], : small.shape[1]] = small
    return tile


def _sheet(rows: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    if len(rows) % 2:
        rows = [*rows, np.full_like(rows[0], 255)]
    pairs = [np.concatenate(rows[start : start + 2], axis=1) for start in range(0, len(rows), 2)]
    return np.concatenate(pairs)
