"""Weights on disk: a folder with a manifest that says what every file must hash to.

No format here can run code: safetensors, ONNX, OpenVINO IR. Whatever is wrong with a folder is
said in one sentence and nothing of it is used.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.network.inputs import CHANNELS, INPUT_VERSION
from damage_perception.network.outputs import CLASSES, SCORES

FORMAT = 'damage_perception/weights 1'
MANIFEST = 'manifest.json'
SAFETENSORS, ONNX, OPENVINO = 'network.safetensors', 'network.onnx', 'network.xml'
OPENVINO_BIN = 'network.bin'
EVIDENCE = 'evidence.safetensors'  # the trees that weigh the network beside geometry
_MOST_BYTES = 64 << 20  # a file of weights that is larger is none of ours
_MEND = 'export the weights again'


@dataclass(frozen=True)
class Manifest:
    """What a folder of weights is.

    Attributes:
        files: name -> SHA-256.
        command, commit, seed, samples: how the weights came to be.
        input_version: of `view_tensor`.
        channels, classes, scores: meaning of inputs and outputs, in order.
        evidence: names of the features that the evidence weighs, in order.
    """

    files: dict[str, str]
    command: str = ''
    commit: str = ''
    seed: int = 0
    samples: int = 0
    input_version: int = INPUT_VERSION
    channels: tuple[str, ...] = CHANNELS
    classes: tuple[str, ...] = CLASSES
    scores: tuple[str, ...] = SCORES
    evidence: tuple[str, ...] = ()
    format: str = FORMAT

    def to_json(self) -> bytes:
        """Give the text of the file."""
        return json.dumps(asdict(self), indent=1).encode()


def sha256(data: bytes) -> str:
    """Give the SHA-256 as hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a folder and check that its network fits this program.

    Raises:
        UserError: in one sentence, if it does not.
    """
    path = folder / MANIFEST
    try:
        values: Any = json.loads(path.read_text(encoding='utf-8'))
    except OSError:
        raise UserError(f'{path} cannot be read; give a folder that `export` wrote') from None
    except (ValueError, RecursionError):
        raise UserError(f'{path} is not whole JSON; {_MEND}') from None
    if not isinstance(values, dict) or values.get('format') != FORMAT:
        raise UserError(f'{path} is no manifest of weights ({FORMAT}); {_MEND}')
    expected = {'input_version': INPUT_VERSION, 'channels': list(CHANNELS),
                'classes': list(CLASSES), 'scores': list(SCORES)}  # fmt: skip
    for name, wanted in expected.items():
        if values.get(name) != wanted:
            came = str(values.get(name))[:60]
            raise UserError(
                f'{path} is of weights with {name} {came}, this program needs '
                f'{str(wanted)[:60]}; {_MEND}'
            )
    files = values.get('files')
    if not isinstance(files, dict) or not all(
        isinstance(name, str) and Path(name).name == name and isinstance(digest, str)
        for name, digest in files.items()
    ):
        raise UserError(f'{path} names files that cannot be; {_MEND}')
    named = ('channels', 'classes', 'scores', 'evidence')
    lists = {name: tuple(map(str, values.get(name) or ())) for name in named}
    known = {name: values[name] for name in Manifest.__dataclass_fields__ if name in values}
    return Manifest(**{**known, **lists})


def read_file(folder: Path, name: str) -> bytes:
    """Read one file of a folder of weights, checked against its manifest.

    Raises:
        UserError: if it is missing, foreign, truncated or altered.
    """
    manifest, path = read_manifest(folder), folder / name
    if name not in manifest.files:
        raise UserError(f'{folder} holds no {name}; {_MEND}')
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= _MOST_BYTES else b''
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); {_MEND}') from None
    if size > _MOST_BYTES:
        raise UserError(f'{path} is larger than {_MOST_BYTES >> 20} MiB; {_MEND}')
    if sha256(data) != manifest.files[name]:
        raise UserError(f'{path} is not the file that was exported (SHA-256 differs); {_MEND}')
    return data


def manifest_digest(folder: Path) -> str:
    """Give the SHA-256 that names these weights: that of the manifest, which holds all others."""
    read_manifest(folder)
    return sha256((folder / MANIFEST).read_bytes())


def check_tensors(
    tensors: dict[str, NDArray[Any]], shapes: dict[str, tuple[int, ...]], where: Path
) -> None:
    """Check names, shapes, types and values of tensors.

    Raises:
        UserError: naming the first one that does not fit.
    """
    missing, foreign = sorted(shapes.keys() - tensors), sorted(tensors.keys() - shapes)
    if missing or foreign:
        what = f'lacks {missing[0]}' if missing else f'has the unknown tensor {foreign[0]}'
        raise UserError(f'{where} {what}; {_MEND}')
    for name, shape in shapes.items():
        tensor = tensors[name]
        if tensor.shape != shape:
            raise UserError(f'{where}: {name} must be {shape}, got {tensor.shape}; {_MEND}')
        if tensor.dtype.kind == 'f' and not np.isfinite(tensor).all():
            raise UserError(f'{where}: {name} holds values that are no numbers; {_MEND}')
