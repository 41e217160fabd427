"""Items in real RGB-D frames, ready to be damaged: for tests, never for training."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import CallError
from damage_perception.frame import CameraIntrinsics, MeasuredFrame
from damage_perception.perception.items.cut import ItemsSettings
from damage_perception.perception.items.items import find_items
from damage_perception.perception.projection import Plane, height_image
from damage_perception.perception.sensor.noise import SensorWatch
from damage_perception.perception.support.support import SupportFinder
from damage_perception.perception.view.face import Face, find_face
from damage_perception.report import Status

_SMALLEST_M = 0.08
_FLAT_M = 0.006  # a face that bends more than this is a soft pack


@dataclass(frozen=True, eq=False)
class RealItem:
    """One whole item of a real frame; `mask` is (H, W) bool."""

    name: str
    frame: MeasuredFrame
    mask: NDArray[np.bool_]
    face: Face
    support: Plane
    flat: bool


def find_real_items(folder: Path) -> list[RealItem]:
    """Find the whole, unobstructed items of a folder of `rgb/`, `depth/` and `camera.json`.

    Raises:
        CallError: if the folder is none, or nothing is found in it.
    """
    items: list[RealItem] = []
    camera, names = _read_folder(folder)
    support_finder, sensor = SupportFinder(), SensorWatch()
    tolerance_m = support_finder.settings.tolerance_m
    for name in names:
        frame = _read_frame(folder, name, camera)
        support = support_finder.update(frame.depth_m, frame.camera)
        if support is None:
            continue
        height = height_image(frame.depth_m, support.plane, frame.camera)
        profile = sensor.update(frame.depth_m, height, support.region, tolerance_m)
        pixel_m = support.plane.offset / camera.fx
        for item in find_items(frame.rgb, height, support.region, pixel_m, ItemsSettings()):
            face = find_face(frame, item.mask, item.roi, support.plane, profile)
            unclean = Status.TRUNCATED | Status.OCCLUDED | Status.MERGED
            if face is None or item.status & unclean or min(face.size[:2]) < _SMALLEST_M:
                continue
            mask = np.zeros(frame.depth_m.shape, bool)
            mask[item.roi.slices] = item.mask
            relief = height_image(frame.depth_m, face.plane, frame.camera)[mask]
            spread = float(np.nanpercentile(np.abs(relief), 75))
            flat = spread < _FLAT_M
            items.append(RealItem(name, frame, mask, face, support.plane, flat))
    if not items:
        raise CallError(f'{folder} shows no whole item on a belt; give frames with free items')
    return items


def _read_folder(folder: Path) -> tuple[CameraIntrinsics, list[str]]:
    try:
        said = json.loads((folder / 'camera.json').read_text(encoding='utf-8'))
        k = np.asarray(said['K'], float).ravel()
        camera = CameraIntrinsics(int(said['width']), int(said['height']), k[0], k[4], k[2], k[5])
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise CallError(
            f'{folder}/camera.json must hold width, height and K of the frames ({error})'
        ) from error
    names = sorted(path.stem for path in (folder / 'rgb').glob('*.png')
                   if (folder / 'depth' / path.name).is_file())  # fmt: skip
    if not names:
        raise CallError(f'{folder} holds no rgb/N.png with a depth/N.png; give such a folder')
    return camera, names


def _read_frame(folder: Path, name: str, camera: CameraIntrinsics) -> MeasuredFrame:
    bgr = cv2.imread(str(folder / 'rgb' / f'{name}.png'), cv2.IMREAD_COLOR)
    raw = cv2.imread(str(folder / 'depth' / f'{name}.png'), cv2.IMREAD_UNCHANGED)
    if bgr is None or raw is None or raw.dtype != np.uint16 or raw.shape != bgr.shape[:2]:
        raise CallError(f'{folder}, frame {name}: give 8 bit colour and uint16 depth of one size')
    depth = np.where(raw > 0, raw.astype(np.float32) * np.float32(0.001), np.float32(np.nan))
    return MeasuredFrame(np.ascontiguousarray(bgr[..., ::-1]), depth, camera)
