"""Find the items in the real frames of a conveyor and compare them with a count by eye.

`python test/helpers/conveyor_items.py OUT` prints a table and leaves a picture of each frame.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from real_faces import CX, CY, DATA, FX, FY

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.items.cut import ItemsSettings
from damage_perception.perception.items.items import FoundItem, find_items
from damage_perception.perception.projection import height_image
from damage_perception.perception.sensor.depth import depth_in_metres
from damage_perception.perception.support.support import SupportFinder
from damage_perception.report import Status

COUNTS = Path(__file__).parents[1] / 'perception' / 'conveyor_counts.json'
CAMERA = CameraIntrinsics(1280, 720, FX, FY, CX, CY)
_OWN = 0.5  # least intersection over union of a parcel and its item, as COCO counts
_COVERED = 0.7  # least share of a parcel that items must cover
_FALSE = 0.3  # share of an item that must lie on parcels, else it is none


@dataclass(frozen=True)
class FrameResult:
    """What was found in one frame."""

    name: str
    rgb: NDArray[np.uint8]
    items: list[FoundItem]
    parcels: int
    own: int
    covered: int
    unflagged: int  # parcels that are not on their own while no item over them says so
    false: int
    milliseconds: float


def results() -> Iterator[FrameResult]:
    """Go through all frames in order, as the pipeline does."""
    finder = SupportFinder()
    for name, truth in json.loads(COUNTS.read_text()).items():
        rgb = cv2.cvtColor(cv2.imread(str(DATA / 'rgb' / f'{name}.png')), cv2.COLOR_BGR2RGB)
        raw = cv2.imread(str(DATA / 'depth' / f'{name}.png'), cv2.IMREAD_UNCHANGED)
        depth = depth_in_metres(raw, '16UC1')
        support = finder.update(depth, CAMERA)
        assert support is not None
        height = height_image(depth, support.plane, CAMERA)
        start = time.perf_counter()
        items = find_items(rgb, height, support.region, support.plane.offset / FX, ItemsSettings())
        yield _compared(name, rgb, items, truth, 1e3 * (time.perf_counter() - start))


def _compared(
    name: str,
    rgb: NDArray[np.uint8],
    items: list[FoundItem],
    truth: dict[str, list],
    milliseconds: float,
) -> FrameResult:
    shape = rgb.shape[:2]
    masks = [_whole(item, shape) for item in items]
    parcels = [_polygon(corners, shape) for corners in truth['on_belt']]
    anything = np.zeros(shape, bool)
    for mask in parcels + [_polygon(corners, shape) for corners in truth['partly']]:
        anything |= mask
    found = np.any(masks, axis=0)
    own = [_is_own(parcel, items, masks) for parcel in parcels]
    unflagged = [
        parcel
        for parcel, alone in zip(parcels, own, strict=True)
        if not alone and not _flagged(parcel, items, masks)
    ]
    false = sum(np.sum(mask & anything) < _FALSE * mask.sum() for mask in masks)
    covered = sum(found[parcel].mean() > _COVERED for parcel in parcels)
    return FrameResult(
        name,
        rgb,
        items,
        len(parcels),
        sum(own),
        int(covered),
        len(unflagged),
        int(false),
        milliseconds,
    )


def _is_own(parcel: NDArray[np.bool_], items: list[FoundItem], masks: list[NDArray]) -> bool:
    return any(
        np.sum(mask & parcel) > _OWN * np.sum(mask | parcel) and not item.status & Status.MERGED
        for item, mask in zip(items, masks, strict=True)
    )


def _flagged(parcel: NDArray[np.bool_], items: list[FoundItem], masks: list[NDArray]) -> bool:
    """Tell whether the item that holds most of a parcel admits that it is no whole one."""
    most = max(range(len(items)), key=lambda k: np.sum(masks[k] & parcel))
    return bool(items[most].status & (Status.MERGED | Status.TRUNCATED | Status.OCCLUDED))


def _whole(item: FoundItem, shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    mask[item.roi.slices] = item.mask
    return mask


def _polygon(corners: list[list[int]], shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.array(corners, np.int32)], 1)
    return mask.astype(bool)


def picture(result: FrameResult) -> NDArray[np.uint8]:
    """Outline the items of a frame and write their status, as BGR."""
    canvas = cv2.cvtColor(result.rgb, cv2.COLOR_RGB2BGR)
    for number, item in enumerate(result.items):
        hue = np.uint8([[[(37 * number) % 180, 255, 255]]])
        colour = tuple(int(c) for c in cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0])
        mask = _whole(item, result.rgb.shape[:2]).view(np.uint8)
        outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        cv2.drawContours(canvas, outlines, -1, colour, 1)
        names = ' '.join(flag.name or '' for flag in Status if flag in item.status)
        place = (item.roi.x + item.roi.width // 3, item.roi.y + item.roi.height // 2)
        cv2.putText(canvas, f'{number} {names}', place, 0, 0.35, colour, 1, cv2.LINE_AA)
    return canvas


def main() -> None:
    """Print the table and leave the pictures."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    print('frame  parcels  own  covered  unflagged  false  items     ms')
    for r in results():
        print(
            f'{r.name}  {r.parcels:7d}  {r.own:3d}  {r.covered:7d}  {r.unflagged:9d}  {r.false:5d}'
            f'  {len(r.items):5d}  {r.milliseconds:5.0f}'
        )
        cv2.imwrite(str(folder / f'items_{r.name}.png'), picture(r))


if __name__ == '__main__':
    main()
