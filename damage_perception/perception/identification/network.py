"""The learnt map from the picture of an item to a vector that is near for items of one product.

It is small enough to run in numpy: three convolutions and three layers that join what they see
with the item's sizes. Each picture is seen in its four quarter turns, so that it does not matter
which way round an item lies. Weights lie beside a manifest with their SHA-256.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

import damage_perception
from damage_perception.errors import UserError
from damage_perception.network.checked_file import read_checked_file, read_checked_manifest
from damage_perception.network.weights import check_tensors
from damage_perception.perception.identification.picture import (
    CHANNELS,
    INPUT_SIDE,
    INPUT_VERSION,
    SIZES,
    ItemPicture,
    network_input,
)

FORMAT = 'damage_perception/identification 1'
MANIFEST, TENSORS = 'manifest.json', 'identification.safetensors'
LAYERS = (len(CHANNELS), 16, 32, 64)  # channels from one convolution to the next
HIDDEN, LEARNT = 160, 58  # values between layers; of the vector that are learnt from the picture
DIMENSION = LEARNT + len(SIZES)
TURNS = 4
_LAST = INPUT_SIDE // 2 ** (len(LAYERS) - 1)
_MEND = 'install the package again, or make the file with `train-identification`'

Array = NDArray[np.float32]

SHAPES: dict[str, tuple[int, ...]] = {
    **{f'c{k}.weight': (LAYERS[k], LAYERS[k - 1], 3, 3) for k in range(1, len(LAYERS))},
    **{f'c{k}.bias': (LAYERS[k],) for k in range(1, len(LAYERS))},
    'f1.weight': (HIDDEN, LAYERS[-1] * _LAST**2), 'f1.bias': (HIDDEN,),
    'f2.weight': (HIDDEN, HIDDEN + len(SIZES)), 'f2.bias': (HIDDEN,),
    'f3.weight': (LEARNT + 1, HIDDEN), 'f3.bias': (LEARNT + 1,),
    'sz.weight': (len(SIZES), len(SIZES)), 'sz.bias': (len(SIZES),),
    'scale': (), 'rule': (5,),
}  # fmt: skip


@dataclass(frozen=True)
class Manifest:
    """How the weights came to be, and what the file must hash to."""

    sha256: str
    command: str = ''
    commit: str = ''
    engine: str = ''  # digest of the engine's source
    seed: int = 0
    products: int = 0
    steps: int = 0
    input_version: int = INPUT_VERSION
    format: str = FORMAT

    def to_json(self) -> bytes:
        """Give the text of the file."""
        return json.dumps(asdict(self), indent=1).encode()


class IdentificationNetwork:
    """The learnt map.

    Attributes:
        digest: SHA-256 of the weights.
        rule: scale, unknown, offset, least confidence, and largest deviation of a size (a share);
            see `identification.py`.
    """

    def __init__(self, tensors: dict[str, Array], digest: str) -> None:
        self.digest = digest
        self.rule = tuple(float(value) for value in tensors['rule'])
        self._tensors = tensors

    def __call__(self, pictures: list[ItemPicture]) -> tuple[Array, Array]:
        """Embed items.

        Returns:
            (N, TURNS, DIMENSION) vectors, of which the nearest two of two items of one product have
            a small squared distance, and (N,) how sure the vectors are, above 0; float32.
        """
        channels, sizes = network_input(pictures)
        turned = np.concatenate([np.rot90(channels, turn, (2, 3)) for turn in range(TURNS)])
        sizes = np.concatenate([sizes] * TURNS)
        for layer in range(1, len(LAYERS)):
            turned = self._convolved(turned, f'c{layer}')
        hidden = self._dense(turned.reshape(len(turned), -1), 'f1')
        joined = self._dense(np.concatenate([hidden, sizes], axis=1), 'f2') + hidden
        out = self._linear(joined, 'f3')
        vectors = np.concatenate([out[:, :-1], self._linear(sizes, 'sz')], axis=1)
        sure = np.logaddexp(0.0, out[:, -1] + self._tensors['scale'])
        by_turn = vectors.reshape(TURNS, len(pictures), DIMENSION).astype(np.float32)
        mean = sure.reshape(TURNS, len(pictures)).mean(axis=0)
        return np.ascontiguousarray(np.swapaxes(by_turn, 0, 1)), mean.astype(np.float32)

    def _linear(self, values: Array, name: str) -> Array:
        return values @ self._tensors[f'{name}.weight'].T + self._tensors[f'{name}.bias']

    def _dense(self, values: Array, name: str) -> Array:
        return np.maximum(self._linear(values, name), 0)

    def _convolved(self, images: Array, name: str) -> Array:
        """Convolve 3x3 at every second pixel, borders padded with zeros, and rectify."""
        weight, bias = self._tensors[f'{name}.weight'], self._tensors[f'{name}.bias']
        padded = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2]
        out = np.tensordot(windows, weight, axes=((1, 4, 5), (1, 2, 3))) + bias
        return np.maximum(np.moveaxis(out, 3, 1), 0)


@lru_cache(maxsize=1)
def shipped_network() -> IdentificationNetwork:
    """Load the map that ships with the package."""
    folder = Path(damage_perception.__file__).parent / 'data' / 'identification'
    return load_network(folder)


def load_network(folder: Path) -> IdentificationNetwork:
    """Load a map and check it against its manifest.

    Raises:
        UserError: in one sentence, if it is missing, foreign, truncated or altered.
    """
    wanted = {'format': FORMAT, 'input_version': INPUT_VERSION}
    manifest = read_checked_manifest(folder / MANIFEST, wanted, _MEND)
    path = folder / TENSORS
    data = read_checked_file(path, manifest['sha256'], _MEND)
    try:
        tensors = load(data)
    except SafetensorError:
        raise UserError(f'{path} is no safetensors file; {_MEND}') from None
    check_tensors(tensors, SHAPES, path)
    single = {name: np.asarray(value, np.float32) for name, value in tensors.items()}
    return IdentificationNetwork(single, manifest['sha256'])
