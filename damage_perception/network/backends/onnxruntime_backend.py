"""ONNX Runtime on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from damage_perception.errors import CallError, UserError
from damage_perception.network.backends import check_batch
from damage_perception.network.inputs import CHANNELS
from damage_perception.network.outputs import CLASSES, SCORES, NetworkOutput
from damage_perception.network.weights import ONNX, read_file


class OnnxRuntimeBackend:
    """A session of any batch and size."""

    name = 'onnxruntime'
    precision = 'fp32'

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    def predict(self, batch: NDArray[np.float32]) -> NetworkOutput:
        """Judge a batch, see `Backend`."""
        check_batch(batch)
        maps, scores = self._session.run(None, {self._input: batch})
        return NetworkOutput(maps, scores)


def open_weights(folder: Path, threads: int, precision: str) -> OnnxRuntimeBackend:
    """Open the ONNX file of a folder of weights.

    Raises:
        UserError: if it cannot be used.
    """
    if precision != 'fp32':
        raise CallError('the backend onnxruntime runs in fp32; take that or openvino')
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    data = read_file(folder, ONNX)
    try:
        session = onnxruntime.InferenceSession(data, options, ['CPUExecutionProvider'])
    except Exception:  # its errors share no class of their own
        raise UserError(f'{folder / ONNX} is no ONNX model; export it again') from None
    widths = [port.shape[1] for port in (*session.get_inputs(), *session.get_outputs())]
    wanted = [len(CHANNELS), len(CLASSES), len(SCORES)]
    if widths != wanted:
        raise UserError(
            f'{folder / ONNX} has the widths {widths}, this program needs {wanted}; export it again'
        )
    return OnnxRuntimeBackend(session)
