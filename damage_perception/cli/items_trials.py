"""Timing the pipeline on one picture with few or many items, on each backend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.cli.network_trials import precisions
from damage_perception.cli.transport_scene import CAMERA, HEIGHT, WIDTH
from damage_perception.errors import CallError
from damage_perception.frame import RgbdFrame
from damage_perception.network.network_settings import NetworkSettings
from damage_perception.pipeline import DamagePipeline
from damage_perception.settings import Settings

_COLUMNS, _ROWS = 4, 3
MOST = _COLUMNS * _ROWS
_BELT_M = 1.2
_SIZE_M, _HEIGHT_M = (0.20, 0.14), 0.10  # a parcel
_NOISE_M, _NOISE_PX = 0.0015, 4.0  # correlated over pixels, as that of a stereo camera
_BLUR_PX = 1.2  # of the picture: a lens makes no single noisy pixels
_WARM = 2


def measure_items(
    counts: Sequence[int], backends: Sequence[str], threads: int, repeats: int
) -> list[dict[str, Any]]:
    """Time finding and judging the items of a picture, each of them new.

    Raises:
        CallError: if the picture does not hold so many items or a backend is unknown.
    """
    if max(counts) > MOST:
        raise CallError(f'the picture holds {MOST} items at most, got {max(counts)}')
    rows = []
    for backend in backends:
        for precision in precisions(backend):
            network = NetworkSettings(backend=backend, precision=precision, threads=threads)
            try:
                pipeline = DamagePipeline(Settings(network=network))
            except CallError:
                if precision == 'fp32':
                    raise
                continue  # a processor without bf16
            named = {'backend': backend, 'precision': precision}
            rows += [{**named, **_time(pipeline, count, repeats)} for count in counts]
    return rows


def _time(pipeline: DamagePipeline, items: int, repeats: int) -> dict[str, Any]:
    """Forget everything before each picture, so that all of its items are judged."""
    spent = []
    for number in range(_WARM + repeats):
        pipeline.reset()
        report = pipeline.process(made_picture(items, number))
        spent.append(report.timings_ms)
    medians = {
        stage: float(np.median([times[stage] for times in spent[_WARM:]]))
        for stage in ('items', 'judge')
    }
    return {
        'items': items,
        'found': len(report.items),
        'judged': sum(item.frames > 0 for item in report.items),
        'find_ms': round(medians['items'], 2),
        'judge_ms': round(medians['judge'], 2),
        'judge_ms_an_item': round(medians['judge'] / items, 2),
    }


def made_picture(items: int, seed: int) -> RgbdFrame:
    """Make a belt with printed cartons in rows, each a little turned; all noise is the seed's."""
    rng = np.random.default_rng([seed, items])
    rgb = rng.normal(70.0, 5.0, (HEIGHT, WIDTH, 3))
    depth = np.full((HEIGHT, WIDTH), _BELT_M, np.float32)
    for place in range(items):
        _lay(rgb, depth, place, rng)
    rgb = cv2.GaussianBlur(rgb, (0, 0), _BLUR_PX)
    noise = cv2.GaussianBlur(rng.normal(size=depth.shape), (0, 0), _NOISE_PX)
    depth += (noise * _NOISE_M / noise.std()).astype(np.float32)
    return RgbdFrame(np.clip(rgb, 0, 255).astype(np.uint8), depth, CAMERA, seed + 1, 'camera')


def _lay(
    rgb: NDArray[np.float64], depth: NDArray[np.float32], place: int, rng: np.random.Generator
) -> None:
    row, column = divmod(place, _COLUMNS)
    middle = (WIDTH * (column + 0.5) / _COLUMNS, HEIGHT * (row + 0.5) / _ROWS)
    top_m = _BELT_M - _HEIGHT_M
    size = tuple(length * CAMERA.fx / top_m for length in _SIZE_M)
    angle = float(rng.uniform(-8.0, 8.0))
    for share, colour in ((1.0, (170.0, 130.0, 90.0)), (0.4, (225.0, 225.0, 220.0))):
        corners = cv2.boxPoints((middle, (size[0] * share, size[1] * share), angle))
        inside = cv2.fillConvexPoly(np.zeros(depth.shape, np.uint8), corners.astype(np.int32), 1)
        rgb[inside > 0] = np.array(colour) + rng.normal(0.0, 4.0, (np.count_nonzero(inside), 3))
        depth[inside > 0] = top_m
