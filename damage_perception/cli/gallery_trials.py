"""Trials of the gallery: made-up products, times and memory."""

from __future__ import annotations

import multiprocessing
import os
import random
import resource
import shutil
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track

from damage_perception.errors import UserError
from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.view.item_view import ItemView

FEATURES = 128
LOOK_UPS = 300


def made_up_view(seed: int, side: int) -> ItemView:
    """Give a view that no compression could shorten, which is the worst case."""
    generator = np.random.default_rng(seed)
    shape = (side, side)
    return ItemView(
        rgb=generator.integers(0, 256, (*shape, 3), np.uint8),
        height_m=generator.normal(0.0, 0.01, shape).astype(np.float32),
        height_std_m=np.full(shape, 0.002, np.float32),
        item_mask=np.ones(shape, bool),
        seen=np.ones(shape, bool),
        resolution_m=0.0015,
        to_camera=np.eye(4),
        frames=1.0,
        noise_correlation_m=0.004,
    )


def measure(
    folder: Path, sizes: list[int], views: int, side: int, console: Console
) -> list[dict[str, float]]:
    """Grow one gallery through the sizes and measure a fresh process at each.

    Raises:
        UserError: if the disk has no room for it.
    """
    needed = sizes[-1] * views * side * side * 8
    free = shutil.disk_usage(folder.parent).free
    if free < needed:
        raise UserError(f'{folder.parent} has {free >> 20} MiB free, {needed >> 20} are needed')
    rows, there = [], 0
    for size in sizes:
        start = time.perf_counter()
        _grow(folder, range(there, size), views, side, console)
        seconds = time.perf_counter() - start
        row = _in_child(_measure_one, str(folder), size)
        enrolled = (size - there) * views
        rows.append(
            {'products': size, **row, 'enrol_ms_per_view': 1e3 * seconds / max(1, enrolled)}
        )
        there = size
    return rows


def _grow(folder: Path, numbers: range, views: int, side: int, console: Console) -> None:
    generator = np.random.default_rng(0)
    view = made_up_view(0, side)
    with Gallery.open(folder, writable=True) as gallery:
        for product in track(numbers, 'Enrolling', console=console, disable=len(numbers) < 500):
            enrolments = []
            for number in range(views):
                rgb = np.roll(view.rgb, product * views + number, axis=1)
                rgb[0, :8] = np.frombuffer(f'{product:012}{number:012}'.encode(), np.uint8).reshape(
                    8, 3
                )
                features = generator.normal(size=FEATURES).astype(np.float32)
                changed = ItemView(**{**view.__dict__, 'rgb': rgb})
                enrolments.append(Enrolment(changed, features=features))
            gallery.add_all(f'P{product}', enrolments, 'benchmark')


def _measure_one(folder: str, size: int) -> dict[str, float]:
    generator = random.Random(1)
    base = _memory_mib()
    start = time.perf_counter()
    with Gallery.open(folder) as gallery:
        gallery.views('P0')
        opening = time.perf_counter() - start
        skus = [f'P{generator.randrange(size)}' for _ in range(LOOK_UPS)]
        for sku in skus:
            gallery.views(sku)
        warm = _times(gallery.views, skus)
        cold = []
        for sku in skus:
            _forget(gallery, sku)
            cold += _times(gallery.views, [sku])
        changed = _times(lambda _: gallery.changed(), skus)
        start = time.perf_counter()
        gallery.features(FEATURES)
        features = time.perf_counter() - start
        memory = _memory_mib()
    start = time.perf_counter()
    Gallery.open(folder, writable=True).close()
    return {
        'lookup_warm_ms_median': statistics.median(warm), 'lookup_warm_ms_p99': _p99(warm),
        'lookup_cold_ms_median': statistics.median(cold), 'lookup_cold_ms_p99': _p99(cold),
        'changed_us_median': 1e3 * statistics.median(changed), 'open_ms': 1e3 * opening,
        'open_writable_ms': 1e3 * (time.perf_counter() - start), 'features_ms': 1e3 * features,
        'memory_mib': memory, 'memory_before_mib': base,
    }  # fmt: skip


def _forget(gallery: Gallery, sku: str) -> None:
    """Make the system drop the files of a product from its cache."""
    for item in gallery.references(sku):
        handle = os.open(
            gallery.folder / 'views' / item.digest[:2] / f'{item.digest}.safetensors', 0
        )
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def _times(call: Callable[[str], object], skus: list[str]) -> list[float]:
    times = []
    for sku in skus:
        start = time.perf_counter()
        call(sku)
        times.append(1e3 * (time.perf_counter() - start))
    return times


def _p99(times: list[float]) -> float:
    return float(np.percentile(times, 99))


def _memory_mib() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _in_child(
    work: Callable[[str, int], dict[str, float]], folder: str, size: int
) -> dict[str, float]:
    """Run in a process of its own, so that memory is that of the reader alone."""
    context = multiprocessing.get_context('spawn')
    with context.Pool(1) as pool:
        return pool.apply(work, (folder, size))
