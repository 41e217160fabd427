"""What runs the network: OpenVINO, ONNX Runtime or torch, all behind one protocol."""

from __future__ import annotations

import importlib
from importlib.util import find_spec
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import CallError, UserError
from damage_perception.network.inputs import CHANNELS, MULTIPLE
from damage_perception.network.outputs import NetworkOutput

NAMES = ('openvino', 'onnxruntime', 'torch')  # fastest first, as measured on CPUs
PRECISIONS = ('fp32', 'bf16')


class Backend(Protocol):
    """Runs the network on batches."""

    name: str
    precision: str

    def predict(self, batch: NDArray[np.float32]) -> NetworkOutput:
        """Judge (N, C, H, W) float32 as `inputs.batch` makes it; sides are multiples of 16.

        Raises:
            ValueError: if the batch has another shape or type.
        """


def present() -> list[str]:
    """Give the backends whose library is installed, fastest first."""
    return [name for name in NAMES if _installed(name)]


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # an import hook forbids it
        return False


def open_backend(
    folder: Path, name: str = 'auto', threads: int = 0, precision: str = 'fp32'
) -> Backend:
    """Open weights that `export` wrote.

    Args:
        folder: the weights.
        name: one of `NAMES`, or `auto` for the fastest that is installed.
        threads: at most so many; 0 = the library chooses.
        precision: `fp32`, or `bf16` where the backend and the processor have it.

    Raises:
        CallError: if there is no such backend or precision.
        UserError: if the library is not installed or the weights cannot be used.
    """
    if name not in (*NAMES, 'auto'):
        raise CallError(f'backend must be among auto, {", ".join(NAMES)}, got {name}')
    if precision not in PRECISIONS:
        raise CallError(f'precision must be among {", ".join(PRECISIONS)}, got {precision}')
    there = present()
    if name != 'auto' and name not in there:
        raise UserError(f'the backend {name} needs the package {name}; install it or take auto')
    if not there:
        raise UserError('no backend is installed; install the package openvino')
    chosen = there[0] if name == 'auto' else name
    module = importlib.import_module(f'damage_perception.network.backends.{chosen}_backend')
    backend: Backend = module.open_weights(folder, threads, precision)
    return backend


def check_batch(batch: NDArray[np.float32]) -> None:
    """Check the shape and the type of a batch.

    Raises:
        ValueError: saying what was expected and what came.
    """
    good = batch.ndim == 4 and batch.shape[1] == len(CHANNELS) and min(batch.shape) > 0
    if not good or batch.shape[2] % MULTIPLE or batch.shape[3] % MULTIPLE:
        raise ValueError(
            f'batch must be (N, {len(CHANNELS)}, H, W) with sides in multiples of {MULTIPLE}, '
            f'got {batch.shape}'
        )
    if batch.dtype != np.float32:
        raise ValueError(f'batch must be float32, got {batch.dtype}')
