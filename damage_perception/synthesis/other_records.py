"""Records of other kinds than crops: rectified views, real frames with damage put into them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.perception.view.codec import quantise_height
from damage_perception.synthesis.onto import alter
from damage_perception.synthesis.real_items import RealItem, find_real_items
from damage_perception.synthesis.records import annotate, depth_to_millimetres, write_png
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.views import labelled_view


@lru_cache(maxsize=1)
def real_items(folder: Path) -> list[RealItem]:
    """Find the items of a folder of real frames, once a process."""
    return find_real_items(folder)


def write_altered(
    out: Path, frames: Path, spec: SynthesisSpec, seed: int, index: int, rgb: str, depth: str
) -> dict[str, Any]:
    """Write a real frame with one item damaged or left sound; give its record."""
    altered = alter(real_items(frames), spec, seed, index)
    item, camera = altered.item, altered.item.frame.camera
    write_png(out / rgb, altered.rgb[..., ::-1])
    write_png(out / depth, depth_to_millimetres(altered.depth_m))
    image = {
        'file_name': rgb, 'depth_file_name': depth, 'width': camera.width, 'height': camera.height,
        'camera': {name: getattr(camera, name) for name in ('fx', 'fy', 'cx', 'cy')},
        'support_plane': [*item.support.normal, item.support.offset],
        'sku': '', 'item_id': f'{item.name}-{index}', 'split': 'test',
        'tags': [f'frame:{item.name}', f'family:{"flat" if item.flat else "soft"}'],
    }  # fmt: skip
    return {'image': image, 'annotations': annotate(item.mask, list(altered.damages))}


def write_view(out: Path, sample: Sample, index: int) -> dict[str, Any]:
    """Write a rectified view: colour, height (0.1 mm steps about 32768, 0 invalid) and masks.

    Its `depth_file_name` is null, since a view has no camera; `height_file_name` takes its place.
    """
    labelled = labelled_view(sample)
    rgb, height = f'rgb/{index + 1:06d}.png', f'depth/{index + 1:06d}.png'
    image: dict[str, Any] = {
        'file_name': rgb, 'depth_file_name': None, 'camera': None, 'sku': sample.sku,
        'item_id': sample.item_id, 'split': sample.split, 'tags': [*sample.tags],
    }  # fmt: skip
    if labelled is None:  # too little depth to be rectified: an honest blank
        write_png(out / rgb, sample.rgb[..., ::-1])
        rows, cols = sample.item_mask.shape
        image.update(width=cols, height=rows, tags=[*sample.tags, 'view:none'])
        found = [(damage.truth, damage.mask) for damage in sample.damages]
        return {'image': image, 'annotations': annotate(sample.item_mask, found)}
    view = labelled.view
    write_png(out / rgb, view.rgb[..., ::-1])
    levels = quantise_height(view.height_m).astype(np.int32) + 32768
    write_png(out / height, levels.astype(np.uint16))
    rows, cols = view.item_mask.shape
    image.update(width=cols, height=rows, height_file_name=height,
                 resolution_m=view.resolution_m, to_camera=view.to_camera.tolist())  # fmt: skip
    found = list(zip(labelled.damages, labelled.masks, strict=True))
    return {'image': image, 'annotations': annotate(view.item_mask, found)}
