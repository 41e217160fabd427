"""A reference from one picture: the ItemView of a sound item that it shows."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.frame import FrameError, MeasuredFrame, RgbdFrame
from damage_perception.perception.items.items import FoundItem, find_items
from damage_perception.perception.projection import height_image
from damage_perception.perception.sensor.noise import SensorWatch
from damage_perception.perception.support.support import SupportFinder
from damage_perception.perception.view.face import find_face
from damage_perception.perception.view.item_view import MARGIN_M, ItemView
from damage_perception.perception.view.rectify import rectify
from damage_perception.perception.view.window import window_around
from damage_perception.report import Roi, Status
from damage_perception.settings import Settings

_SEAM_PX = 5  # between pieces that touch


def view_of_item(
    frame: RgbdFrame,
    at: tuple[int, int] | None = None,
    settings: Settings | None = None,
    alone: bool = False,
) -> ItemView:
    """Find an item in a picture and look at it square on to its face.

    Args:
        frame: colour, depth and camera.
        at: a pixel (x, y) of the item; None = the only item there is.
        settings: how the support and the items are found.
        alone: whether a person vouches that there is one item: pieces that touch are one then.

    Raises:
        UserError: if there is no such item, or not the whole of it is seen, saying what is.
    """
    settings = settings or Settings()
    try:
        measured = MeasuredFrame.of(frame)
    except FrameError as error:
        raise UserError(f'a reference needs depth and calibration: {error}') from error
    support = SupportFinder(settings.plane, alone).update(measured.depth_m, measured.camera)
    if support is None:
        raise UserError('no belt or tray was found in the picture; show more of it')
    height_m = height_image(measured.depth_m, support.plane, measured.camera)
    pixel_m = support.plane.offset / measured.camera.fx
    found = find_items(frame.rgb, height_m, support.region, pixel_m, settings.items)
    if alone and found:
        found = _joined(found)
    item = _choose(found, at)
    if item.status:
        doubts = ', '.join(flag.name.lower() for flag in Status if flag & item.status and flag.name)
        raise UserError(f'a reference must show a whole item alone, this one is {doubts}')
    tolerance_m = settings.plane.tolerance_m
    profile = SensorWatch().update(measured.depth_m, height_m, support.region, tolerance_m)
    face = find_face(measured, item.mask, item.roi, support.plane, profile)
    if face is None:
        raise UserError('the item has too little depth to find its face; move the camera')
    margin_px = int(np.ceil(2 * MARGIN_M * measured.camera.fx / max(float(face.centre[2]), 1e-3)))
    window = window_around(item, found, frame.rgb.shape, margin_px)
    return rectify(measured, window, face, profile)


def _joined(found: list[FoundItem]) -> list[FoundItem]:
    """Take pieces for one item where they touch; what is merely said to be a heap is none."""
    if len(found) == 1:
        return [_vouched(found[0].roi, found[0].mask, found)]
    x, y = (min(getattr(item.roi, side) for item in found) for side in 'xy')
    right = max(item.roi.x + item.roi.width for item in found)
    bottom = max(item.roi.y + item.roi.height for item in found)
    mask = np.zeros((bottom - y, right - x), np.uint8)
    for item in found:
        rows, columns = item.roi.y - y, item.roi.x - x
        mask[rows : rows + item.roi.height, columns : columns + item.roi.width] |= item.mask
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((_SEAM_PX, _SEAM_PX), np.uint8))
    if cv2.connectedComponents(closed)[0] > 2:  # the background and more than one item
        return found
    return [_vouched(Roi(x, y, right - x, bottom - y), closed > 0, found)]


def _vouched(roi: Roi, mask: NDArray[np.bool_], found: list[FoundItem]) -> FoundItem:
    status = Status(0)
    for item in found:
        status |= item.status & ~(Status.MERGED | Status.OCCLUDED)
    return FoundItem(roi, mask, status)


def _choose(found: list[FoundItem], at: tuple[int, int] | None) -> FoundItem:
    if at is None:
        if len(found) != 1:
            raise UserError(f'{len(found)} items were found; show one alone or name a pixel of it')
        return found[0]
    for item in found:
        x, y = at[0] - item.roi.x, at[1] - item.roi.y
        if 0 <= x < item.roi.width and 0 <= y < item.roi.height and item.mask[y, x]:
            return item
    raise UserError(f'no item was found at pixel {at}; name a pixel of one of the {len(found)}')
