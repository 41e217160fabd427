"""PyTorch on a CUDA device where there is one, else on the CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from damage_perception.errors import UserError
from damage_perception.network.backends import check_batch
from damage_perception.network.model import DamageNetwork
from damage_perception.network.outputs import NetworkOutput
from damage_perception.network.weights import SAFETENSORS, check_tensors, read_file


class TorchBackend:
    """The network itself."""

    name = 'torch'

    def __init__(self, network: DamageNetwork, precision: str = 'fp32', device: str = '') -> None:
        self.precision = precision
        self._device = device or ('cuda' if torch.cuda.is_available() else 'cpu')
        self._network = network.to(self._device).eval()

    def predict(self, batch: NDArray[np.float32]) -> NetworkOutput:
        """Judge a batch, see `Backend`."""
        check_batch(batch)
        half = self.precision == 'bf16'
        with torch.inference_mode(), torch.autocast(self._device, torch.bfloat16, enabled=half):
            maps, scores = self._network(torch.from_numpy(batch).to(self._device))
        return NetworkOutput(maps.float().cpu().numpy(), scores.float().cpu().numpy())


def load_network(folder: Path) -> DamageNetwork:
    """Build the network and give it the weights of a folder.

    Raises:
        UserError: if they cannot be used.
    """
    data, where = read_file(folder, SAFETENSORS), folder / SAFETENSORS
    try:
        tensors = load(data)
    except (SafetensorError, KeyError):
        raise UserError(f'{where} is no safetensors file; export the weights again') from None
    network = DamageNetwork()
    shapes = {name: tuple(value.shape) for name, value in network.state_dict().items()}
    check_tensors(tensors, shapes, where)
    network.load_state_dict({name: torch.from_numpy(np.array(t)) for name, t in tensors.items()})
    return network.eval()


def open_weights(folder: Path, threads: int, precision: str) -> TorchBackend:
    """Open the safetensors of a folder of weights; `threads` hold for the whole process."""
    if threads:
        torch.set_num_threads(threads)
    return TorchBackend(load_network(folder), precision)
