"""The engine beside real frames: the same figures, measured the same way.

`python -m damage_perception.synthesis.compare --frames DIR --regions FILE --picture F.png`
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.compose import render_product
from damage_perception.synthesis.contact_sheet import colour_depth
from damage_perception.synthesis.figures import (
    EdgeFigures,
    SurfaceFigures,
    measure_edge,
    measure_surface,
)
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.products import Product, make_product
from damage_perception.synthesis.records import read_png
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.viewpoint import crop_view, look_at

# The camera of the real frames: 1280x720, 643 px, 1.2 m above the belt.
_CAMERA = CameraIntrinsics(1280, 720, 643.0, 643.0, 640.0, 360.0)
_DISTANCE_M = 1.2


@dataclass(frozen=True)
class Measured:
    """One flat carton top and the belt around it."""

    top: SurfaceFigures
    edge: EdgeFigures
    belt: SurfaceFigures | None


def render_like_real(seed: int, index: int, family: str = 'shipping_carton') -> Sample:
    """Render a sound item as the camera of the real frames would see it."""
    spec = SynthesisSpec(families=(family,), neighbours=0.0, oddities=0.0, crop=2048,
                         sensors=('stereo',))  # fmt: skip
    product = make_product(seed, index, families=spec.families)
    rng = stream(seed, 0xC0, index)
    if family == 'shipping_carton':
        size = rng.uniform(0.12, 0.25), rng.uniform(0.12, 0.2), rng.uniform(0.09, 0.18)
        product = Product(product.sku, family, size, product.seed)
    spot = np.array([*rng.uniform(-0.15, 0.15, 2), 0.0])
    pose = look_at(spot, _DISTANCE_M, 0.02, 0.0, rng.uniform(0, 6.28))
    view = crop_view(pose, _CAMERA, product.size, 2048, 0.10)
    return render_product(spec, product, rng, plain=True, view=view)


def measure_sample(sample: Sample) -> Measured:
    """Measure a rendered carton."""
    level = float(np.percentile(sample.true_depth_m[sample.item_mask], 5))
    top = sample.item_mask & (np.abs(sample.true_depth_m - level) < 0.012)
    top = cv2.morphologyEx(top.astype(np.uint8), cv2.MORPH_OPEN, np.ones((5, 5), np.uint8)) > 0
    away = cv2.distanceTransform((~sample.item_mask).astype(np.uint8), cv2.DIST_L2, 5)
    inner = cv2.erode(top.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    belt = away > 26
    return Measured(
        measure_surface(sample.depth_m, inner),
        measure_edge(sample.depth_m, top),
        measure_surface(sample.depth_m, belt) if belt.sum() > 1500 else None,
    )


def measure_frame(
    depth: NDArray[np.float32], regions: dict[str, list[list[float]]]
) -> list[Measured]:
    """Measure the marked tops of a real frame; its belts are spread over them."""
    belts = []
    for left, upper, right, lower in regions['belts']:
        mask = np.zeros(depth.shape, bool)
        mask[int(upper) : int(lower), int(left) : int(right)] = True
        belts.append(measure_surface(depth, mask))
    found = []
    for number, outline in enumerate(regions['tops']):
        image = np.zeros(depth.shape, np.uint8)
        cv2.fillPoly(image, [np.asarray(outline, np.int32)], 1)
        inner = cv2.erode(image, np.ones((13, 13), np.uint8)) > 0
        found.append(Measured(measure_surface(depth, inner), measure_edge(depth, image > 0),
                              belts[number % len(belts)]))  # fmt: skip
    return found


def table(rows: list[Measured]) -> dict[str, tuple[float, float, float]]:
    """Give 10th percentile, median and 90th percentile of each figure."""
    values = {
        'top: invalid %': [100 * row.top.invalid for row in rows],
        'top: residual mm': [1000 * row.top.residual_m for row in rows],
        'top: correlation px': [row.top.correlation_px for row in rows],
        'belt: invalid %': [100 * row.belt.invalid for row in rows if row.belt],
        'belt: residual mm': [1000 * row.belt.residual_m for row in rows if row.belt],
        'belt: correlation px': [row.belt.correlation_px for row in rows if row.belt],
        'edge: halo px': [row.edge.halo_px for row in rows],
        'edge: halo px, widest side': [row.edge.halo_high_px for row in rows],
        'edge: eaten px': [row.edge.eaten_px for row in rows],
        'edge: mixed pixels %': [100 * row.edge.mixed for row in rows],
    }
    result = {}
    for name, numbers in values.items():
        low, mid, high = np.nanpercentile(numbers, (10, 50, 90))
        result[name] = (float(low), float(mid), float(high))
    return result


def read_real(folder: Path, number: str) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Read colour (red first) and depth in metres of a real frame."""
    rgb = read_png(folder / 'rgb' / f'{number}.png')
    raw = read_png(folder / 'depth' / f'{number}.png')
    depth = np.where(raw > 0, raw.astype(np.float32) / 1000, np.nan)
    return rgb.astype(np.uint8), depth.astype(np.float32)


def picture(folder: Path, numbers: list[str], seed: int) -> NDArray[np.uint8]:
    """Put crops of real frames above rendered ones: same camera, same scale, same colours."""
    side, columns = 330, []
    corners = ((130, 570), (150, 560), (110, 520), (150, 500))
    for index, number in enumerate(numbers):
        rgb, depth = read_real(folder, number)
        row, col = corners[index % len(corners)]
        spot = (slice(row, row + side), slice(col, col + side))
        real = np.vstack([rgb[spot], colour_depth(depth[spot], 0.95, 1.25)])
        family = ('shipping_carton', 'poly_mailer')[index % 2]
        sample = render_like_real(seed, index, family)
        ours = [sample.rgb, colour_depth(sample.depth_m, 0.95, 1.25)]
        columns.append(np.vstack([real, *(_fit(image, side) for image in ours)]))
    return np.hstack(columns)


def _fit(image: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    top, left = (max(0, (extent - side) // 2) for extent in image.shape[:2])
    cut = image[top : top + side, left : left + side]
    result = np.full((side, side, 3), 60, np.uint8)
    result[: cut.shape[0], : cut.shape[1]] = cut
    return result


def main() -> None:
    """Print the table and write the picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--frames', type=Path, required=True, help='folder with rgb/ and depth/')
    parser.add_argument('--regions', type=Path, required=True, help='JSON of tops and belts')
    parser.add_argument('--picture', type=Path, help='PNG to write; not for publishing')
    parser.add_argument('--items', type=int, default=60)
    parser.add_argument('--seed', type=int, default=0)
    call = parser.parse_args()
    regions = json.loads(call.regions.read_text())
    real = [row for number, marks in regions.items()
            for row in measure_frame(read_real(call.frames, number)[1], marks)]  # fmt: skip
    ours = [measure_sample(render_like_real(call.seed, index)) for index in range(call.items)]
    print(f'{"figure at 1.2 m":30} {"real (10, 50, 90 %)":>24} {"engine (10, 50, 90 %)":>24}')
    for name, engine in table(ours).items():
        cells = [' '.join(f'{value:7.1f}' for value in row) for row in (table(real)[name], engine)]
        print(f'{name:30} {cells[0]:>24} {cells[1]:>24}')
    if call.picture:
        shown = picture(call.frames, ['0000', '0006', '0020', '0012'], call.seed)
        cv2.imwrite(str(call.picture), shown[..., ::-1])


if __name__ == '__main__':
    main()
