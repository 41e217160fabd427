"""The references of a labelled image as ItemViews."""

from __future__ import annotations

from functools import lru_cache

from damage_perception.errors import UserError
from damage_perception.frame import CameraIntrinsics, FrameError, RgbdFrame
from damage_perception.learning.dataset import Reference, Sample
from damage_perception.learning.images import read_depth, read_rgb
from damage_perception.perception.comparison.reference_view import view_of_item
from damage_perception.perception.view.item_view import ItemView
from damage_perception.settings import Settings


def reference_views(sample: Sample, settings: Settings | None = None) -> list[ItemView]:
    """Give the references that can be used: with depth and camera, one whole item to be seen.

    Raises:
        UserError: if a file is broken.
    """
    views = [_view(picture, sample.camera, settings) for picture in sample.references]
    return [view for view in views if view is not None]


@lru_cache(maxsize=32)  # images of one product often follow each other
def _view(
    picture: Reference, camera: CameraIntrinsics | None, settings: Settings | None
) -> ItemView | None:
    if picture.depth is None:
        return None
    rgb, depth_m = read_rgb(picture.rgb), read_depth(picture.depth)
    try:
        frame = RgbdFrame(rgb, depth_m, picture.camera or camera)
        return view_of_item(frame, settings=settings, alone=True)
    except (FrameError, UserError):
        return None
