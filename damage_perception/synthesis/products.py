"""Products: a sku is a seed that fixes family, size, print and shape; each copy differs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.artwork import paint_retail
from damage_perception.synthesis.lookalikes import LOOKALIKE_SHARES, LOOKALIKES, paint_lookalike
from damage_perception.synthesis.noise import Rng, stream

STYLES = ('standard', 'shifted')
_ART_SIDE = 400  # pixels along the longer side of a print

# family -> (low, high) of length, width, height in metres; sources in docs/synthesis.md
SIZES: dict[str, tuple[tuple[float, float], ...]] = {
    'shipping_carton': ((0.16, 0.50), (0.12, 0.36), (0.06, 0.30)),
    'retail_carton': ((0.08, 0.32), (0.06, 0.22), (0.02, 0.12)),
    'poly_mailer': ((0.18, 0.42), (0.14, 0.32), (0.012, 0.07)),
    'padded_bag': ((0.16, 0.40), (0.12, 0.30), (0.012, 0.05)),
    'powder_bag': ((0.14, 0.32), (0.09, 0.20), (0.03, 0.08)),
    'tube': ((0.12, 0.45), (0.03, 0.09), (0.03, 0.09)),
    'bottle': ((0.14, 0.30), (0.05, 0.10), (0.05, 0.10)),
    'tin': ((0.06, 0.16), (0.06, 0.16), (0.05, 0.18)),
    'jar': ((0.05, 0.11), (0.05, 0.11), (0.05, 0.14)),
    'blister': ((0.10, 0.26), (0.07, 0.18), (0.008, 0.032)),
    'multi_pack': ((0.12, 0.36), (0.10, 0.26), (0.05, 0.14)),
}
FAMILIES = tuple(SIZES)
# How often each is made: cartons and mailers are what a parcel line sees most.
_SHARES = (0.24, 0.20, 0.13, 0.07, 0.06, 0.04, 0.06, 0.04, 0.03, 0.06, 0.07)
_PRINTED = ('retail_carton', 'powder_bag', 'tube', 'bottle', 'tin', 'jar', 'blister', 'multi_pack')


@dataclass(frozen=True)
class Product:
    """One sku. Everything else about it follows from `seed`."""

    sku: str
    family: str
    size: tuple[float, float, float]  # metres: length (x), width (y), height
    seed: int
    style: str = 'standard'
    lookalike: str = ''  # print that looks like damage; '' = none
    design: int = 0  # an older design has another number

    @property
    def tags(self) -> list[str]:
        """Tags of every sample of the product."""
        tags = [f'family:{self.family}', f'style:{self.style}']
        return tags + ([f'lookalike:{self.lookalike}'] if self.lookalike else [])

    def rng(self, purpose: int) -> Rng:
        """Give the product's own generator for one purpose: the same for every copy."""
        return stream(self.seed, 0x5CE0, purpose)

    def redesigned(self) -> Product:
        """Give the same product with an older print."""
        return Product(
            self.sku, self.family, self.size, self.seed, self.style, self.lookalike, self.design + 1
        )


def make_product(
    seed: int, index: int, style: str = 'standard', families: tuple[str, ...] = FAMILIES
) -> Product:
    """Make product number `index` of the catalogue `seed`.

    Args:
        seed: seed of the catalogue.
        index: number of the product.
        style: 'standard', or 'shifted' (other sizes, fonts and art).
        families: families to choose from.
    """
    rng = stream(seed, 0xCA7A, index, STYLES.index(style))
    shares = np.array([_SHARES[FAMILIES.index(family)] for family in families])
    family = families[int(rng.choice(len(families), p=shares / shares.sum()))]
    stretch = 1.0 if style == 'standard' else float(rng.choice([0.75, 1.2]))
    length, width, height = (stretch * rng.uniform(*bounds) for bounds in SIZES[family])
    length, width = max(length, width), min(length, width)
    if family in ('tube', 'bottle'):
        height = width
    elif family in ('tin', 'jar'):
        width = length
    lookalike = ''
    if rng.random() < (0.3 if family in _PRINTED else 0.12):
        lookalike = str(rng.choice(LOOKALIKES, p=LOOKALIKE_SHARES))
    key = int(rng.integers(2**31))
    sku = f'{family}-{key:08x}'
    return Product(sku, family, (length, width, height), key, style, lookalike)


@lru_cache(maxsize=64)
def artwork(product: Product) -> NDArray[np.uint8]:
    """Give the print of the face, (H, W, 3) uint8 sRGB, at one resolution for all copies."""
    length, width = product.size[0], product.size[1]
    if product.family in ('tube', 'bottle'):
        width *= np.pi / 2  # half of the circumference is what an overhead camera can see
    mpp = max(length, width) / _ART_SIDE
    image = np.zeros((round(width / mpp), round(length / mpp), 3), np.uint8)
    paint_retail(image, mpp, product.rng(1 + 100 * product.design), product.style)
    if product.lookalike:
        paint_lookalike(image, mpp, product.lookalike, product.rng(2), product.style)
    image.setflags(write=False)
    return image


def artwork_at(product: Product, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Give the print at (rows, columns)."""
    size = (shape[1], shape[0])
    image = cv2.resize(artwork(product), size, interpolation=cv2.INTER_AREA)
    return np.asarray(image, np.uint8)
