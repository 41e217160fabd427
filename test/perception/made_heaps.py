"""Made pictures of boxes on a belt, from straight above, for the tests of items."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

PIXEL_M = 0.00187
BELT = (20, 60, 35)
CARDBOARD = (170, 130, 95)


@dataclass(frozen=True)
class Block:
    """A box: corner and size in pixels, height in metres; the last one of a heap lies on top."""

    x: int
    y: int
    width: int
    height: int
    top_m: float = 0.08
    colour: tuple[int, int, int] = CARDBOARD

    @property
    def slices(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.y, self.y + self.height), slice(self.x, self.x + self.width)


@dataclass(frozen=True, eq=False)
class Heap:
    """A picture, ready for `find_items`."""

    rgb: NDArray[np.uint8]
    height_m: NDArray[np.float32]
    region: NDArray[np.bool_]


def correlated(rng: np.random.Generator, shape: tuple[int, int], sigma: float) -> NDArray:
    """Give noise of a standard deviation with a correlation length of about ten pixels."""
    rough = cv2.GaussianBlur(rng.normal(size=shape).astype(np.float32), (0, 0), 4.0)
    return (sigma * rough / rough.std()).astype(np.float32)


def heap(
    *blocks: Block,
    shape: tuple[int, int] = (320, 420),
    seed: int = 0,
    halo_px: int = 6,
    missing: float = 0.0,
    margin: int = 20,
) -> Heap:
    """Paint blocks on a belt: noise, outlines in darker colour, no depth around height steps."""
    rng = np.random.default_rng(seed)
    rgb = np.empty((*shape, 3), np.float32)
    rgb[:] = BELT
    height = np.zeros(shape)
    for block in blocks:
        height[block.slices] = block.top_m
        rgb[block.slices] = np.multiply(block.colour, 0.45)
        rows, columns = block.slices
        inner = slice(rows.start + 1, rows.stop - 1), slice(columns.start + 1, columns.stop - 1)
        rgb[inner] = block.colour
    rgb += rng.normal(scale=4.0, size=rgb.shape)
    square = np.ones((2 * halo_px + 1, 2 * halo_px + 1), np.uint8)
    halo = cv2.morphologyEx(height, cv2.MORPH_GRADIENT, square) > 0.02
    # Measured: box tops lie 2 mm RMS off their plane, the dark belt 3.7 mm.
    height += correlated(rng, shape, 1.0) * np.where(height > 0.0, 0.0022, 0.0037)
    height[halo] = np.nan
    if missing:
        blobs = correlated(rng, shape, 1.0)
        height[blobs < np.quantile(blobs, missing)] = np.nan
    region = np.zeros(shape, bool)
    region[margin : shape[0] - margin, margin : shape[1] - margin] = True
    return Heap(np.clip(rgb, 0, 255).astype(np.uint8), height.astype(np.float32), region)
