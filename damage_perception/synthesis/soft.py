"""Soft packs: film mailers, padded bags, bags of powder. Every copy has its own wrinkles."""

from __future__ import annotations

import cv2
import numpy as np

from damage_perception.synthesis.artwork import address_label, random_colour, word
from damage_perception.synthesis.noise import Field, Rng, ridges, smoothstep
from damage_perception.synthesis.patch import Patch, blank_patch
from damage_perception.synthesis.pen import FONTS, Pen
from damage_perception.synthesis.products import Product, artwork_at

_FILMS = ((150, 152, 156), (238, 238, 236), (34, 34, 38), (232, 120, 160), (196, 30, 44),
          (228, 190, 40), (46, 96, 168), (150, 190, 160))  # fmt: skip


def poly_mailer(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A film bag around loose contents: glossy, folds of up to some millimetres."""
    sku = product.rng(3)
    seam, plateau = rng.uniform(0.012, 0.035), sku.uniform(0.45, 0.85)
    patch = _pillow(product, rng, mpp, margin, seam=seam, plateau=plateau)
    _wrinkle(patch, rng, fine=rng.uniform(0.0006, 0.0016), folds=int(rng.integers(8, 28)),
             fold=rng.uniform(0.0008, 0.0025))  # fmt: skip
    colour = _FILMS[int(sku.integers(len(_FILMS)))]
    if product.style == 'shifted':
        colour = random_colour(sku, (0.1, 0.9), (0.2, 0.95))
    _plain(patch, colour, product, sku)
    patch.gloss[patch.mask] = int(sku.uniform(110, 200) if sku.random() < 0.6 else 235)
    _send(patch, rng, product)
    return patch


def padded_bag(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A paper or film bag lined with bubbles: matte, softly dimpled."""
    sku = product.rng(3)
    patch = _pillow(product, rng, mpp, margin, seam=0.018, plateau=sku.uniform(0.6, 0.9))
    _wrinkle(patch, rng, fine=rng.uniform(0.0002, 0.0006), folds=int(rng.integers(2, 8)))
    pitch = sku.uniform(0.009, 0.012)
    x, y = patch.grid()
    bubbles = np.cos(x * (2 * np.pi / pitch)) * np.cos(y * (2 * np.pi / (pitch * 0.87)))
    patch.height += (bubbles * np.float32(sku.uniform(0.0001, 0.0004)) * patch.mask).astype(
        np.float32
    )
    colour = ((201, 162, 112), (240, 238, 230), (190, 150, 104))[int(sku.integers(3))]
    _plain(patch, colour, product, sku)
    patch.gloss[patch.mask] = int(sku.uniform(15, 60))
    _send(patch, rng, product)
    return patch


def powder_bag(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A paper or foil bag of flour, coffee or detergent: full, with folded ends and a print."""
    sku = product.rng(3)
    patch = _pillow(product, rng, mpp, margin, seam=0.014, plateau=0.95)
    _wrinkle(patch, rng, fine=rng.uniform(0.0003, 0.0009), folds=int(rng.integers(3, 10)))
    face = patch.face_slices
    rows, cols = patch.albedo[face].shape[:2]
    patch.albedo[face] = artwork_at(product, (rows, cols))
    patch.gloss[patch.mask] = int(sku.uniform(10, 150))
    return patch


def _pillow(
    product: Product, rng: Rng, mpp: float, margin: float, seam: float, plateau: float
) -> Patch:
    """Contents under a skin: thickness falls to a flat seam with a wavy outline."""
    length, width, height = product.size
    patch = blank_patch((length, width), mpp, margin)
    patch.soft = True
    patch.side = (200, 200, 198)
    x, y = patch.grid()
    half = np.float32(length / 2), np.float32(width / 2)
    wave = patch.noise(rng, 7, 2) * np.float32(0.0025)
    inset = np.float32(0.004) + wave
    ends, sides = half[0] - np.abs(x) - inset, half[1] - np.abs(y) - inset
    distance = np.minimum(ends, sides)
    patch.mask[...] = distance > 0
    # The ends are welded flat, the long sides are folds.
    inner = np.maximum(np.minimum(ends - np.float32(seam), sides - np.float32(0.002)), 0)
    rise = np.float32(max(0.02, min(1.1 * height, 0.3 * width)))
    dome = 1 - np.square(1 - np.clip(inner / rise, 0, 1))
    turn = rng.normal(0, 0.12)
    shift = (rng.normal(0, 0.06, 2) * (length, width)).tolist()
    along = (x - shift[0]) * np.cos(turn) + (y - shift[1]) * np.sin(turn)
    across = (y - shift[1]) * np.cos(turn) - (x - shift[0]) * np.sin(turn)
    inside = np.minimum(plateau * half[0] - np.abs(along), plateau * half[1] - np.abs(across))
    contents = smoothstep(-0.045, 0.012, inside.astype(np.float32))
    sag = 1 + 0.12 * patch.noise(rng, 3)
    share = np.float32(rng.uniform(0.35, 0.8))
    thick = np.maximum(dome, 0) ** np.float32(0.7) * ((1 - share) + share * contents) * sag
    curl = np.maximum(patch.noise(rng, 4), 0) * np.float32(0.003)
    flat = np.float32(0.0015) + curl * smoothstep(seam * 1.5, 0, distance)
    patch.height[...] = np.where(patch.mask, flat + height * thick, 0)
    return patch


def _wrinkle(patch: Patch, rng: Rng, fine: float, folds: int, fold: float = 0.0008) -> None:
    """Add creases: fine crumple all over, more where the skin turns, and long single folds."""
    steep = cv2.GaussianBlur(patch.height, (0, 0), max(1.0, 0.006 / patch.mpp))
    slope = np.hypot(*np.gradient(steep, patch.mpp)).astype(np.float32)
    weight = np.float32(0.35) + np.clip(slope * 2.5, 0, 1.6)
    crumple = ridges(patch.noise(rng, rng.uniform(9, 20), 2)) - np.float32(0.5)
    relief = crumple * weight * np.float32(2 * fine)
    x, y = patch.grid()
    size = max(patch.face[3] - patch.face[1], 1) * patch.mpp
    for _ in range(folds):
        turn = rng.uniform(0, np.pi)
        centre = (rng.uniform(-0.45, 0.45, 2) * size).tolist()
        bend = rng.normal(0, 1.5)
        along = (x - centre[0]) * np.float32(np.cos(turn)) + (y - centre[1]) * np.float32(
            np.sin(turn)
        )
        across = (y - centre[1]) * np.float32(np.cos(turn)) - (x - centre[0]) * np.float32(
            np.sin(turn)
        )
        across = across + np.float32(bend) * along * along
        reach = np.float32(rng.uniform(0.12, 0.4) * size)
        sharp = np.float32(rng.uniform(0.0025, 0.009))
        ridge = np.maximum(1 - np.abs(across) / sharp, 0) * np.maximum(1 - (along / reach) ** 2, 0)
        relief = relief + ridge * np.float32(fold * rng.normal(0.5, 1.2))
    patch.height += np.where(patch.mask, relief * _skin(patch), 0).astype(np.float32)
    np.maximum(patch.height, 0.0008 * patch.mask, out=patch.height)


def _skin(patch: Patch) -> Field:
    """Wrinkles die out towards the flat seam."""
    return smoothstep(0.001, 0.012, patch.height)


def _plain(patch: Patch, colour: tuple[int, int, int], product: Product, sku: Rng) -> None:
    """Colour the bag; some carry a repeated mark or a motif of the product."""
    face = patch.face_slices
    patch.albedo[patch.mask] = colour
    length, width = product.size[:2]
    pen = Pen(patch.albedo[face], patch.mpp)
    if product.lookalike:
        patch.albedo[face] = artwork_at(product, patch.albedo[face].shape[:2])
    elif sku.random() < 0.45:
        ink = random_colour(sku, (0.0, 0.9), (0.0, 1.0))
        text, size = word(sku, 4, 8), sku.uniform(0.012, 0.04)
        font = int(sku.choice(FONTS[product.style]))
        pitch = sku.uniform(2.5, 5) * size
        for row in range(int(width / pitch) + 1):
            for col in range(int(length / (5.5 * size)) + 1):
                pen.text(text, (col * 5.5 * size, (row + 0.7) * pitch), size, ink, font)
    patch.side = colour


def _send(patch: Patch, rng: Rng, product: Product) -> None:
    """Stick an address label on the bag (its relief stays the bag's)."""
    length, width = product.size[:2]
    high = min(0.15, 0.7 * width)
    wide = 0.66 * high
    if rng.random() < 0.15 or wide > 0.7 * length:
        return
    shape = (max(8, round(high / patch.mpp)), max(8, round(wide / patch.mpp)), 3)
    label = np.zeros(shape, np.uint8)
    address_label(Pen(label, patch.mpp), (0, 0), (wide, high), rng, product.style)
    if rng.random() < 0.5:
        label = np.ascontiguousarray(np.rot90(label))
    rows, cols = label.shape[:2]
    top, left, bottom, right = patch.face
    room = (bottom - top - rows, right - left - cols)
    if min(room) < 4:
        return
    row, col = top + int(rng.integers(room[0])), left + int(rng.integers(room[1]))
    spot = (slice(row, row + rows), slice(col, col + cols))
    inside = patch.mask[spot]
    patch.albedo[spot][inside] = label[inside]
    patch.gloss[spot][inside] = 60
