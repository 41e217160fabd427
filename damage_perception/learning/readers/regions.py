"""COCO segmentations (polygons, run lengths plain or packed) as pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError


@dataclass(frozen=True, eq=False)
class CocoRegion:
    """A COCO segmentation of an image of this size; `source` names it in messages."""

    segmentation: Any
    height: int
    width: int
    source: str

    def read(self) -> NDArray[np.bool_]:
        """Give the region as (H, W) bool.

        Raises:
            UserError: if the segmentation does not fit the image.
        """
        from pycocotools import mask as coco

        size = [self.height, self.width]
        shape = self.segmentation
        if isinstance(shape, list):
            self._check_polygons(shape)
            runs = coco.merge(coco.frPyObjects(shape, self.height, self.width))
        elif isinstance(shape, dict) and shape.get('size') in (size, tuple(size)):
            runs = {'size': size, 'counts': self._counts(shape.get('counts'))}
        else:
            raise self._error(f'it must be polygons or runs of size {size}')
        if isinstance(runs['counts'], list):
            return self._paint(runs['counts'])
        return self._paint(_unpack(runs['counts']))

    def _counts(self, counts: Any) -> list[int] | bytes:
        if isinstance(counts, str) and counts.isascii():
            return counts.encode()
        if isinstance(counts, list) and all(type(count) is int for count in counts):
            return counts
        raise self._error('its counts must be text or whole numbers')

    def _paint(self, counts: list[int]) -> NDArray[np.bool_]:
        """Paint alternating runs of 0 and 1, column by column."""
        if any(count < 0 for count in counts) or sum(counts) != self.height * self.width:
            raise self._error(f'its runs must cover {self.width}x{self.height} pixels exactly')
        bits = np.arange(len(counts)) % 2 == 1
        flat: NDArray[np.bool_] = np.repeat(bits, counts)
        mask: NDArray[np.bool_] = flat.reshape(self.width, self.height).T
        return mask

    def _check_polygons(self, polygons: list[Any]) -> None:
        reach = 2 * max(self.height, self.width)
        for polygon in polygons:
            flat = polygon if isinstance(polygon, list) else []
            numbers = all(type(value) in (int, float) for value in flat)
            if len(flat) < 6 or len(flat) % 2 or not numbers:
                raise self._error('a polygon must be at least three pairs of numbers')
            if not np.all(np.abs(flat) <= reach):
                raise self._error(f'a polygon reaches more than {reach} px from the origin')
        if not polygons:
            raise self._error('it has no polygon')

    def _error(self, why: str) -> UserError:
        return UserError(f'{self.source}: the segmentation cannot be used: {why}')


def _unpack(packed: bytes) -> list[int]:
    """Unpack COCO's run lengths: six bits a character, least first, from the third run on deltas.

    Own code, since the library writes past its buffers when the text is hostile.
    """
    counts: list[int] = []
    value = shift = 0
    for byte in packed:
        bits = byte - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            value -= 1 << shift
        counts.append(value + (counts[-2] if len(counts) > 2 else 0))
        value = shift = 0
    return counts
