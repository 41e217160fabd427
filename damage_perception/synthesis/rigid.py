"""Rigid and semi-rigid items that stand on a face: shipping cartons, retail cartons."""

from __future__ import annotations

import numpy as np

from damage_perception.synthesis.artwork import address_label, handling_marks, random_colour
from damage_perception.synthesis.noise import Field, Rng, value_noise
from damage_perception.synthesis.patch import Patch, blank_patch, blend
from damage_perception.synthesis.pen import Pen
from damage_perception.synthesis.products import Product, artwork_at
from damage_perception.synthesis.wear import add_tape

KRAFTS = ((176, 132, 92), (190, 146, 102), (158, 116, 78), (198, 160, 118), (226, 221, 212))


def edge_distance(patch: Patch) -> Field:
    """Metres from each pixel of the face to its nearest edge, (h, w) of the face."""
    top, left, bottom, right = patch.face
    rows, cols = bottom - top, right - left
    y = np.minimum(np.arange(rows) + 0.5, rows - 0.5 - np.arange(rows)) * patch.mpp
    x = np.minimum(np.arange(cols) + 0.5, cols - 0.5 - np.arange(cols)) * patch.mpp
    return np.minimum(y[:, None], x[None, :]).astype(np.float32)


def box_patch(
    product: Product, rng: Rng, mpp: float, margin: float, bulge: float, radius: float
) -> Patch:
    """Make a box: crowned or sagging top, rounded edges; `bulge` and `radius` in metres."""
    length, width, height = product.size
    patch = blank_patch((length, width), mpp, margin)
    face = patch.face_slices
    distance = edge_distance(patch)
    rows, cols = distance.shape
    y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, cols, dtype=np.float32)[None, :]
    top = np.float32(height) + rng.normal(0, bulge) * (1 - x * x) * (1 - y * y)
    top = top + rng.normal(0, 0.35 * bulge) * x * y
    top = top + value_noise(rng, (rows, cols), 3) * np.float32(0.12 * bulge)
    inner = np.clip(radius - distance, 0, radius)
    top = top - (radius - np.sqrt(np.maximum(radius**2 - inner**2, 0)))
    patch.height[face] = np.maximum(top, 0.002)
    patch.mask[face] = True
    return patch


