"""Which part of a picture the support fills, also where parcels hide it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.perception.projection import Plane, on_plane, plane_axes, project

_PIECE = 0.02  # share of the support that a piece of it shows at least: gaps part rollers
_HIDDEN = 0.05  # of the middle of a picture that shows less support is filled by one item
_OTHER_SIDE = 0.1  # share of the support that must be seen on the other side of it
_BAND = 0.06  # of a picture's height or width that is one of its sides
_ALONG = 0.45  # share of a side that shows the support if it runs along there
_MAP_COLUMNS = 320  # width of the map of the support


def middle(shape: tuple[int, ...]) -> tuple[slice, slice]:
    """Give rows and columns of the middle half of a picture, where a camera is aimed at."""
    h, w = shape
    return slice(h // 4, h - h // 4), slice(w // 4, w - w // 4)


def map_step(camera: CameraIntrinsics) -> int:
    """Give the pixels between two places of the map of the support."""
    return max(1, camera.width // _MAP_COLUMNS)


def main_piece(
    on: NDArray[np.bool_], above: NDArray[np.bool_], is_known: bool, alone: bool = False
) -> NDArray[np.bool_]:
    """Keep the support in the middle of the picture, also where parcels cut it into pieces.

    Not the largest piece: the floor may happen to lie in the same plane. But one item in the middle
    of a picture of its own (`alone`) parts nothing but its support.
    """
    count, pieces = cv2.connectedComponents(_dense(on), connectivity=4)
    hidden = on[middle(on.shape)].mean() < _HIDDEN
    if not is_known and (surrounds(on) or hidden):
        area = np.bincount(pieces.ravel(), minlength=count)
        area[0] = 0
        enough = area >= _PIECE * area.sum()
        if hidden:
            enough &= np.isin(np.arange(count), pieces[_beside_middle(on)])
        if enough.any():
            return np.asarray(enough[pieces] & (pieces > 0))
    inside = np.bincount(pieces[middle(on.shape)].ravel(), minlength=count)
    weight = np.bincount(pieces.ravel(), _nearness(on.shape).ravel(), minlength=count)
    weight[0] = 0.0
    # A piece that fills the whole picture has a quarter of itself in the middle.
    central = 6 * inside >= np.bincount(pieces.ravel(), minlength=count)
    central[0] = False
    # In a crop the item fills the middle, not its support; a heap leaves many small pieces there.
    # Later pictures only add to what is known.
    if not is_known and weight[central].sum() < weight.max():
        central = 4.0 * weight >= weight.max()
        central[0] = False
    piece = central[pieces]
    joined = piece.astype(np.uint8) | _dense(above)
    joined = cv2.morphologyEx(joined, cv2.MORPH_CLOSE, np.ones((7, 7), np.uint8))
    count, labels = cv2.connectedComponents(joined, connectivity=4)
    weight = np.bincount(labels.ravel(), (_nearness(on.shape) * piece).ravel(), minlength=count)
    weight[0] = 0.0
    main: NDArray[np.bool_] = piece & (labels == int(np.argmax(weight)))
    return main | _beyond_item(on, pieces) if alone else main


def _beyond_item(on: NDArray[np.bool_], pieces: NDArray[np.int32]) -> NDArray[np.bool_]:
    """Mark the large pieces that adjoin what lies in the middle: it parts them."""
    area = np.bincount(pieces.ravel())
    area[0] = 0
    large = area >= _OTHER_SIDE * area.sum()
    large &= np.isin(np.arange(len(area)), pieces[_beside_middle(on)])
    return np.asarray(large[pieces] & (pieces > 0))


def surrounds(on: NDArray[np.bool_]) -> bool:
    """Tell whether the support runs along three sides of the picture: then it is a crop of it.

    There an item and what it hides from the camera may part the support into pieces.
    """
    return sum(float(on[side].mean()) > _ALONG for side in _sides(on.shape)) >= 3


def _beside_middle(on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark what adjoins the item that fills the middle, and what it hides from the camera."""
    square = np.ones((5, 5), np.uint8)
    hiding = cv2.morphologyEx((~on).astype(np.uint8), cv2.MORPH_OPEN, square)
    count, blocks = cv2.connectedComponents(hiding, connectivity=4)
    inside = np.bincount(blocks[middle(on.shape)].ravel(), minlength=count)
    inside[0] = 0
    block = (blocks == int(np.argmax(inside))) & (blocks > 0)
    return np.asarray(cv2.dilate(block.astype(np.uint8), square, iterations=2) > 0)


def along_sides(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Mark the sides of a picture, (H, W)."""
    marked = np.zeros(shape, np.uint8)
    for side in _sides(shape):
        marked[side] = 1
    return marked


def _sides(shape: tuple[int, ...]) -> tuple[tuple[slice, slice], ...]:
    rows, columns = (max(1, round(_BAND * length)) for length in shape)
    every = slice(None)
    return (
        (slice(rows), every),
        (slice(-rows, None), every),
        (every, slice(columns)),
        (every, slice(-columns, None)),
    )


def _nearness(shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Weigh the pixels of a picture by their nearness to its middle, (H, W) up to 1."""
    down, across = (
        np.exp(-0.5 * np.square(np.linspace(-1.0, 1.0, length) / 0.35)) for length in shape
    )
    return np.outer(down, across)


def _dense(on: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Keep what has company: rails are thinner than a belt, drop-outs leave most of it."""
    share = cv2.blur(on.astype(np.float32), (5, 5), borderType=cv2.BORDER_REPLICATE)
    return (on & (share > 0.6)).astype(np.uint8)


def outline(on: NDArray[np.bool_], plane: Plane, camera: CameraIntrinsics) -> NDArray[np.int32]:
    """Give the rectangle on the plane that holds a map of the support, (N, 1, 2) pixels.

    Belts, trays and tables are rectangles; the outermost hundredth on each side is cut off, since
    rails and cables touch them here and there.
    """
    v, u = np.nonzero(on)
    step = map_step(camera)
    frame = plane_axes(plane)
    flat = on_plane(u * step, v * step, plane, camera) @ frame[:, :2]
    (_, _), _, angle = cv2.minAreaRect(cv2.convexHull(flat.astype(np.float32)))
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    turn = np.array([[c, -s], [s, c]])
    low, high = np.percentile(flat @ turn, [0.5, 99.5], axis=0)
    corners = np.array([low, (low[0], high[1]), high, (high[0], low[1])]) @ turn.T
    foot = -plane.offset * np.asarray(plane.normal)
    return project(corners @ frame[:, :2].T + foot, camera).round().astype(np.int32)[:, None]
