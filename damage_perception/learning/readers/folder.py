"""Plain folders of images: `good/` (or ok, sound, normal) and `bad/` (or any other name).

They may lie in a folder of their split, as `test/good/`, and a folder inside `bad/` may carry the
name of a damage type. `references/` holds pristine pictures; `ground_truth/` and `masks/` hold no
items.
"""

from __future__ import annotations

from pathlib import Path

from damage_perception.learning.dataset import Damage, Reference, Sample
from damage_perception.report import DamageType

SOUND = ('good', 'ok', 'sound', 'normal', 'undamaged')
SPLITS = ('train', 'val', 'validation', 'test')
BESIDE = ('references', 'ground_truth', 'masks')  # folders of what is no item
SUFFIXES = ('.png', '.jpg', '.jpeg', '.bmp', '.webp')
TYPES = {kind.name.lower(): kind for kind in DamageType}


def read(root: Path) -> list[Sample]:
    """Read every image that lies in a folder below `root`."""
    references = tuple(Reference(path) for path in _images(root / 'references'))
    return [
        _sample(root, path, references)
        for folder in sorted(path for path in root.iterdir() if path.is_dir())
        if folder.name not in BESIDE
        for path in _images(folder)
    ]


def _sample(root: Path, path: Path, references: tuple[Reference, ...]) -> Sample:
    name = path.relative_to(root)
    split = name.parts[0] if name.parts[0].lower() in SPLITS else ''
    damaged = name.parts[bool(split)].lower() not in SOUND
    kind = TYPES.get(name.parent.name.lower(), DamageType.UNKNOWN)
    return Sample(
        image_id=name.as_posix(),
        rgb=path,
        damaged=damaged,
        damages=(Damage(kind),) if damaged else (),
        references=references,
        item_id=name.as_posix(),
        split=split,
    )


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob('*') if path.suffix.lower() in SUFFIXES)
