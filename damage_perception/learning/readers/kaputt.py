"""Kaputt 1 and 2: parquet manifests, query crops with up to three references each.

Layout: `query-SPLIT.parquet` and `reference-SPLIT.parquet` at the root or in `datasets/`; image
paths in them are relative to the root, or to the folder of the archive that held them
(`query-crop/`, `reference-crop/` ...). The masks of Kaputt outline the item, not its damage, so
damages have no region. Test labels may be withheld: then `damaged` is None.
"""

from __future__ import annotations

import csv
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from damage_perception.errors import UserError
from damage_perception.learning.dataset import Damage, Reference, Sample
from damage_perception.learning.readers.checks import inside
from damage_perception.report import DamageType, Severity

SPLITS = ('train', 'validation', 'test')
TYPES = {
    'deformation': DamageType.CRUSH,
    'penetration': DamageType.HOLE,
    'deconstruction': DamageType.DECONSTRUCTION,
    'actuation': DamageType.DECONSTRUCTION,  # a flap or lid that came open
    'spillage': DamageType.SPILL,
    'missing_unit': DamageType.MISSING_UNIT,
    'superficial': DamageType.ANOMALY,
}


def read(root: Path) -> list[Sample]:
    """Read all splits that are there, as crops.

    Raises:
        UserError: naming the manifest that is broken or lacks a column.
    """
    folder = root / 'datasets' if (root / 'datasets').is_dir() else root
    samples = []
    for split in SPLITS:
        manifest = folder / f'query-{split}.parquet'
        if manifest.is_file():
            references = _references(root, folder / f'reference-{split}.parquet')
            rows = _table(manifest, ('capture_id', 'item_identifier', 'query_crop'))
            samples += [_sample(root, row, split, references, manifest) for row in rows]
    return samples


def write_submission(path: Path, scores: Mapping[int | str, float]) -> None:
    """Write the challenge's CSV: `capture_id,pred`, one line a capture, 0 to 1.

    An UNKNOWN (NaN) is written as 0.5: the challenge knows no UNKNOWN, and neither end is true.

    Raises:
        UserError: if a score lies outside [0, 1] or the file cannot be written.
    """
    wrong = [name for name, score in scores.items() if not (math.isnan(score) or 0 <= score <= 1)]
    if wrong:
        raise UserError(f'{path}: the score of {wrong[0]} must lie in [0, 1]')
    try:
        with path.open('w', newline='', encoding='utf-8') as file:
            writer = csv.writer(file)
            writer.writerow(['capture_id', 'pred'])
            for name, score in scores.items():
                writer.writerow([name, f'{0.5 if math.isnan(score) else score:.6f}'])
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror})') from None


def _sample(
    root: Path,
    row: Mapping[str, Any],
    split: str,
    references: Mapping[str, tuple[Reference, ...]],
    manifest: Path,
) -> Sample:
    defect = row.get('defect')
    severity = Severity.MAJOR if row.get('major_defect') else Severity.MINOR
    damages = []
    for name in _names(row.get('defect_types')) if defect else ():
        if name not in TYPES:
            raise UserError(
                f'{manifest}: defect type {name!r} is unknown; known: {", ".join(TYPES)}'
            )
        damages.append(Damage(TYPES[name], severity))
    if defect and not damages:
        damages.append(Damage(DamageType.UNKNOWN, severity))
    material = row.get('item_material')
    return Sample(
        image_id=str(row['capture_id']),
        rgb=_find(root, row['query_crop'], 'query-crop', manifest),
        damaged=None if defect is None else bool(defect),
        damages=tuple(damages),
        tags=(f'material:{material}',) if material else (),
        references=references.get(str(row['item_identifier']), ()),
        sku=str(row['item_identifier']),
        item_id=str(row['capture_id']),
        split=split,
    )


def _references(root: Path, manifest: Path) -> dict[str, tuple[Reference, ...]]:
    """Read pristine crops by product; a row holds one path or several joined by commas."""
    found: dict[str, list[Reference]] = defaultdict(list)
    if not manifest.is_file():
        return {}
    for row in _table(manifest, ('item_identifier', 'reference_crop')):
        if row.get('defect'):  # Kaputt says its references are only mostly sound
            continue
        for name in _names(row['reference_crop']):
            path = _find(root, name, 'reference-crop', manifest)
            found[str(row['item_identifier'])].append(Reference(path))
    return {sku: tuple(references) for sku, references in found.items()}


def _table(manifest: Path, columns: Iterable[str]) -> list[dict[str, Any]]:
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        raise UserError(f'{manifest}: reading Kaputt needs pyarrow: pip install pyarrow') from None
    try:
        table = parquet.read_table(manifest)
    except (OSError, ValueError, MemoryError) as error:  # pyarrow's errors derive from these
        raise UserError(f'{manifest} is not a whole parquet file ({error!s:.120})') from None
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        raise UserError(f'{manifest} lacks the column {missing[0]}; is it a Kaputt manifest?')
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def _names(value: Any) -> list[str]:
    parts = value.split(',') if isinstance(value, str) else list(value or ())
    return [str(part).strip() for part in parts if str(part).strip()]


def _find(root: Path, name: Any, archive: str, manifest: Path) -> Path:
    path = inside(root, name, manifest)
    unpacked = root / archive / str(name)
    return unpacked if not path.exists() and unpacked.exists() else path
