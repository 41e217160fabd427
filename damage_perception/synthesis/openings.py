"""Tears and holes: the skin is open, its torn edge shows fibre, contents lie behind."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.report import DamageType
from damage_perception.synthesis.artwork import dark_tone, random_colour
from damage_perception.synthesis.noise import Rng, smoothstep
from damage_perception.synthesis.patch import Damage, Patch
from damage_perception.synthesis.truth import colour_distance, record

Mask = NDArray[np.bool_]
_PEEL_CONTRAST = 18.0  # CIELAB distance of a bared ply from the print around it


def tear(patch: Patch, rng: Rng, major: bool) -> Damage | None:
    """Tear the skin: a slit with lifted lips, or only its outer ply peeled off."""
    if not major and rng.random() < 0.4:
        return _peel(patch, rng)
    length = rng.uniform(0.06, 0.18) if major else rng.uniform(0.02, 0.06)
    width = rng.uniform(0.006, 0.028) if major else rng.uniform(0.002, 0.0038)
    spine = _walk(patch, rng, min(length, 0.8 * _short(patch)))
    taper = np.sin(np.linspace(0.12, np.pi - 0.12, len(spine))) ** 0.7
    ragged = rng.uniform(0.6, 1.4, (2, len(spine)))
    step = np.gradient(spine, axis=0)
    normal = np.stack([-step[:, 1], step[:, 0]], 1) / (np.linalg.norm(step, axis=1)[:, None] + 1e-9)
    offset = (width / 2 * taper)[:, None] * normal
    outline = np.concatenate([spine + offset * ragged[0][:, None],
                              (spine - offset * ragged[1][:, None])[::-1]])  # fmt: skip
    gap = _fill(patch, outline) & patch.mask
    before = patch.height.copy()
    away = _away(patch, gap)
    lift = rng.uniform(0.003, 0.012) if major else rng.uniform(0.001, 0.004)
    side = smoothstep(-0.6, 1.2, patch.noise(rng, 5))
    lips = lift * side * np.exp(-away / (0.25 * lift + 0.006)) * (away > 0)
    patch.height += np.where(patch.mask, lips, 0).astype(np.float32)
    fibre = _fibre(patch, rng, away, rng.uniform(0.001, 0.004))
    exposed = width > 0.004
    deep = rng.uniform(0.006, 0.025) if exposed else rng.uniform(0.0015, 0.004)
    show_inside(patch, gap, rng, deep)
    region = patch.mask & (gap | fibre | (lips > 0.001))
    return record(patch, before, region, DamageType.TEAR, 'slit', exposed, gap)


def _peel(patch: Patch, rng: Rng) -> Damage | None:
    """The outer ply is torn off: rough fibre half a millimetre down, contents still covered."""
    x, y = patch.grid()
    at = _somewhere(patch, rng)
    radius = rng.uniform(0.01, 0.03)
    turn, thin = rng.uniform(0, np.pi), rng.uniform(0.3, 0.8)
    along = (x - at[0]) * np.cos(turn) + (y - at[1]) * np.sin(turn)
    across = ((y - at[1]) * np.cos(turn) - (x - at[0]) * np.sin(turn)) / thin
    ragged = 0.18 * patch.noise(rng, 30, 3)
    region = (np.hypot(along, across) / radius + ragged < 1) & patch.mask
    before = patch.height.copy()
    rough = patch.noise(rng, 90, 2)
    patch.height[region] -= np.float32(rng.uniform(0.0004, 0.0011)) + 0.00015 * rough[region]
    curl = np.exp(-_away(patch, region) / 0.002) * (~region) * patch.mask
    patch.height += (curl * max(rng.normal(0.0008, 0.0008), 0)).astype(np.float32)
    tone = _bared(patch, region) * rng.uniform(0.9, 1.15)
    patch.albedo[region] = np.clip(tone + 9 * rough[region][:, None], 0, 255).astype(np.uint8)
    patch.gloss[region] = 5
    _fibre(patch, rng, _away(patch, region), 0.001)
    return record(patch, before, region, DamageType.TEAR, 'peel')


def _bared(patch: Patch, region: Mask) -> NDArray[np.float64]:
    """Colour of the ply below; paler or browner fibre where the print has just that colour."""
    side, pale, brown = (np.asarray(c) for c in (patch.side, (240, 232, 216), (122, 88, 58)))
    print_tone = np.median(patch.albedo[region], axis=0) if region.any() else side
    plies = np.stack([side, 0.3 * side + 0.7 * pale, 0.3 * side + 0.7 * brown])
    contrast = colour_distance(np.broadcast_to(print_tone, plies.shape), plies)
    ply = plies[0] if contrast[0] > _PEEL_CONTRAST else plies[int(contrast.argmax())]
    return np.asarray(ply, np.float64)


def hole(patch: Patch, rng: Rng, major: bool) -> Damage | None:
    """Make a hole: punched, with a bent rim of fibre and contents behind, or cut clean and dark."""
    radius = rng.uniform(0.011, 0.035) if major else rng.uniform(0.004, 0.009)
    radius = min(radius, 0.35 * _short(patch))
    clean = rng.random() < (0.35 if major else 0.15)
    rough = rng.uniform(0.08, 0.35)
    if clean:  # discs and ellipses; the others are ragged
        rough = rng.uniform(0.0, 0.02) if rng.random() < 0.6 else rng.uniform(0.04, 0.2)
    gap = _blob(patch, rng, _somewhere(patch, rng), radius, rough)
    if clean and gap.any():
        room = float(np.median(patch.height[gap]))
        shallow = 0.010 if major else 0.006
        if room > 1.4 * shallow:  # a black hole without depth is a print
            return _dark_opening(patch, gap, rng, major, (shallow, room))
    before = patch.height.copy()
    away = _away(patch, gap)
    bend = rng.normal(-0.002, 0.003) * (1.5 if major else 0.7)
    rim = bend * np.exp(-away / rng.uniform(0.004, 0.01)) * (away > 0) * patch.mask
    rim *= 1 + 0.5 * patch.noise(rng, 12)
    patch.height += rim.astype(np.float32)
    fibre = _fibre(patch, rng, away, rng.uniform(0.001, 0.003))
    show_inside(patch, gap, rng, rng.uniform(0.012, 0.06) if major else rng.uniform(0.004, 0.015))
    region = patch.mask & (gap | fibre | (np.abs(rim) > 0.0015))
    return record(patch, before, region, DamageType.HOLE, 'puncture', major, gap)


def _blob(patch: Patch, rng: Rng, at: NDArray[np.float64], radius: float, rough: float) -> Mask:
    """Give the pixels of the item within a blob around `at`, metres from the canvas centre."""
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    reach = radius * (1 + _ring(rng, turns, rough))
    stretch, turn = rng.uniform(0.55, 1.0), rng.uniform(0, np.pi)
    long, short = np.cos(turns) * reach, np.sin(turns) * reach * stretch
    outline = np.stack([long * np.cos(turn) - short * np.sin(turn),
                        long * np.sin(turn) + short * np.cos(turn)], 1)  # fmt: skip
    return _fill(patch, outline + at) & patch.mask


def _dark_opening(
    patch: Patch, gap: Mask, rng: Rng, major: bool, depths: tuple[float, float]
) -> Damage | None:
    """Open the skin along a clean cut: no fibre, and so little light inside that all is black.

    It looks as a printed dark disc does (`lookalikes`): only depth tells one from the other.
    """
    before = patch.height.copy()
    depth = depths[0] * (depths[1] / depths[0]) ** rng.uniform(0, 1)  # between both, metres
    bumps = 1 + 0.15 * patch.noise(rng, rng.uniform(8, 25), 2)
    floor = np.maximum(patch.height - np.float32(depth) * bumps, 0.0015)
    patch.height[gap] = floor.astype(np.float32)[gap]
    shade = np.asarray(dark_tone(rng)) * bumps[gap][:, None]
    patch.albedo[gap] = np.clip(shade, 0, 255).astype(np.uint8)
    patch.gloss[gap] = 0
    return record(patch, before, gap, DamageType.HOLE, 'clean_cut', major, gap)


def show_inside(patch: Patch, gap: Mask, rng: Rng, depth: float) -> None:
    """Replace the skin in `gap` by what lies `depth` metres behind it, never below the floor."""
    if not gap.any():
        return
    kind = rng.integers(4)
    bumps = patch.noise(rng, rng.uniform(8, 25), 2)
    floor = patch.height - np.float32(depth) * (1 + 0.2 * bumps)
    patch.height[gap] = np.maximum(floor, 0.0015)[gap]
    if kind == 0:  # dark inside
        tone = np.asarray((34, 28, 24), np.float32) * rng.uniform(0.5, 1.6)
    elif kind == 1:  # crumpled paper
        tone = np.asarray((208, 180, 140), np.float32) * rng.uniform(0.7, 1.1)
    elif kind == 2:  # a product
        tone = np.asarray(random_colour(rng, (0.1, 0.95), (0.1, 0.9)), np.float32)
    else:  # bubble film or foam
        tone = np.asarray((225, 228, 230), np.float32) * rng.uniform(0.7, 1.0)
    shade = tone * (1 + 0.12 * bumps[gap])[:, None]
    patch.albedo[gap] = np.clip(shade, 0, 255).astype(np.uint8)
    patch.gloss[gap] = int(rng.uniform(0, 160)) if kind >= 2 else 8


def _fibre(patch: Patch, rng: Rng, away: NDArray[np.float32], width: float) -> Mask:
    """Show torn fibre (or stretched film) along a gap, of uneven width; return where."""
    uneven = np.float32(width) * (1 + 0.8 * patch.noise(rng, 40, 2))
    fibre = (away > 0) & (away < uneven) & patch.mask
    pale = np.asarray(patch.side, np.float32) * 0.45 + 0.55 * np.asarray((244, 240, 232))
    grain = rng.normal(0, 10, int(fibre.sum()))[:, None]
    patch.albedo[fibre] = np.clip(pale + grain, 0, 255).astype(np.uint8)
    patch.gloss[fibre] = 4
    return fibre


def _away(patch: Patch, gap: Mask) -> NDArray[np.float32]:
    """Metres from each pixel to the gap; 0 inside it."""
    if not gap.any():
        return np.full(patch.shape, 1.0, np.float32)
    far = cv2.distanceTransform((~gap).astype(np.uint8), cv2.DIST_L2, 3)
    return np.asarray(far * np.float32(patch.mpp), np.float32)


def _fill(patch: Patch, outline: NDArray[np.float64]) -> Mask:
    """Rasterise an outline given in metres from the canvas centre."""
    rows, cols = patch.shape
    px = np.stack([outline[:, 0] / patch.mpp + (cols - 1) / 2,
                   (rows - 1) / 2 - outline[:, 1] / patch.mpp], 1)  # fmt: skip
    image = np.zeros(patch.shape, np.uint8)
    cv2.fillPoly(image, [np.round(px * 16).astype(np.int32).reshape(-1, 1, 2)], 1, 8, 4)
    return image.astype(bool)


def _walk(patch: Patch, rng: Rng, length: float) -> NDArray[np.float64]:
    """A ragged path of `length` metres on the face, (N, 2) from the canvas centre."""
    count = 24
    turn = rng.uniform(0, 2 * np.pi) + np.cumsum(rng.normal(0, 0.16, count))
    turn += rng.normal(0, 0.25, count)
    steps = np.stack([np.cos(turn), np.sin(turn)], 1) * (length / count)
    path = np.cumsum(steps, axis=0)
    return path - path.mean(axis=0) + _somewhere(patch, rng)


def _somewhere(patch: Patch, rng: Rng) -> NDArray[np.float64]:
    """A place on the item, metres from the canvas centre; at the edge now and then."""
    top, left, bottom, right = patch.face
    size = np.array([right - left, bottom - top]) * patch.mpp
    spread = 0.46 if rng.random() < 0.3 else 0.33
    if patch.height[patch.mask].std() > 0.01:
        spread = min(spread, 0.3)  # on round and soft items towards the middle, where skin is seen
    return rng.uniform(-spread, spread, 2) * size


def _short(patch: Patch) -> float:
    top, left, bottom, right = patch.face
    return min(right - left, bottom - top) * patch.mpp


def _ring(rng: Rng, turns: NDArray[np.float64], rough: float) -> NDArray[np.float64]:
    waves = np.arange(2, 14)
    phase = rng.uniform(0, 2 * np.pi, len(waves))
    return rough * (np.cos(turns[:, None] * waves + phase) / np.sqrt(waves)).sum(1)
