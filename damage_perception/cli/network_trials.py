"""Timing the backends of the network."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.errors import CallError, UserError
from damage_perception.network.backends import Backend, open_backend, present
from damage_perception.network.inputs import CHANNELS, MULTIPLE

_WARM = 5


def measure_backends(
    weights: Path | None, side: int, items: int, threads: int, repeats: int
) -> list[dict[str, Any]]:
    """Time every backend that is installed, fastest first.

    Raises:
        CallError: if the side does not fit the network.
        UserError: if there are no weights and no torch to make some.
    """
    if side % MULTIPLE:
        raise CallError(f'side must be a multiple of {MULTIPLE}, got {side}')
    with tempfile.TemporaryDirectory() as folder:
        if weights is None:
            weights = _untrained(Path(folder))
        batch = np.zeros((items, len(CHANNELS), side, side), np.float32)
        batch += np.random.default_rng(0).standard_normal(batch.shape).astype(np.float32)
        batch[:, 8:11] = 1.0
        rows = []
        for name in present():
            for precision in precisions(name):
                try:
                    backend = open_backend(weights, name, threads, precision)
                except CallError:  # a processor without bf16
                    continue
                rows.append(_time(backend, batch, repeats))
    return sorted(rows, key=lambda row: float(row['median_ms']))


def precisions(backend: str) -> tuple[str, ...]:
    """Give what a backend can compute in, where the processor has it."""
    return ('fp32',) if backend == 'onnxruntime' else ('fp32', 'bf16')


def _untrained(folder: Path) -> Path:
    try:
        from damage_perception.network.export import write_weights
        from damage_perception.network.model import DamageNetwork
    except ImportError:
        raise UserError('without --weights this needs torch; give a folder of weights') from None
    return write_weights(DamageNetwork(), folder)


def _time(backend: Backend, batch: np.ndarray, repeats: int) -> dict[str, Any]:
    for _ in range(_WARM):
        backend.predict(batch)
    times = []
    busy = time.process_time()
    for _ in range(repeats):
        start = time.perf_counter()
        backend.predict(batch)
        times.append(1e3 * (time.perf_counter() - start))
    busy = 1e3 * (time.process_time() - busy) / repeats
    return {
        'name': backend.name,
        'precision': backend.precision,
        'median_ms': round(float(np.median(times)), 3),
        'least_ms': round(float(min(times)), 3),
        'p90_ms': round(float(np.percentile(times, 90)), 3),
        'cpu_ms': round(busy, 3),
    }