def shipping_carton(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A corrugated carton: flap seam, tape over it, address label, handling marks."""
    sku = product.rng(3)
    patch = box_patch(product, rng, mpp, margin, 0.0018, 0.0035)
    colour = KRAFTS[int(sku.integers(len(KRAFTS)))]
    patch.side = colour
    face = patch.face_slices
    area = patch.albedo[face]
    area[...] = colour
    rows, cols = area.shape[:2]
    fibres = value_noise(rng, (rows, cols), 60, 2) * 3
    fibres += value_noise(rng, (rows, cols), 4, 2) * 4
    flutes = 2.0 * np.sin(np.arange(cols) * (2 * np.pi * mpp / 0.0075))[None, :]
    area[...] = np.clip(area + (fibres + flutes)[..., None], 0, 255).astype(np.uint8)
    patch.gloss[face] = 18
    pen = Pen(area, mpp)
    if sku.random() < 0.6:
        handling_marks(pen, sku, (60, 48, 40))
    if sku.random() < 0.3:
        at = (0.1 * product.size[0], 0.85 * product.size[1])
        ink = random_colour(sku, (0.3, 1.0), (0.2, 0.6))
        pen.text('BOX ' + str(sku.integers(10, 99)), at, sku.uniform(0.015, 0.05), ink, 0)
    if product.lookalike:
        blend(area, artwork_at(product, (rows, cols)), np.full((rows, cols), 0.9, np.float32))
    _fold_lines(patch, rng)
    _seam(patch, rng)
    if rng.random() < 0.85:
        _label(patch, rng, product.style)
    return patch


def _fold_lines(patch: Patch, rng: Rng) -> None:
    """Pressed score lines, soft waves of the liner, and edges rubbed paler by handling."""
    face = patch.face_slices
    rows, cols = patch.albedo[face].shape[:2]
    y = np.arange(rows, dtype=np.float32)[:, None] * patch.mpp
    x = np.arange(cols, dtype=np.float32)[None, :] * patch.mpp
    for _ in range(int(rng.integers(0, 4))):
        lengthwise = rng.random() < 0.5
        axis = y if lengthwise else x
        at = rng.uniform(0.08, 0.92) * float(axis.max())
        line = np.exp(-(((axis - at) / max(0.0016, patch.mpp)) ** 2)).astype(np.float32)
        line = np.broadcast_to(line, (rows, cols))
        patch.height[face] -= line * np.float32(rng.uniform(0.0001, 0.0006))
        shade = (60, 42, 28) if rng.random() < 0.5 else (232, 212, 184)
        blend(patch.albedo[face], shade, line * np.float32(rng.uniform(0.05, 0.3)))
    worn = np.exp(-edge_distance(patch) / np.float32(rng.uniform(0.001, 0.0035)))
    worn = worn * np.clip(0.6 + 0.5 * value_noise(rng, (rows, cols), 30, 2), 0, 1)
    blend(patch.albedo[face], (236, 216, 188), worn * np.float32(rng.uniform(0.1, 0.6)))


def _seam(patch: Patch, rng: Rng) -> None:
    """Two flaps meet in the middle: a groove, flap edges a little proud, tape along it."""
    top, left, bottom, right = patch.face
    middle = (top + bottom) / 2 + rng.normal(0, 1)
    rows = (np.arange(top, bottom) - middle) * patch.mpp
    groove = 0.0015 * np.exp(-((rows / 0.002) ** 2))
    proud = rng.normal(0, 0.0012, 2)[(rows > 0).astype(int)] * np.exp(-np.abs(rows) / 0.03)
    patch.height[top:bottom, left:right] += (proud - groove)[:, None].astype(np.float32)
    dark = (np.abs(rows) < max(0.0008, 0.6 * patch.mpp)).astype(np.float32)[:, None]
    shade = np.broadcast_to(dark * np.float32(0.55), (bottom - top, right - left))
    blend(patch.albedo[top:bottom, left:right], (40, 28, 18), shade)
    length = (right - left) * patch.mpp
    width = rng.uniform(0.045, 0.075)
    add_tape(patch, rng, (0.0, ((patch.shape[0] - 1) / 2 - middle) * patch.mpp), length, width, 0.0)


def _label(patch: Patch, rng: Rng, style: str) -> None:
    face_rows, face_cols = patch.albedo[patch.face_slices].shape[:2]
    length, width = face_cols * patch.mpp, face_rows * patch.mpp
    high = min(0.15, 0.8 * width)
    wide = high * 0.66
    if wide > 0.8 * length:
        return
    at = (rng.uniform(0, length - wide), rng.uniform(0, width - high))
    pen = Pen(patch.albedo[patch.face_slices], patch.mpp)
    address_label(pen, at, (wide, high), rng, style)
    row, col = round(at[1] / patch.mpp), round(at[0] / patch.mpp)
    rows, cols = round(high / patch.mpp), round(wide / patch.mpp)
    patch.gloss[patch.face_slices][row : row + rows, col : col + cols] = 60
    patch.height[patch.face_slices][row : row + rows, col : col + cols] += np.float32(0.0001)


def retail_carton(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A folding box with a full print; sometimes a tuck flap edge or embossed frame."""
    sku = product.rng(3)
    patch = box_patch(product, rng, mpp, margin, 0.0007, 0.0015)
    face = patch.face_slices
    shape = patch.albedo[face].shape[:2]
    patch.albedo[face] = artwork_at(product, (shape[0], shape[1]))
    patch.gloss[face] = int(sku.uniform(20, 150))
    patch.side = (222, 216, 204)
    if sku.random() < 0.25:  # an embossed frame: relief that belongs to the product
        distance = edge_distance(patch)
        at = sku.uniform(0.008, 0.02)
        patch.height[face] += np.float32(0.0006) * np.exp(-(((distance - at) / 0.0015) ** 2))
        patch.tags.append('oddity:embossing')
    return patch
