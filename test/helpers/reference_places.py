"""Measure how far from the truth references are placed, on a rendered data set.

damage-perception synthesize --out D --items 400 --seed 31001
python test/helpers/reference_places.py D prints the table of docs/references.md: one item of each
product, the first of its references, both as the product finds them.

The truth is the product's own surface: the places on it that both pictures show, by the poses that
the engine drew and the depth that was measured. So it is right for bags and bottles too, of which
two faces never lie alike, and some millimetres wrong where depth is.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from damage_perception.errors import UserError
from damage_perception.learning.predictions.reference_views import reference_views
from damage_perception.learning.readers import open_dataset
from damage_perception.perception.comparison.alignment import Aligner
from damage_perception.perception.comparison.reference_view import view_of_item

_SMOOTH, _ROUNDS = 2.0, 6  # pixels; fixed-point steps
_SAME_M = 0.004  # a place was found again
_FEWEST = 200  # pixels that both show


def on_product(view, pose):
    """(H, W, 2) metres along length and width of the product, of what each pixel shows."""
    rows, columns = view.item_mask.shape
    known = view.valid.astype(np.float32)
    total = np.where(view.valid, view.height_m, np.float32(0.0))
    near, share = (cv2.GaussianBlur(plane, (0, 0), _SMOOTH) for plane in (total, known))
    far, some = (cv2.GaussianBlur(plane, (0, 0), 4 * _SMOOTH) for plane in (near, share))
    height = np.where(share > 0.2, near / np.maximum(share, 1e-6), far / np.maximum(some, 1e-6))
    x, y = (view.resolution_m * (np.arange(n) - (n - 1) / 2) for n in (columns, rows))
    points = np.stack([*np.meshgrid(x, y), -height, np.ones((rows, columns))])
    places = np.tensordot(np.linalg.inv(pose) @ view.to_camera, points, 1)
    return np.moveaxis(places[:2], 0, -1).astype(np.float32)


def true_places(view, pose, reference, reference_pose):
    """(H, W, 2) pixels of the reference that show what the view shows; and where both show it."""
    here, there = on_product(view, pose), on_product(reference, reference_pose)
    rows, columns = np.nonzero(reference.item_mask)
    design = np.column_stack([there[rows, columns], np.ones(len(rows))])
    to_pixels = np.linalg.lstsq(design, np.column_stack([columns, rows]), rcond=None)[0]
    found = here @ to_pixels[:2] + to_pixels[2]
    there = cv2.GaussianBlur(there, (0, 0), _SMOOTH)
    for _ in range(_ROUNDS):
        off = _at(there, found) - here
        found = found - 0.8 * off @ to_pixels[:2]
    off = np.linalg.norm(_at(there, found) - here, axis=2)
    inside = _at(reference.item_mask.astype(np.float32), found) > 0.5
    return found, view.item_mask & inside & (off < _SAME_M)


def _at(image, pixels):
    x, y = np.moveaxis(pixels.astype(np.float32), -1, 0)
    return cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def misplaced(warp, truth, shown, resolution_m):
    """Turn off the truth in degrees, root mean square distance from it in mm."""
    rows, columns = np.nonzero(shown)
    pixels = np.column_stack([columns, rows, np.ones(len(rows))])
    true = np.linalg.lstsq(pixels, truth[rows, columns], rcond=None)[0].T
    turn = warp[:, :2] @ np.linalg.inv(true[:, :2])
    degrees = np.degrees(np.arctan2(turn[1, 0] - turn[0, 1], turn[0, 0] + turn[1, 1]))
    off = np.linalg.norm(pixels @ warp.T - truth[rows, columns], axis=1)
    return abs(degrees), 1e3 * resolution_m * np.sqrt(np.mean(np.square(off)))


def pairs(root: Path):
    """Give family, view, pose, reference, its pose: one item a product, sound designs alone."""
    data = json.loads((root / 'dataset.json').read_text())
    truth = {image['id']: image for image in data['images']}
    first = {entry['file_name']: entry for entry in data['references']}
    seen = set()
    for sample in open_dataset(f'rgbd-coco:{root}', None):
        entry = first.get(f'references/{sample.sku}/0.png')
        if sample.sku in seen or entry is None or 'reference:' in str(entry['tags']):
            continue
        references = reference_views(replace(sample, references=sample.references[:1]))
        rows, columns = np.nonzero(sample.items[0].read())
        middle = len(rows) // 2
        try:
            view = view_of_item(sample.frame(), (int(columns[middle]), int(rows[middle])))
        except UserError:
            continue  # such an item is not compared with references either
        if references:
            seen.add(sample.sku)
            family = next(tag[7:] for tag in sample.tags if tag.startswith('family:'))
            pose, other = (np.array(of['item_pose']) for of in (truth[sample.image_id], entry))
            yield family, view, pose, references[0], other


def main(root: Path) -> None:
    cv2.setNumThreads(1)
    found, spent = defaultdict(list), []
    for family, view, pose, reference, other in pairs(root):
        start = time.process_time()
        aligner = Aligner(view)
        *_, placed = (aligner.bring(reference) for _ in range(3))
        spent.append(1e3 * (time.process_time() - start))
        truth, shown = true_places(view, pose, reference, other)
        if np.count_nonzero(shown) < _FEWEST:
            continue
        off = placed and misplaced(placed.warp, truth, shown, reference.resolution_m)
        for name in (family, 'all'):
            found[name].append(off)
    print('| family | pairs | no fit | other way round | median mm | 90 % mm |')
    print('|---|---|---|---|---|---|')
    for family, places in sorted(found.items()):
        fits = [place for place in places if place is not None]
        off = [mm for turn, mm in fits if turn < 20]
        middle, most = np.percentile(off, (50, 90)) if off else (np.nan, np.nan)
        print(f'| {family} | {len(places)} | {len(places) - len(fits)} | {len(fits) - len(off)} |',
              f'{middle:.1f} | {most:.1f} |')  # fmt: skip
    print(f'CPU to align three references: median {np.median(spent):.1f} ms')


if __name__ == '__main__':
    main(Path(sys.argv[1]))
