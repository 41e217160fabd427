"""The `rgbd-coco` v1 format: COCO plus depth, camera, product, severity and depth of damage."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics
from damage_perception.learning.dataset import Damage, Reference, Sample
from damage_perception.learning.readers.checks import field, inside, load_json
from damage_perception.learning.readers.regions import CocoRegion
from damage_perception.report import DamageType, Severity

ITEM = 100  # category of the item itself
FARTHEST_MM = 1e6
SEVERITIES = {'minor': Severity.MINOR, 'major': Severity.MAJOR}


def read(root: Path) -> list[Sample]:
    """Read `dataset.json` of a folder, or that file itself.

    Raises:
        UserError: naming the file and the entry that cannot be used.
    """
    source = root if root.is_file() else root / 'dataset.json'
    root = source.parent
    data = load_json(source)
    annotations: dict[Any, list[Any]] = defaultdict(list)
    for entry in field(data, 'annotations', list, source):
        annotations[field(entry, 'image_id', (int, str), source)].append(entry)
    images = field(data, 'images', list, source)
    for image in images:
        field(image, 'id', (int, str), source)
    skus = {str(image.get('sku') or '') for image in images}
    cameras = _reference_cameras(root, data, source)
    references = {sku: _references(root, sku, source, cameras) for sku in skus}
    samples = [
        _sample(root, image, annotations.pop(image['id'], []), references, source)
        for image in images
    ]
    if len({sample.image_id for sample in samples}) != len(samples):
        raise UserError(f'{source}: two images have the same id; give each its own')
    if annotations:
        stray = next(iter(annotations))
        raise UserError(f'{source}: an annotation belongs to image {stray}, which is not listed')
    return samples


def _sample(
    root: Path,
    image: dict[str, Any],
    entries: list[Any],
    references: dict[str, tuple[Reference, ...]],
    source: Path,
) -> Sample:
    width, height = field(image, 'width', int, source), field(image, 'height', int, source)
    if not (0 < width <= 1 << 15 and 0 < height <= 1 << 15):
        raise UserError(f'{source}: image {image["id"]} cannot be {width}x{height} pixels')
    where = f'{source}, image {image["id"]}'
    depth = image.get('depth_file_name')
    sku = str(image.get('sku') or '')
    damages, items = [], []
    for entry in entries:
        region = CocoRegion(entry.get('segmentation'), height, width, where)
        if entry.get('category_id') == ITEM:
            items.append(region)
        else:
            damages.append(_damage(entry, region, where))
    return Sample(
        image_id=image['id'],
        rgb=inside(root, image.get('file_name'), source),
        depth=None if depth is None else inside(root, depth, source),
        camera=_camera(image.get('camera'), width, height, where),
        damaged=bool(damages),
        damages=tuple(damages),
        items=tuple(items),
        tags=_tags(image, source),
        references=references[sku],
        sku=sku,
        item_id=str(image.get('item_id') or ''),
        split=str(image.get('split') or ''),
    )


def _tags(image: dict[str, Any], source: Path) -> tuple[str, ...]:
    if image.get('tags') is None:
        return ()
    return tuple(str(tag) for tag in field(image, 'tags', list, source))


def _damage(entry: dict[str, Any], region: CocoRegion, where: str) -> Damage:
    try:
        kind = DamageType(entry.get('category_id', -1))
    except ValueError:
        raise UserError(
            f'{where}: category_id must be 1 to {len(DamageType) - 1} or {ITEM} (the item), '
            f'got {entry.get("category_id")!r}'
        ) from None
    depth = entry.get('depth_mm')
    if depth is not None and (type(depth) not in (int, float) or not abs(depth) < FARTHEST_MM):
        raise UserError(f'{where}: depth_mm must be a number or null, got {depth!r:.80}')
    severity = entry.get('severity')
    if severity not in (None, *SEVERITIES):
        raise UserError(f'{where}: severity must be minor, major or null, got {severity!r:.80}')
    return Damage(
        kind,
        SEVERITIES.get(str(severity), Severity.UNKNOWN),
        math.nan if depth is None else depth / 1000.0,
        region,
    )


def _camera(camera: Any, width: int, height: int, where: str) -> CameraIntrinsics | None:
    if camera is None:
        return None
    try:
        return CameraIntrinsics(
            width, height, *(float(camera[k]) for k in ('fx', 'fy', 'cx', 'cy'))
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise UserError(f'{where}: camera must hold fx, fy, cx, cy in pixels ({error})') from None


def _reference_cameras(
    root: Path, data: dict[str, Any], source: Path
) -> dict[Path, CameraIntrinsics | None]:
    """Give the cameras of those reference pictures that the file lists."""
    if 'references' not in data:
        return {}
    cameras = {}
    for entry in field(data, 'references', list, source):
        name = field(entry, 'file_name', str, source)
        size = field(entry, 'width', int, source), field(entry, 'height', int, source)
        camera = _camera(entry.get('camera'), *size, f'{source}, reference {name}')
        cameras[inside(root, name, source)] = camera
    return cameras


def _references(
    root: Path, sku: str, source: Path, cameras: dict[Path, CameraIntrinsics | None]
) -> tuple[Reference, ...]:
    if not sku:
        return ()
    folder = inside(root / 'references', sku, source)
    files = sorted(folder.glob('*.png')) if folder.is_dir() else []
    depths = {path.stem.removesuffix('_depth'): path for path in files if '_depth' in path.stem}
    return tuple(
        Reference(path, depths.get(path.stem), cameras.get(path))
        for path in files
        if path not in depths.values()
    )
