"""Turned shapes: tubes and bottles lying, tins and jars standing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.artwork import random_colour, word
from damage_perception.synthesis.noise import Field, Rng
from damage_perception.synthesis.patch import Patch, blank_patch, blend
from damage_perception.synthesis.pen import FONTS, Pen
from damage_perception.synthesis.products import Product, artwork, artwork_at


def tube(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A mailing tube with plastic caps, lying."""
    sku = product.rng(3)
    radius = product.size[1] / 2
    patch = _lying(product, mpp, margin, lambda share: np.full_like(share, radius))
    if sku.random() < 0.5:
        kraft = np.asarray((186, 146, 104), np.float32) * sku.uniform(0.85, 1.2)
        patch.albedo[patch.mask] = np.clip(kraft, 0, 255).astype(np.uint8)
    x, _ = patch.grid()
    caps = (np.abs(x) > product.size[0] / 2 - 0.008) & patch.mask
    patch.albedo[caps] = (236, 236, 232)
    patch.gloss[patch.mask] = 30
    return patch


def bottle(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A bottle lying: body, shoulder, neck, cap; a label around the body."""
    sku = product.rng(3)
    radius = product.size[1] / 2
    shoulder, neck = sku.uniform(0.55, 0.72), sku.uniform(0.28, 0.5)
    cap_at = sku.uniform(0.84, 0.92)

    def profile(share: Field) -> NDArray[Any]:
        fall = np.clip((share - shoulder) / (cap_at - shoulder - 0.04), 0, 1)
        body = radius * (1 - (1 - neck) * fall * fall * (3 - 2 * fall))
        return np.where(share > cap_at, radius * neck * 1.12, body)

    patch = _lying(product, mpp, margin, profile)
    x, _ = patch.grid()
    share = np.broadcast_to(x / product.size[0] + 0.5, patch.shape)
    label = (share > 0.1) & (share < shoulder - 0.04) & patch.mask
    body = np.asarray(random_colour(sku, (0.0, 0.9), (0.15, 1.0)), np.uint8)
    patch.albedo[patch.mask & ~label] = body
    patch.albedo[(share > cap_at) & patch.mask] = random_colour(sku, (0.0, 0.9), (0.1, 1.0))
    patch.gloss[patch.mask] = 190
    patch.gloss[label] = int(sku.uniform(50, 150))
    patch.side = (int(body[0]), int(body[1]), int(body[2]))
    return patch


def _lying(
    product: Product, mpp: float, margin: float, profile: Callable[[Field], NDArray[Any]]
) -> Patch:
    """Lay a body of revolution on its side; its print is wrapped around the upper half."""
    length, width = product.size[0], product.size[1]
    patch = blank_patch((length, width), mpp, margin)
    x, y = patch.grid()
    share = np.clip(x / length + 0.5, 0, 1)
    radius = np.broadcast_to(np.asarray(profile(share), np.float32), patch.shape)
    patch.mask[...] = (np.abs(y) < radius) & (np.abs(x) < length / 2)
    bulge = np.sqrt(np.maximum(radius**2 - y**2, 0))
    patch.height[...] = np.where(patch.mask, width / 2 + bulge, 0)
    art = artwork(product)
    half = width / 2
    arc = np.arcsin(np.clip(-y / half, -1, 1)) / np.pi + 0.5  # share of the half circumference
    map_y = np.broadcast_to((arc * (art.shape[0] - 1)).astype(np.float32), patch.shape)
    map_x = np.broadcast_to((share * (art.shape[1] - 1)).astype(np.float32), patch.shape)
    patch.albedo[...] = cv2.remap(
        art, np.ascontiguousarray(map_x), np.ascontiguousarray(map_y), cv2.INTER_LINEAR
    )
    return patch


def tin(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A tin standing: rim, pressed rings, bare metal or a printed lid."""
    sku = product.rng(3)
    patch, far = _standing(product, mpp, margin)
    radius = product.size[0] / 2
    rim = np.exp(-(((far - radius + 0.003) / 0.0018) ** 2)) * 0.003
    rings = 0.0008 * np.cos((far - radius) * (2 * np.pi / sku.uniform(0.006, 0.012)))
    rings *= (far < 0.85 * radius) & (far > 0.45 * radius)
    patch.height[patch.mask] += (rim + rings - 0.002)[patch.mask].astype(np.float32)
    if sku.random() < 0.55:
        brushed = 170 + 10 * patch.noise(rng, 40, 2)
        patch.albedo[...] = np.clip(brushed, 0, 255).astype(np.uint8)[..., None]
        patch.gloss[patch.mask] = 215
    else:
        patch.gloss[patch.mask] = 130
    patch.tags.append('oddity:embossing')
    return patch


def jar(product: Product, rng: Rng, mpp: float, margin: float) -> Patch:
    """A jar standing, seen on its screw lid: knurled edge, brand on top."""
    sku = product.rng(3)
    patch, far = _standing(product, mpp, margin)
    radius = product.size[0] / 2
    x, y = patch.grid()
    knurl = 0.0006 * np.cos(np.arctan2(y, x) * 60) * (far > 0.92 * radius)
    dish = -0.0012 * (far < 0.8 * radius)
    patch.height[patch.mask] += (knurl + dish)[patch.mask].astype(np.float32)
    colour = random_colour(sku, (0.0, 0.9), (0.1, 1.0))
    if sku.random() < 0.6:
        blend(patch.albedo, colour, np.where(far > 0.8 * radius, 1.0, 0.55).astype(np.float32))
        pen = Pen(patch.albedo[patch.face_slices], mpp)
        pen.text(word(sku, 3, 6), (0.45 * radius, 1.1 * radius), 0.25 * radius, (250, 250, 250),
                 int(sku.choice(FONTS[product.style])))  # fmt: skip
    patch.gloss[patch.mask] = int(sku.uniform(60, 200))
    patch.side = colour
    return patch


def _standing(product: Product, mpp: float, margin: float) -> tuple[Patch, Field]:
    length, _, height = product.size
    patch = blank_patch((length, length), mpp, margin)
    x, y = patch.grid()
    far = np.hypot(x, y).astype(np.float32)
    patch.mask[...] = far < length / 2
    patch.height[patch.mask] = height
    face = patch.face_slices
    patch.albedo[face] = artwork_at(product, patch.albedo[face].shape[:2])
    return patch, far
