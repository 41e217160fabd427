"""Readers of public data sets; each gives `Sample`s. `open_dataset('kaputt:DIR')` picks one."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path

from damage_perception.errors import CallError, UserError
from damage_perception.learning.dataset import Sample

READERS = {
    'rgbd-coco': 'rgbd_coco',
    'kaputt': 'kaputt',
    'armbench': 'armbench',
    'mvtec3d': 'mvtec3d',
    'folder': 'folder',
}


def open_dataset(spec: str, split: str | None = None) -> list[Sample]:
    """Read the samples of a data set.

    Args:
        spec: `FORMAT:DIR`, as `rgbd-coco:data/parcels`.
        split: only samples of this split; None = all.

    Raises:
        CallError: for an unknown format, a folder that is not there or a split without samples.
        UserError: for a file that is broken.
    """
    name, colon, place = spec.partition(':')
    if not colon or name not in READERS:
        raise CallError(
            f'--dataset must be FORMAT:DIR with FORMAT {" | ".join(READERS)}, got {spec}'
        )
    root = Path(place)
    if not root.is_dir():
        raise CallError(f'{root} is not a folder; give the folder of the {name} data set')
    module = importlib.import_module(f'{__name__}.{READERS[name]}')
    read: Callable[[Path], list[Sample]] = module.read
    samples = read(root)
    if not samples:
        raise UserError(f'{root} holds no image of a {name} data set; check the folder')
    if split is None:
        return samples
    chosen = [sample for sample in samples if sample.split == split]
    if not chosen:
        known = ', '.join(sorted({sample.split for sample in samples}))
        raise CallError(f'{root} has no split {split}; it has: {known}')
    return chosen
