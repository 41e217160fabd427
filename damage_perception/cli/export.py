"""`damage-perception export`: a trained network as safetensors, ONNX and OpenVINO IR."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    weights: Annotated[Path, typer.Argument(help='Folder of weights, as train wrote.')],
    out: Annotated[Path, typer.Option(help='Folder to write.')],
    json: Annotated[bool, typer.Option('--json', help='Print JSON for programs.')] = False,
) -> None:
    """Write the weights for every backend and check that all say the same."""
    import json as json_module
    from importlib.util import find_spec

    from damage_perception.errors import CallError, UserError

    if find_spec('torch') is None:
        raise UserError('export needs torch: pip install -r requirements/train.txt')
    if out.resolve() == weights.resolve():
        raise CallError(f'{out} is where the weights come from; give another folder')
    from damage_perception.network.backends.torch_backend import load_network
    from damage_perception.network.export import largest_difference, write_weights
    from damage_perception.network.weights import read_manifest

    write_weights(load_network(weights), out, read_manifest(weights))
    files = {name: (out / name).stat().st_size for name in sorted(read_manifest(out).files)}
    difference = largest_difference(out)
    if json:
        typer.echo(json_module.dumps({'files': files, 'largest_difference': difference}))
        return
    for name, size in files.items():
        typer.echo(f'{out / name}: {size / 1e6:.2f} MB')
    typer.echo(f'largest difference of a score between backends: {difference:.1e}')
