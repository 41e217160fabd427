"""ARMBench image defect detection: `data/ID/ID_SLICE.jpg` with a JSON beside each image.

The JSON holds `label` (nominal, multi_pick, package_defect), `sublabel` and the item's `polygon`;
`train.csv` and `test.csv` list the ids of each split. Two items picked at once are not damage:
they are sound items with the tag `oddity:multi_pick`. Damage is not outlined.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.dataset import Damage, Sample
from damage_perception.learning.images import read_rgb
from damage_perception.learning.readers.checks import load_json
from damage_perception.learning.readers.regions import CocoRegion
from damage_perception.report import DamageType

TYPES = {
    'open_box': DamageType.DECONSTRUCTION,
    'partial_box': DamageType.DECONSTRUCTION,
    'crush_box': DamageType.CRUSH,
    'torn_bag': DamageType.TEAR,
    'empty_bag': DamageType.MISSING_UNIT,
    'open_book': DamageType.DECONSTRUCTION,
    'book_jacket': DamageType.DECONSTRUCTION,
    'open_book_jacket': DamageType.DECONSTRUCTION,
}
SOUND = ('nominal', 'multi_pick')


@dataclass(frozen=True, eq=False)
class ItemOutline:
    """The outline of the item; the size of its image is known only when it is read."""

    polygon: Any
    image: Path

    def read(self) -> NDArray[np.bool_]:
        """Give the region as (H, W) bool."""
        height, width = read_rgb(self.image).shape[:2]
        corners = [value for corner in self.polygon for value in corner]
        return CocoRegion([corners], height, width, str(self.image)).read()


def read(root: Path) -> list[Sample]:
    """Read every image below `data/`.

    Raises:
        UserError: naming the JSON that is missing or cannot be used.
    """
    splits = {name: split for split in ('train', 'test') for name in _ids(root / f'{split}.csv')}
    return [
        _sample(image, folder.name, splits.get(folder.name, ''))
        for folder in sorted((root / 'data').glob('*'))
        if folder.is_dir()
        for image in sorted(folder.glob('*.jpg'))
    ]


def _sample(image: Path, item_id: str, split: str) -> Sample:
    source = image.with_suffix('.json')
    data = load_json(source)
    label, sublabel, polygon = (_get(data, key, source) for key in ('label', 'sublabel', 'polygon'))
    if polygon and not all(isinstance(point, list) and len(point) == 2 for point in polygon):
        raise UserError(f'{source}: polygon must be a list of [x, y] points')
    damaged = None if not label else label not in SOUND
    kind = TYPES.get(str(sublabel), DamageType.ANOMALY)
    tags = [f'label:{name}' for name in (label, sublabel) if name]
    if label == 'multi_pick':
        tags.append('oddity:multi_pick')
    return Sample(
        image_id=image.stem,
        rgb=image,
        damaged=damaged,
        damages=(Damage(kind),) if damaged else (),
        items=(ItemOutline(polygon, image),) if polygon else (),
        tags=tuple(tags),
        item_id=item_id,
        split=split,
    )


def _get(data: Any, key: str, source: Path) -> Any:
    value = data.get(key) if isinstance(data, dict) else None
    if not isinstance(data, dict) or not isinstance(value, (str, list, type(None))):
        raise UserError(f'{source}: {key} must be text, a list or null; is it from ARMBench?')
    return value


def _ids(path: Path) -> list[str]:
    if not path.is_file():
        return []
    try:
        lines = path.read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError):
        raise UserError(f'{path} is not a list of ids, one a line; copy it again') from None
    return [line.strip() for line in lines if line.strip()]
