"""A small made rgbd-coco data set and predictions about it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

SIZE = (40, 60)  # rows, columns


def write_rgbd_coco(root: Path, damaged: list[bool], **changes: Any) -> Path:
    """Write one image for each label; item in columns 10 to 50, damage 20x10 px in its middle."""
    images, annotations = [], []
    for number, bad in enumerate(damaged, start=1):
        rgb = np.full((*SIZE, 3), 90, np.uint8)
        rgb[5:35, 10:50] = 160
        depth = np.full(SIZE, 1200, np.uint16)
        depth[:, 0] = 0
        write_png(root / f'rgb/{number:06d}.png', rgb)
        write_png(root / f'depth/{number:06d}.png', depth)
        images.append(
            {
                'id': number,
                'file_name': f'rgb/{number:06d}.png',
                'depth_file_name': f'depth/{number:06d}.png',
                'width': SIZE[1],
                'height': SIZE[0],
                'camera': {'fx': 50.0, 'fy': 50.0, 'cx': 30.0, 'cy': 20.0},
                'sku': f'sku{number % 3}',
                'item_id': f'item{number}',
                'split': 'test' if number % 2 else 'val',
                'tags': ['family:carton', *([] if bad else ['lookalike:crack'])[: number % 2]],
            }
            | changes.get('image', {})
        )
        annotations.append(_annotation(number, 100, [10, 5, 50, 5, 50, 35, 10, 35]))
        if bad:
            entry = _annotation(number, 1, [20, 15, 40, 15, 40, 25, 20, 25])
            entry |= {'severity': 'major', 'depth_mm': 14.0} | changes.get('damage', {})
            annotations.append(entry)
    path = root / 'dataset.json'
    path.write_text(json.dumps({'images': images, 'annotations': annotations, 'categories': []}))
    return path


def write_png(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), image)


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
    return path


def _annotation(image: int, category: int, polygon: list[float]) -> dict[str, Any]:
    return {
        'id': 10 * image + category,
        'image_id': image,
        'category_id': category,
        'segmentation': [polygon],
        'iscrowd': 0,
    }
