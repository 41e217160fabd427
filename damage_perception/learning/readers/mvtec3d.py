"""MVTec 3D-AD: `CATEGORY/SPLIT/KIND/{rgb,xyz,gt}/NNN`, one category or all of them.

`xyz` holds organised points in metres, so depth is their z and the camera is fitted to them;
`gt` outlines the damage. Sound training images of a category are its references.
"""

from __future__ import annotations

from pathlib import Path

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics
from damage_perception.learning.dataset import Damage, MaskFile, Reference, Sample, fit_camera
from damage_perception.learning.images import read_points
from damage_perception.report import DamageType

SPLITS = ('train', 'validation', 'test')
TYPES = {
    'hole': DamageType.HOLE,
    'cut': DamageType.TEAR,
    'crack': DamageType.TEAR,
    'open': DamageType.DECONSTRUCTION,
    'bent': DamageType.CRUSH,
}
REFERENCES = 3


def read(root: Path) -> list[Sample]:
    """Read a category folder, or every category below a folder.

    Raises:
        UserError: naming the file that is missing or broken.
    """
    categories = [root] if (root / 'test').is_dir() else sorted(root.glob('*/'))
    return [sample for category in categories for sample in _category(category)]


def _category(category: Path) -> list[Sample]:
    images = {split: sorted(category.glob(f'{split}/*/rgb/*.png')) for split in SPLITS}
    references = tuple(Reference(path, _points(path)) for path in images['train'][:REFERENCES])
    first = next((path for split in SPLITS for path in images[split]), None)
    camera = None if first is None else fit_camera(read_points(_points(first)))
    return [_sample(path, split, camera, references) for split in SPLITS for path in images[split]]


def _sample(
    rgb: Path, split: str, camera: CameraIntrinsics | None, references: tuple[Reference, ...]
) -> Sample:
    kind = rgb.parent.parent.name
    category = rgb.parents[3].name
    outline = rgb.parent.parent / 'gt' / rgb.name
    damaged = kind != 'good'
    if damaged and not outline.is_file():
        raise UserError(f'{outline} is missing; unpack the category {category} again')
    damage = Damage(TYPES.get(kind, DamageType.ANOMALY), region=MaskFile(outline))
    return Sample(
        image_id=f'{category}/{split}/{kind}/{rgb.stem}',
        rgb=rgb,
        depth=_points(rgb),
        camera=camera,
        damaged=damaged,
        damages=(damage,) if damaged else (),
        tags=(f'kind:{kind}',),
        references=references,
        sku=category,
        item_id=f'{category}/{split}/{kind}/{rgb.stem}',
        split=split,
    )


def _points(rgb: Path) -> Path:
    path = rgb.parent.parent / 'xyz' / f'{rgb.stem}.tiff'
    if not path.is_file():
        raise UserError(f'{path} is missing; unpack the data set again')
    return path
