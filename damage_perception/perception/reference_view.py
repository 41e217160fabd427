"""A reference from one picture: the ItemView of the one sound item that it shows."""

from __future__ import annotations

import numpy as np

from damage_perception.errors import UserError
from damage_perception.frame import RgbdFrame
from damage_perception.perception.face import find_face
from damage_perception.perception.item_view import MARGIN_M, ItemView
from damage_perception.perception.items import find_items
from damage_perception.perception.plane import SupportFinder
from damage_perception.perception.projection import height_image
from damage_perception.perception.rectify import rectify
from damage_perception.perception.sensor import SensorProfile
from damage_perception.perception.window import window_around
from damage_perception.settings import Settings


def view_of_one_item(frame: RgbdFrame, settings: Settings | None = None) -> ItemView:
    """Find the item in a picture and look at it square on to its face.

    Raises:
        UserError: if the picture does not show one whole item with depth, saying what it shows.
    """
    settings = settings or Settings()
    if frame.depth_m is None or frame.camera is None:
        raise UserError('a reference needs depth and camera info; give both')
    support = SupportFinder(settings.plane).update(frame.depth_m, frame.camera)
    if support is None:
        raise UserError('no belt or tray was found in the picture; show more of it')
    height_m = height_image(frame.depth_m, support.plane, frame.camera)
    pixel_m = support.plane.offset / frame.camera.fx
    found = find_items(frame.rgb, height_m, support.region, pixel_m, settings.items)
    if len(found) != 1:
        raise UserError(f'a reference must show one item alone, {len(found)} were found')
    (item,) = found
    if item.status:
        raise UserError(f'a reference must show a whole item, this one is {item.status!r}')
    profile = SensorProfile()
    face = find_face(frame, item.mask, item.roi, support.plane, profile)
    if face is None:
        raise UserError('the item has too little depth to find its face; move the camera')
    margin_px = int(np.ceil(2 * MARGIN_M * frame.camera.fx / max(float(face.centre[2]), 1e-3)))
    window = window_around(item, found, frame.rgb.shape, margin_px)
    return rectify(frame, window, face, profile)
