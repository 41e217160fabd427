"""Prints that look like damage: flat ink, first-class sound samples."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.artwork import dark_tone, random_colour
from damage_perception.synthesis.noise import Field, Rng, smoothstep, value_noise
from damage_perception.synthesis.patch import blend
from damage_perception.synthesis.pen import Pen

Image = NDArray[np.uint8]

LOOKALIKES = (
    'cracked_screen',
    'splash',
    'torn_paper',
    'shadow',
    'dark_circle',
    'box_picture',
    'scuffed_art',
    'printed_dent',
)
# Dark circles most often: a hole looks just so, and depth alone tells.
LOOKALIKE_SHARES = tuple((4 if name == 'dark_circle' else 1) / 11 for name in LOOKALIKES)


def paint_lookalike(image: Image, mpp: float, name: str, rng: Rng, style: str) -> None:
    """Print a motif that looks like damage on a face, in place.

    Raises:
        KeyError: if there is no such motif.
    """
    painters = {
        'cracked_screen': _cracked_screen,
        'splash': _splash,
        'torn_paper': _torn_paper,
        'shadow': _shadow,
        'dark_circle': _dark_circle,
        'box_picture': _box_picture,
        'scuffed_art': _scuffed_art,
        'printed_dent': _printed_dent,
    }
    painters[name](image, mpp, rng)


def _grid(shape: tuple[int, ...], centre: tuple[float, float]) -> tuple[Field, Field]:
    """Offsets from a centre given as shares of the face, in units of the shorter side."""
    rows, cols = shape[:2]
    short = min(rows, cols)
    x = (np.arange(cols, dtype=np.float32) - centre[0] * cols) / short
    y = (np.arange(rows, dtype=np.float32) - centre[1] * rows) / short
    return x[None, :].astype(np.float32), y[:, None].astype(np.float32)


def _centre(rng: Rng) -> tuple[float, float]:
    return float(rng.uniform(0.25, 0.75)), float(rng.uniform(0.3, 0.7))


def _cracked_screen(image: Image, mpp: float, rng: Rng) -> None:
    """A phone with a broken display, as on the box of a screen protector."""
    pen = Pen(image, mpp)
    width, height = pen.size
    h = rng.uniform(0.6, 0.9) * min(width, height)
    w = h * rng.uniform(0.47, 0.7)
    if rng.random() < 0.5 and width > height:
        h, w = w, h
    x, y = rng.uniform(0.02, max(0.03, width - w)), rng.uniform(0, max(0.01, height - h))
    x, y = min(x, max(0.0, width - w)), min(y, max(0.0, height - h))
    pen.rectangle(x, y, w, h, (20, 20, 24))
    pen.rectangle(x + 0.05 * w, y + 0.06 * h, 0.9 * w, 0.88 * h,
                  random_colour(rng, (0.2, 0.8), (0.1, 0.7)))  # fmt: skip
    hit = np.array([x + rng.uniform(0.25, 0.75) * w, y + rng.uniform(0.25, 0.75) * h])
    light = int(rng.uniform(190, 255))
    rays = int(rng.integers(7, 14))
    angles = np.sort(rng.uniform(0, 2 * np.pi, rays))
    reach = np.hypot(w, h) * 0.7
    ends = []
    for angle in angles:
        steps = np.linspace(0, reach * rng.uniform(0.4, 1.0), 8)
        bend = angle + np.cumsum(rng.normal(0, 0.07, 8))
        line = hit + np.stack([np.cos(bend), np.sin(bend)], 1) * steps[:, None]
        line = np.clip(line, (x + 0.05 * w, y + 0.06 * h), (x + 0.95 * w, y + 0.94 * h))
        pen.line(line, (light, light, light), rng.uniform(0.0004, 0.0012))
        ends.append(line)
    for ring in range(2, 7):
        for first, second in zip(ends, ends[1:] + ends[:1], strict=True):
            if rng.random() < 0.6:
                pen.line([tuple(first[ring]), tuple(second[ring])], (light, light, light), 0.0005)


def _blob(shape: tuple[int, ...], rng: Rng, radius: float, rough: float) -> NDArray[np.float32]:
    """Signed field, positive inside a ragged blob with droplets around it."""
    x, y = _grid(shape, _centre(rng))
    angle = np.arctan2(y, x)
    edge = np.full(angle.shape, radius, np.float32)
    for wave in range(2, 12):
        edge += rough * radius / np.sqrt(wave) * np.cos(wave * angle + rng.uniform(0, 6.3))
    field = edge - np.hypot(x, y)
    for _ in range(int(rng.integers(5, 18))):
        turn, far = rng.uniform(0, 6.3), radius * rng.uniform(1.1, 2.2)
        drop = radius * rng.uniform(0.03, 0.16)
        field = np.maximum(field, drop - np.hypot(x - far * np.cos(turn), y - far * np.sin(turn)))
    return field.astype(np.float32)


def _splash(image: Image, mpp: float, rng: Rng) -> None:
    """A painted splash, as on the label of a cleaner or a drink."""
    field = _blob(image.shape, rng, rng.uniform(0.15, 0.32), 0.35)
    colour = random_colour(rng, (0.2, 0.95), (0.3, 1.0))
    blend(image, colour, smoothstep(-0.004, 0.004, field))
    light = smoothstep(0.03, 0.09, field) * np.clip(value_noise(rng, field.shape, 6, 2), 0, 1)
    blend(image, (255, 255, 255), (light * 0.6).astype(np.float32))


def _torn_paper(image: Image, mpp: float, rng: Rng) -> None:
    """A graphic of torn paper: ragged white fibre edge, another colour below, drawn shadow."""
    x, y = _grid(image.shape, _centre(rng))
    turn = rng.uniform(0, 2 * np.pi)
    along, across = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    ragged = value_noise(rng, image.shape[:2], 14, 4) * np.float32(0.025)
    width = rng.uniform(0.08, 0.25)
    field = width - np.abs(across + 0.15 * np.sin(3 * along)) + ragged
    blend(image, (245, 243, 238), smoothstep(-0.035, -0.03, field))
    blend(image, random_colour(rng, (0.2, 0.9), (0.1, 0.9)), smoothstep(-0.003, 0.003, field))
    shadow = smoothstep(0.07, 0.0, field) * (field > 0)
    blend(image, (0, 0, 0), (0.55 * shadow).astype(np.float32))


def _shadow(image: Image, mpp: float, rng: Rng) -> None:
    """A soft shadow that belongs to the print."""
    x, y = _grid(image.shape, _centre(rng))
    turn = rng.uniform(0, 2 * np.pi)
    across = y * np.cos(turn) - x * np.sin(turn)
    soft = rng.uniform(0.02, 0.15)
    field = smoothstep(0.0, soft, np.asarray(across + 0.0 * x, np.float32))
    field *= smoothstep(rng.uniform(0.3, 0.8), 0.2, np.hypot(x, y))
    blend(image, (0, 0, 0), (rng.uniform(0.4, 0.8) * field).astype(np.float32))


def _dark_circle(image: Image, mpp: float, rng: Rng) -> None:
    """Dark discs, ellipses and ragged blots of 8 to 70 mm: what a hole cut clean looks like."""
    for _ in range(int(rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]))):
        x, y = _grid(image.shape, _centre(rng))
        short = min(image.shape[:2]) * mpp
        radius = min(0.008 * (0.070 / 0.008) ** rng.uniform(0, 1) / 2 / short, 0.4)
        turn, stretch = rng.uniform(0, np.pi), rng.uniform(0.55, 1.0)
        along = x * np.cos(turn) + y * np.sin(turn)
        across = (y * np.cos(turn) - x * np.sin(turn)) / stretch
        far = np.hypot(along, across).astype(np.float32)
        rough = rng.uniform(0.0, 0.02) if rng.random() < 0.6 else rng.uniform(0.04, 0.2)
        angle, edge = np.arctan2(across, along), np.ones_like(far)
        for wave in range(2, 14):
            edge += rough / np.sqrt(wave) * np.cos(wave * angle + rng.uniform(0, 2 * np.pi))
        crisp = 0.5 / min(image.shape[:2])
        blend(image, dark_tone(rng), smoothstep(-crisp, crisp, radius * edge - far))
        if rng.random() < 0.25:
            ring = smoothstep(0.02, 0.0, np.abs(far - radius * rng.uniform(0.9, 1.05)))
            blend(image, random_colour(rng, (0, 0.4), (0.5, 1.0)), ring)


def _box_picture(image: Image, mpp: float, rng: Rng) -> None:
    """A drawn box in perspective, lid open or torn: another carton in the print."""
    pen = Pen(image, mpp)
    width, height = pen.size
    side = rng.uniform(0.25, 0.45) * min(width, height)
    x, y = rng.uniform(0.1, 0.5) * width, rng.uniform(0.35, 0.5) * height
    shades = [tuple(int(c * f) for c in (190, 145, 95)) for f in (1.15, 0.85, 0.6, 0.3)]
    lift = side * rng.uniform(0.25, 0.45)
    top, left, right, dark = shades
    pen.polygon([(x, y), (x + side, y + lift), (x + side, y + lift + side), (x, y + side)], left)  # type: ignore[arg-type]
    pen.polygon([(x + side, y + lift), (x + 1.8 * side, y), (x + 1.8 * side, y + side),
                 (x + side, y + lift + side)], right)  # type: ignore[arg-type]  # fmt: skip
    roof = [(x, y), (x + side, y + lift), (x + 1.8 * side, y), (x + 0.8 * side, y - lift)]
    open_lid = rng.random() < 0.5
    pen.polygon(roof, dark if open_lid else top)  # type: ignore[arg-type]
    if open_lid:
        pen.polygon([(x, y), (x + side, y + lift), (x + 0.7 * side, y + lift + 0.25 * side),
                     (x - 0.25 * side, y + 0.2 * side)], top)  # type: ignore[arg-type]  # fmt: skip


def _scuffed_art(image: Image, mpp: float, rng: Rng) -> None:
    """Artwork in distressed style: worn ink and scratches, printed."""
    worn = value_noise(rng, image.shape[:2], 40, 3) + value_noise(rng, image.shape[:2], 4, 2)
    blend(image, (232, 228, 220), smoothstep(0.9, 1.3, worn) * np.float32(rng.uniform(0.5, 1.0)))
    pen = Pen(image, mpp)
    width, height = pen.size
    for _ in range(int(rng.integers(3, 12))):
        start = rng.random(2) * (width, height)
        step = rng.normal(0, 0.15, 2) * (width, height)
        pen.line([tuple(start), tuple(start + step)], (225, 222, 215), rng.uniform(0.0004, 0.001))


def _printed_dent(image: Image, mpp: float, rng: Rng) -> None:
    """Drawn relief: light on one side, dark on the other, as a dent under a lamp."""
    x, y = _grid(image.shape, _centre(rng))
    radius, turn = rng.uniform(0.1, 0.25), rng.uniform(0, 6.3)
    far = np.hypot(x, y).astype(np.float32)
    ramp = (x * np.cos(turn) + y * np.sin(turn)) / radius
    inside = smoothstep(radius, 0.6 * radius, far)
    blend(image, (0, 0, 0), np.clip(ramp * inside * 0.6, 0, 1).astype(np.float32))
    blend(image, (255, 255, 255), np.clip(-ramp * inside * 0.5, 0, 1).astype(np.float32))
    if rng.random() < 0.5:
        cv2.ellipse(image, (image.shape[1] // 2, image.shape[0] // 2), (9, 5), 30, 0, 360,
                    (40, 40, 44), 1, cv2.LINE_AA)  # fmt: skip
