"""Contact sheets: colour, depth in colour, outlines of damage and a caption for each item."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.noise import Field
from damage_perception.synthesis.records import (
    ITEM_CATEGORY,
    decode_mask,
    read_png,
    write_png,
)
from damage_perception.synthesis.sample import Sample

Image = NDArray[np.uint8]

_SIDE = 220
_CAPTION = 30
_COLOURS = {  # of outlines, by damage type
    1: (255, 80, 60), 2: (255, 180, 30), 3: (255, 60, 220), 4: (90, 220, 255), 5: (90, 130, 255),
    6: (120, 255, 90),
}  # fmt: skip


def colour_depth(depth: Field, near: float, far: float) -> Image:
    """Colour depth (H, W) metres: red near, blue far, black invalid; (H, W, 3), red first."""
    share = np.clip((np.nan_to_num(depth, nan=far) - near) / max(far - near, 1e-6), 0, 1)
    image = cv2.applyColorMap((255 * (1 - share)).astype(np.uint8), cv2.COLORMAP_TURBO)
    image[np.isnan(depth)] = 0
    return np.ascontiguousarray(image[..., ::-1])


def relief(depth: Field, plane: tuple[float, ...], camera: dict[str, float]) -> Field:
    """Height (H, W) metres over the support; `plane` is normal and offset, optical frame."""
    rows, cols = depth.shape
    x = (np.arange(cols) - camera['cx']) / camera['fx']
    y = (np.arange(rows) - camera['cy']) / camera['fy']
    slope = plane[0] * x[None, :] + plane[1] * y[:, None] + plane[2]
    return (depth * slope + plane[3]).astype(np.float32)


def tile(rgb: Image, height: Field, masks: list[tuple[int, Image]], lines: list[str]) -> Image:
    """One item: caption, colour with outlines, height in colour with outlines."""
    known = height[~np.isnan(height)]
    low, high = np.percentile(known, (3, 99)) if known.size else (0.0, 0.1)
    low, high = max(low, -0.02) - 0.004, max(high, low + 0.03) + 0.004
    depth = colour_depth(-height, -high, -low)
    rgb = rgb.copy()
    for kind, mask in masks:
        outline, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(depth, outline, -1, (255, 255, 255), 1)
        cv2.drawContours(rgb, outline, -1, _COLOURS.get(kind, (255, 255, 255)), 1)
    caption = np.full((_CAPTION, _SIDE, 3), 18, np.uint8)
    for number, line in enumerate(lines[:2]):
        cv2.putText(caption, line[:38], (3, 12 + 13 * number), cv2.FONT_HERSHEY_SIMPLEX, 0.34,
                    (235, 235, 235), 1, cv2.LINE_AA)  # fmt: skip
    return np.vstack([caption, _fit(rgb), _fit(depth)])


def _fit(image: Image) -> Image:
    scale = _SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    result = np.full((_SIDE, _SIDE, 3), 45, np.uint8)
    rows, cols = min(small.shape[0], _SIDE), min(small.shape[1], _SIDE)
    result[:rows, :cols] = small[:rows, :cols]
    return result


def sheet(tiles: list[Image], columns: int = 6) -> Image:
    """Lay tiles out in rows."""
    while len(tiles) % columns:
        tiles = [*tiles, np.full_like(tiles[0], 18)]
    rows = [np.hstack(tiles[start : start + columns]) for start in range(0, len(tiles), columns)]
    return np.vstack(rows)


def sample_tile(sample: Sample) -> Image:
    """The tile of a sample in memory."""
    camera = {name: getattr(sample.camera, name) for name in ('fx', 'fy', 'cx', 'cy')}
    height = relief(sample.depth_m, (*sample.plane.normal, sample.plane.offset), camera)
    masks = [(int(damage.truth.damage_type), damage.mask.astype(np.uint8))
             for damage in sample.damages]  # fmt: skip
    words = [f'{d.truth.kind} {d.truth.severity.name.lower()} {1000 * d.truth.depth_m:.0f} mm'
             for d in sample.damages]  # fmt: skip
    return tile(sample.rgb, height, masks, [_title(sample.tags), ', '.join(words) or 'sound'])


def _title(tags: tuple[str, ...] | list[str]) -> str:
    parts = dict(tag.split(':', 1) for tag in tags if not tag.startswith('oddity'))
    alike = f' / {parts["lookalike"]}' if 'lookalike' in parts else ''
    return f'{parts.get("family", "")}{alike} [{parts.get("sensor", "")}]'


def _height(image: dict[str, Any], folder: Path) -> Field:
    """Height over the support, or over the face of a rectified view."""
    if image['depth_file_name'] is None:
        if 'height_file_name' not in image:
            return np.full((image['height'], image['width']), np.nan, np.float32)
        levels = read_png(folder / image['height_file_name']).astype(np.float32)
        return np.where(levels > 0, (levels - 32768) * 1e-4, np.nan).astype(np.float32)
    raw = read_png(folder / image['depth_file_name']).astype(np.float32)
    depth = np.where(raw > 0, raw / 1000, np.nan).astype(np.float32)
    return relief(depth, image['support_plane'], image['camera'])


def write_contact_sheet(dataset: dict[str, Any], folder: Path, path: Path, most: int = 36) -> None:
    """Write a sheet of the first items of a data set on disk."""
    tiles = []
    for image in dataset['images'][:most]:
        own = [a for a in dataset['annotations']
               if a['image_id'] == image['id'] and a['category_id'] != ITEM_CATEGORY]  # fmt: skip
        masks = [(a['category_id'], decode_mask(a['segmentation']).astype(np.uint8)) for a in own]
        words = [f'{a["kind"]} {a["severity"]} {a["depth_mm"]:.0f} mm' for a in own]
        lines = [_title(image['tags']), ', '.join(words) or 'sound']
        rgb = read_png(folder / image['file_name'])
        tiles.append(tile(rgb, _height(image, folder), masks, lines))
    write_png(path, sheet(tiles)[..., ::-1])
