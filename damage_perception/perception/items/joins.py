"""Join the pieces of one item: flaps and hollow of an opened box, the units of a set."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import find_objects

from damage_perception.perception.items.foreground import Scene
from damage_perception.perception.items.join_model import JoinModel
from damage_perception.perception.items.pairs import (
    Pair,
    Piece,
    borders_of,
    pair_features,
    pieces_of,
)
from damage_perception.perception.items.pieces import join_borders

_BETWEEN_M = 0.03  # gaps inside an item that are filled
_APART_M = 0.008  # on a belt what lies so far apart are items of their own


class Joining:
    """The pieces of a picture while they are joined, and what lies between them."""

    def __init__(self, scene: Scene, labels: NDArray[np.int32]) -> None:
        self.pixel_m = scene.pixel_m
        self.borders = borders_of(scene, labels)
        self.pieces: dict[int, Piece] = pieces_of(scene, labels) if self.borders else {}
        self.group = {label: {label} for label in self.pieces}  # what hangs together
        for one, other in self.borders:
            if self.group[one] is not self.group[other]:
                merged = self.group[one] | self.group[other]
                self.group.update(dict.fromkeys(merged, merged))
        self.now = {label: label for label in self.pieces}  # the piece that a label is part of

    def features(self, pair: Pair) -> dict[str, float]:
        """Give what speaks for and against joining two pieces."""
        around = [self.pieces[label] for label in self.group[pair[0]]]
        one, other = (self.pieces[label] for label in pair)
        return pair_features(one, other, self.borders[pair], around, self.pixel_m)

    def join(self, pair: Pair) -> None:
        """Make one piece of two; it keeps the smaller label."""
        kept, gone = pair
        self.pieces[kept] = self.pieces[kept].with_piece(self.pieces.pop(gone))
        self.now = {label: kept if piece == gone else piece for label, piece in self.now.items()}
        self.group[kept].discard(gone)
        join_borders(self.borders, pair)


def join_pieces(
    scene: Scene,
    labels: NDArray[np.int32],
    doubts: Mapping[int, float],
    model: JoinModel,
    filled_m: float = math.inf,
) -> tuple[NDArray[np.int32], dict[int, float]]:
    """Join the likeliest pieces of one item, until no two are likely any more.

    On a belt parcels of one product lie in heaps, so there pieces must be likely one item. But a
    picture that was taken of one item is filled by it.

    Args:
        scene: the picture.
        labels: (H, W) int32, the pieces, 0 = support.
        doubts: of some pieces, 1 = it may be more than one item.
        model: tells how likely two pieces are parts of one item.
        filled_m: length from which what hangs together is joined where that is likelier than not.

    Returns:
        The items and their doubts.
    """
    joining = Joining(scene, labels)
    spares: dict[Pair, float] = {}  # by which a logit is above the one that is needed
    while joining.borders:
        asked = [pair for pair in joining.borders if pair not in spares]
        if asked:
            rows = [joining.features(pair) for pair in asked]
            spare = model.logits(rows) - [_needed(row, filled_m, model) for row in rows]
            spares.update(zip(asked, spare.tolist(), strict=True))
        pair = max(joining.borders, key=lambda p: (spares[p], p))
        if spares[pair] < 0.0:
            break
        changed = joining.group[pair[0]]
        joining.join(pair)
        spares = {p: value for p, value in spares.items() if p[0] not in changed}
    return _joined(scene, labels, joining.now, doubts)


def _needed(row: Mapping[str, float], filled_m: float, model: JoinModel) -> float:
    """Give the logit from which two pieces are joined."""
    if row['group_length'] > filled_m:
        return 0.0
    return model.least if row['nearest'] < _APART_M else math.inf


def _joined(
    scene: Scene, labels: NDArray[np.int32], now: Mapping[int, int], doubts: Mapping[int, float]
) -> tuple[NDArray[np.int32], dict[int, float]]:
    """Give what was joined one label, and what lies between its parts."""
    kept = dict(doubts)
    table = np.arange(int(labels.max()) + 1, dtype=np.int32)
    for label, piece in now.items():
        table[label] = piece
        if label != piece:
            kept[piece] = max(kept.get(piece, 0.0), kept.pop(label, 0.0))
    joined = table[labels]
    boxes = find_objects(joined)
    for piece in sorted({piece for label, piece in now.items() if label != piece}):
        box = boxes[piece - 1]
        between = _closed(joined[box] == piece, scene.pixel_m) & (joined[box] == 0)
        joined[box][between] = piece
    return joined, kept


def _closed(mask: NDArray[np.bool_], pixel_m: float) -> NDArray[np.bool_]:
    size = 2 * max(1, math.ceil(0.5 * _BETWEEN_M / pixel_m)) + 1
    padded = np.pad(mask.astype(np.uint8), size)
    closed = cv2.morphologyEx(padded, cv2.MORPH_CLOSE, np.ones((size, size), np.uint8))
    return np.asarray(closed[size:-size, size:-size] > 0)
