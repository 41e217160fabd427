"""A sample as pictures on disk and entries of `rgbd-coco`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.report import DamageType, Severity
from damage_perception.synthesis.patch import Damage
from damage_perception.synthesis.sample import Sample

ITEM_CATEGORY = 100
CATEGORIES = [
    *({'id': int(kind), 'name': kind.name.lower(), 'supercategory': 'damage'}
      for kind in DamageType if kind is not DamageType.UNKNOWN),
    {'id': ITEM_CATEGORY, 'name': 'item', 'supercategory': 'item'},
]  # fmt: skip


def encode_mask(mask: NDArray[np.bool_]) -> dict[str, Any]:
    """Give COCO's run lengths of a mask (H, W): columns first, beginning with zeros."""
    flat = np.concatenate([[0], mask.T.ravel().astype(np.int8), [0]])
    changes = np.flatnonzero(np.diff(flat))
    counts = np.diff(np.concatenate([[0], changes, [mask.size]]))
    if len(changes) and changes[-1] == mask.size:
        counts = counts[:-1]
    return {'size': list(mask.shape), 'counts': [int(count) for count in counts]}


def decode_mask(segmentation: dict[str, Any]) -> NDArray[np.bool_]:
    """Give the mask (H, W) of COCO's run lengths."""
    counts = np.asarray(segmentation['counts'])
    height, width = segmentation['size']
    values = np.repeat(np.arange(len(counts)) % 2 == 1, counts)
    return np.ascontiguousarray(values.reshape(width, height).T)


def annotation(mask: NDArray[np.bool_], category: int, **more: Any) -> dict[str, Any]:
    """Give a COCO annotation without its ids."""
    rows, cols = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = [int(cols[0]), int(rows[0]), int(cols[-1] - cols[0] + 1), int(rows[-1] - rows[0] + 1)]
    return {
        'category_id': category,
        'segmentation': encode_mask(mask),
        'bbox': box,
        'area': int(mask.sum()),
        'iscrowd': 0,
        **more,
    }


def describe(sample: Sample, rgb: str, depth: str) -> dict[str, Any]:
    """Give the image entry of a sample and its annotations, ids left out."""
    found = [(damage.truth, damage.mask) for damage in sample.damages]
    image = {'file_name': rgb, 'depth_file_name': depth, **geometry(sample)}
    image.update(sku=sample.sku, item_id=sample.item_id, split=sample.split, tags=[*sample.tags])
    return {'image': image, 'annotations': annotate(sample.item_mask, found)}


def annotate(
    item: NDArray[np.bool_], damages: list[tuple[Damage, NDArray[np.bool_]]]
) -> list[dict[str, Any]]:
    """Give the annotations of an item and its damages."""
    annotations = [annotation(item, ITEM_CATEGORY)] if item.any() else []
    for truth, mask in damages:
        if mask.any():
            annotations.append(
                annotation(
                    mask,
                    int(truth.damage_type),
                    severity=Severity(truth.severity).name.lower(),
                    depth_mm=round(1000 * truth.depth_m, 2),
                    kind=truth.kind,
                    area_cm2=round(1e4 * truth.area_m2, 2),
                    contents_exposed=truth.exposed,
                )
            )
    return annotations


def geometry(sample: Sample) -> dict[str, Any]:
    """Give camera, support plane, pose and size of a sample as JSON takes them."""
    camera = sample.camera
    return {
        'width': camera.width,
        'height': camera.height,
        'camera': {name: round(getattr(camera, name), 4) for name in ('fx', 'fy', 'cx', 'cy')},
        'support_plane': [*np.round([*sample.plane.normal, sample.plane.offset], 6).tolist()],
        'item_pose': np.round(sample.pose, 6).tolist(),
        'item_size': [round(side, 4) for side in sample.size],
    }


def depth_to_millimetres(depth_m: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Give depth as it lies on disk: uint16 millimetres, 0 = invalid."""
    millimetres = np.nan_to_num(depth_m * 1000.0, nan=0.0)
    return np.clip(np.round(millimetres), 0, 65535).astype(np.uint16)


def write_pictures(sample: Sample, rgb: Path, depth: Path) -> None:
    """Write colour and depth as PNG.

    Raises:
        UserError: if the disk takes no more.
    """
    write_png(rgb, sample.rgb[..., ::-1])
    write_png(depth, depth_to_millimetres(sample.depth_m))


def read_png(path: Path) -> NDArray[Any]:
    """Read a picture as it is: uint16, or uint8 with red first.

    Raises:
        UserError: if it is none.
    """
    image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if image is None:
        raise UserError(f'{path} is no picture; make the data set again')
    return np.ascontiguousarray(image[..., ::-1]) if image.ndim == 3 else np.asarray(image)


def write_png(path: Path, image: NDArray[Any]) -> None:
    """Write a PNG (channels blue first) whole or not at all."""
    _, data = cv2.imencode('.png', image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    write_whole(path, data.tobytes())


def write_whole(path: Path, data: bytes) -> None:
    """Write a file so that it is whole as soon as it has its name."""
    part = path.with_name(path.name + '.part')
    try:
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise UserError(
            f'{path} cannot be written ({error.strerror}); free space and call again with --resume'
        ) from error
