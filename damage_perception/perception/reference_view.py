"""A reference from one picture: the ItemView of a sound item that it shows."""

from __future__ import annotations

import numpy as np

from damage_perception.errors import UserError
from damage_perception.frame import FrameError, MeasuredFrame, RgbdFrame
from damage_perception.perception.face import find_face
from damage_perception.perception.item_view import MARGIN_M, ItemView
from damage_perception.perception.items import FoundItem, find_items
from damage_perception.perception.plane import SupportFinder
from damage_perception.perception.projection import height_image
from damage_perception.perception.rectify import rectify
from damage_perception.perception.sensor import SensorProfile
from damage_perception.perception.window import window_around
from damage_perception.report import Status
from damage_perception.settings import Settings


def view_of_item(
    frame: RgbdFrame, at: tuple[int, int] | None = None, settings: Settings | None = None
) -> ItemView:
    """Find an item in a picture and look at it square on to its face.

    Args:
        frame: colour, depth and camera.
        at: a pixel (x, y) of the item; None = the only item there is.
        settings: how the support and the items are found.

    Raises:
        UserError: if there is no such item, or not the whole of it is seen, saying what is.
    """
    settings = settings or Settings()
    try:
        measured = MeasuredFrame.of(frame)
    except FrameError as error:
        raise UserError(f'a reference needs depth and calibration: {error}') from error
    support = SupportFinder(settings.plane).update(measured.depth_m, measured.camera)
    if support is None:
        raise UserError('no belt or tray was found in the picture; show more of it')
    height_m = height_image(measured.depth_m, support.plane, measured.camera)
    pixel_m = support.plane.offset / measured.camera.fx
    found = find_items(frame.rgb, height_m, support.region, pixel_m, settings.items)
    item = _choose(found, at)
    if item.status:
        doubts = ', '.join(flag.name.lower() for flag in Status if flag & item.status and flag.name)
        raise UserError(f'a reference must show a whole item alone, this one is {doubts}')
    profile = SensorProfile()
    face = find_face(measured, item.mask, item.roi, support.plane, profile)
    if face is None:
        raise UserError('the item has too little depth to find its face; move the camera')
    margin_px = int(np.ceil(2 * MARGIN_M * measured.camera.fx / max(float(face.centre[2]), 1e-3)))
    window = window_around(item, found, frame.rgb.shape, margin_px)
    return rectify(measured, window, face, profile)


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
