"""From a trained network to a folder of weights that every backend can open."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as save_arrays
from safetensors.torch import save

from damage_perception.errors import UserError
from damage_perception.network.backends import open_backend, present
from damage_perception.network.inputs import (
    CHANNELS,
    HAS_COLOUR,
    HAS_REFERENCE,
    ITEM,
    REFERENCE,
    SEEN,
    VALID,
)
from damage_perception.network.model import DamageNetwork
from damage_perception.network.weights import (
    EVIDENCE,
    MANIFEST,
    ONNX,
    OPENVINO,
    OPENVINO_BIN,
    SAFETENSORS,
    Manifest,
    read_manifest,
    sha256,
)

TOLERANCE = 1e-3  # largest difference of a score between two backends, fp32
_OPSET = 17


def write_weights(network: DamageNetwork, folder: Path, manifest: Manifest | None = None) -> Path:
    """Write safetensors, ONNX and OpenVINO IR with a manifest, then compare them.

    Args:
        network: trained.
        folder: where to; made if it is missing.
        manifest: how the network came to be; its files are filled in here.

    Raises:
        UserError: if the folder cannot be written or two backends differ by more than TOLERANCE.
    """
    network = network.cpu().eval()
    write_tensors(network, folder, manifest)
    try:
        (folder / ONNX).write_bytes(to_onnx(network))
        _write_openvino(folder)
        _sign(folder, (SAFETENSORS, ONNX, OPENVINO, OPENVINO_BIN), manifest)
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror}); give another') from None
    difference = largest_difference(folder)
    if difference > TOLERANCE:
        raise UserError(f'{folder}: backends differ by {difference:.2g}; try other versions')
    return folder


def add_evidence(folder: Path, names: tuple[str, ...], tensors: dict[str, np.ndarray]) -> None:
    """Put the trees that weigh the network into its folder.

    Args:
        folder: weights that `write_weights` wrote.
        names: features, in the order of the trees.
        tensors: of `BoostedTrees`.

    Raises:
        UserError: if the folder is none of weights or cannot be written.
    """
    manifest = read_manifest(folder)
    try:
        (folder / EVIDENCE).write_bytes(save_arrays(tensors))
        files = tuple(dict.fromkeys((*manifest.files, EVIDENCE)))
        _sign(folder, files, replace(manifest, evidence=names))
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror}); give another') from None


def write_tensors(network: DamageNetwork, folder: Path, manifest: Manifest | None = None) -> None:
    """Write safetensors with a manifest: what the torch backend opens and `export` starts from.

    Raises:
        UserError: if the folder cannot be written.
    """
    tensors = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / SAFETENSORS).write_bytes(save(tensors))
        _sign(folder, (SAFETENSORS,), manifest)
    except OSError as error:
        raise UserError(f'{folder} cannot be written ({error.strerror}); give another') from None


def _sign(folder: Path, names: tuple[str, ...], manifest: Manifest | None) -> None:
    files = {name: sha256((folder / name).read_bytes()) for name in names}
    (folder / MANIFEST).write_bytes(replace(manifest or Manifest({}), files=files).to_json())


def to_onnx(network: DamageNetwork) -> bytes:
    """Give the network as ONNX of any batch and any size in multiples of 16."""
    buffer = io.BytesIO()
    sides = {0: 'batch', 2: 'rows', 3: 'columns'}
    torch.onnx.export(
        network, (torch.zeros(1, len(CHANNELS), 64, 96),), buffer, opset_version=_OPSET,
        input_names=['views'], output_names=['maps', 'scores'],
        dynamic_axes={'views': sides, 'maps': sides, 'scores': {0: 'batch'}}, dynamo=False,
    )  # fmt: skip
    return buffer.getvalue()


def _write_openvino(folder: Path) -> None:
    import openvino

    model = openvino.convert_model(folder / ONNX)
    openvino.save_model(model, folder / OPENVINO, compress_to_fp16=False)


def golden_batch(seed: int = 0, sides: tuple[int, int] = (128, 160)) -> np.ndarray:
    """Make a batch of two that stands for any other: noise with a plausible frame."""
    rng = np.random.default_rng(seed)
    batch = rng.standard_normal((2, len(CHANNELS), *sides)).astype(np.float32)
    for flag in (VALID, ITEM, SEEN, HAS_COLOUR, HAS_REFERENCE):
        batch[:, flag] = batch[:, flag] > -1.0
    batch[1, REFERENCE] = 0.0
    return batch


def largest_difference(folder: Path) -> float:
    """Give the largest difference of any score between any two backends in fp32."""
    batch = golden_batch()
    scores = [open_backend(folder, name, 1).predict(batch).scores for name in present()]
    return float(max(np.abs(scores[0] - other).max() for other in scores))
