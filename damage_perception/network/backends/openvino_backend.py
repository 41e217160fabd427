"""OpenVINO on the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import openvino
from numpy.typing import NDArray

from damage_perception.errors import CallError, UserError
from damage_perception.network.backends import check_batch
from damage_perception.network.inputs import CHANNELS
from damage_perception.network.outputs import CLASSES, SCORES, NetworkOutput
from damage_perception.network.weights import OPENVINO, OPENVINO_BIN, read_file


class OpenVinoBackend:
    """A compiled model of any batch and size."""

    name = 'openvino'

    def __init__(self, model: Any, threads: int, precision: str) -> None:
        self.precision = precision
        core = openvino.Core()
        able = core.get_property('CPU', 'OPTIMIZATION_CAPABILITIES')
        if precision == 'bf16' and 'BF16' not in able:
            raise CallError('this processor has no bf16; take fp32')
        options: dict[str, Any] = {
            'PERFORMANCE_HINT': 'LATENCY',
            'INFERENCE_PRECISION_HINT': 'bf16' if precision == 'bf16' else 'f32',
            'ENABLE_CPU_PINNING': False,  # each process would pin its threads to the same cores
        }
        if threads:
            options['INFERENCE_NUM_THREADS'] = threads
        self._request = core.compile_model(model, 'CPU', options).create_infer_request()

    def predict(self, batch: NDArray[np.float32]) -> NetworkOutput:
        """Judge a batch, see `Backend`."""
        check_batch(batch)
        out = self._request.infer([np.ascontiguousarray(batch)])
        return NetworkOutput(np.array(out[0], np.float32), np.array(out[1], np.float32))


def open_weights(folder: Path, threads: int, precision: str) -> OpenVinoBackend:
    """Open the OpenVINO IR of a folder of weights.

    Raises:
        UserError: if it cannot be used.
    """
    graph, data = read_file(folder, OPENVINO), read_file(folder, OPENVINO_BIN)
    try:
        model = openvino.Core().read_model(graph, data)
    except RuntimeError:
        raise UserError(f'{folder / OPENVINO} is no OpenVINO model; export it again') from None
    widths = [port.partial_shape[1] for port in (*model.inputs, *model.outputs)]
    if [str(width) for width in widths] != [str(n) for n in map(len, (CHANNELS, CLASSES, SCORES))]:
        raise UserError(
            f'{folder / OPENVINO} has the widths {widths}, this program needs '
            f'{[len(CHANNELS), len(CLASSES), len(SCORES)]}; export it again'
        )
    return OpenVinoBackend(model, threads, precision)
