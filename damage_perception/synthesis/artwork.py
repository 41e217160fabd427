"""Prints: backgrounds, text, logos, pictures. All draws are in metres and from the sku alone."""

from __future__ import annotations

import colorsys
import string

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.synthesis.noise import Rng, value_noise
from damage_perception.synthesis.patch import blend
from damage_perception.synthesis.pen import FONTS, Colour, Pen


def random_colour(rng: Rng, saturation: tuple[float, float], value: tuple[float, float]) -> Colour:
    """Give an sRGB colour of any hue."""
    rgb = colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value))
    red, green, blue = (int(255 * channel) for channel in rgb)
    return red, green, blue


def dark_tone(rng: Rng) -> Colour:
    """Give a colour that is all but black: of ink, and of a hole into which no light falls."""
    red, green, blue = (int(value) for value in rng.uniform(5, 42) + rng.uniform(-3, 3, 3))
    return red, green, blue


def word(rng: Rng, low: int = 3, high: int = 9) -> str:
    """Give a word that means nothing."""
    letters = rng.choice(list(string.ascii_lowercase), int(rng.integers(low, high)))
    text = ''.join(letters)
    return text.upper() if rng.random() < 0.5 else text.capitalize()


def paint_retail(image: NDArray[np.uint8], mpp: float, rng: Rng, style: str) -> None:
    """Fill a face with a rich retail print: ground, pictures, brand, text, panel, barcode."""
    pen = Pen(image, mpp)
    width, height = pen.size
    _ground(image, rng)
    for _ in range(int(rng.integers(1, 4))):
        _motif(pen, rng)
    if style == 'shifted':
        _pattern(pen, rng)
    if rng.random() < (0.55 if style == 'standard' else 0.8):
        _picture(image, rng)
    fonts = FONTS[style]
    ink = random_colour(rng, (0.0, 0.9), (0.0, 0.25) if rng.random() < 0.5 else (0.85, 1.0))
    size = rng.uniform(0.08, 0.18) * min(width, height)
    at = (rng.uniform(0.04, 0.3) * width, rng.uniform(0.2, 0.9) * height)
    pen.text(word(rng, 4, 8), at, size, ink, int(rng.choice(fonts)))
    _small_print(pen, rng, ink, int(rng.choice(fonts)))
    if rng.random() < 0.4:
        span = rng.uniform(0.2, 0.3) * min(width, height)
        barcode(pen, (rng.uniform(0, 0.6) * width, rng.uniform(0.6, 0.8) * height), span, rng)


def _ground(image: NDArray[np.uint8], rng: Rng) -> None:
    first = np.asarray(random_colour(rng, (0.0, 0.95), (0.15, 1.0)), np.float32)
    image[...] = first.astype(np.uint8)
    kind = rng.integers(3)
    second = random_colour(rng, (0.0, 0.95), (0.15, 1.0))
    rows = np.linspace(0, 1, image.shape[0], dtype=np.float32)[:, None]
    cols = np.linspace(0, 1, image.shape[1], dtype=np.float32)[None, :]
    mix, cut, turn = rng.random(), rng.uniform(0.3, 0.7), rng.uniform(-0.5, 0.5)
    if kind == 1:
        blend(image, second, rows * mix + cols * (1 - mix))
    elif kind == 2:
        blend(image, second, (rows + turn * (cols - 0.5) > cut).astype(np.float32))


def _motif(pen: Pen, rng: Rng) -> None:
    width, height = pen.size
    colour = random_colour(rng, (0.2, 1.0), (0.2, 1.0))
    kind, count = rng.integers(4), int(rng.integers(3, 9))
    centre = rng.random(2) * (width, height)
    radius = rng.uniform(0.05, 0.25) * min(width, height)
    angle = rng.uniform(0, np.pi)
    spikes = rng.uniform(0.3, 1.0, 40)
    if kind == 0:
        pen.circle((centre[0], centre[1]), radius, colour)
    elif kind == 1:
        turn = np.linspace(0, 2 * np.pi, 2 * count, endpoint=False) + angle
        reach = radius * np.where(np.arange(2 * count) % 2, spikes[0], 1.0)
        pen.polygon(centre + np.stack([np.cos(turn), np.sin(turn)], 1) * reach[:, None], colour)
    elif kind == 2:
        for band in range(count):
            offset = (band - count / 2) * radius / count * 3
            along = np.array([np.cos(angle), np.sin(angle)]) * (width + height)
            across = np.array([-np.sin(angle), np.cos(angle)]) * offset
            pen.line([tuple(centre + across - along), tuple(centre + across + along)], colour,
                     radius / count)  # fmt: skip
    else:
        pen.rectangle(centre[0] - radius, centre[1] - radius, 2 * radius, radius * 1.3, colour)


def _pattern(pen: Pen, rng: Rng) -> None:
    """Halftone dots, a chequerboard or pinstripes over a part of the face: shifted family only."""
    width, height = pen.size
    colour = random_colour(rng, (0.0, 1.0), (0.1, 1.0))
    pitch = rng.uniform(0.04, 0.12) * min(width, height)
    left, top = rng.uniform(0, 0.5) * width, rng.uniform(0, 0.5) * height
    cols, rows = int(0.5 * width / pitch), int(0.5 * height / pitch)
    kind = rng.integers(3)
    for row in range(rows):
        y = top + row * pitch
        if kind == 2:
            pen.line([(left, y), (left + cols * pitch, y)], colour, 0.15 * pitch)
            continue
        for col in range(cols):
            x = left + col * pitch
            if kind == 0:
                pen.circle((x, y), pitch * 0.45 * (1 - row / (rows + 1)), colour)
            elif (row + col) % 2:
                pen.rectangle(x, y, pitch, pitch, colour)


def _picture(image: NDArray[np.uint8], rng: Rng) -> None:
    """A 'photograph': blurred coloured shapes with light and texture, printed flat."""
    rows, cols = image.shape[:2]
    h, w = max(4, int(rows * rng.uniform(0.3, 0.8))), max(4, int(cols * rng.uniform(0.3, 0.8)))
    top, left = int(rng.random() * (rows - h)), int(rng.random() * (cols - w))
    base = random_colour(rng, (0.2, 0.8), (0.3, 0.9))
    panel = np.empty((h, w, 3), np.uint8)
    panel[...] = base
    for _ in range(3):
        colour = random_colour(rng, (0.3, 0.9), (0.1, 1.0))
        field = value_noise(rng, (h, w), rng.uniform(2, 7), 3)
        share = np.clip(field * rng.uniform(0.5, 4.0), 0, 1)
        blend(panel, colour, share.astype(np.float32))
    oval = rng.random() < 0.4
    if oval:
        edge = np.zeros((h, w), np.uint8)
        cv2.ellipse(edge, (w // 2, h // 2), (w // 2 - 1, h // 2 - 1), 0, 0, 360, 255, -1)
        share = edge.astype(np.float32) / np.float32(255)
        blend(image[top : top + h, left : left + w], panel, share)
    else:
        image[top : top + h, left : left + w] = panel


def _small_print(pen: Pen, rng: Rng, ink: Colour, font: int) -> None:
    width, height = pen.size
    size = rng.uniform(0.002, 0.006)
    x, y = rng.uniform(0.05, 0.6) * width, rng.uniform(0.1, 0.7) * height
    for line in range(int(rng.integers(2, 8))):
        words = ' '.join(word(rng, 2, 8) for _ in range(3))
        pen.text(words, (x, y + line * size * 1.8), size, ink, font)


def barcode(pen: Pen, at: tuple[float, float], width: float, rng: Rng) -> None:
    """Print a one-dimensional barcode on its white field."""
    x, y = at
    pen.rectangle(x, y, width, width * 0.6, (248, 248, 246))
    bars = rng.integers(1, 5, 44)
    scale = width * 0.86 / bars.sum()
    position = x + width * 0.07
    for index, bar in enumerate(bars):
        if index % 2 == 0:
            pen.rectangle(position, y + width * 0.05, bar * scale, width * 0.42, (16, 16, 18))
        position += bar * scale


def matrix_code(pen: Pen, at: tuple[float, float], side: float, rng: Rng) -> None:
    """Print a two-dimensional code."""
    x, y = at
    pen.rectangle(x, y, side, side, (250, 250, 250))
    cells = rng.random((18, 18)) < 0.5
    cells[0, :] = cells[:, 0] = True
    step = side / 20
    for row, col in zip(*np.nonzero(cells), strict=True):
        pen.rectangle(x + step * (col + 1), y + step * (row + 1), step * 1.05, step * 1.05,
                      (18, 18, 20))  # fmt: skip


def address_label(pen: Pen, at: tuple[float, float], size: tuple[float, float], rng: Rng,
                  style: str) -> None:  # fmt: skip
    """Print a shipping label: frame, address, barcode, big routing code."""
    x, y = at
    w, h = size
    font = int(rng.choice(FONTS[style]))
    black = (24, 24, 26)
    pen.rectangle(x, y, w, h, (244, 244, 240))
    for share in (0.3, 0.62):
        pen.line([(x, y + share * h), (x + w, y + share * h)], black, 0.0008)
    for line in range(4):
        pen.text(word(rng) + ' ' + word(rng), (x + 0.05 * w, y + (0.07 + 0.055 * line) * h),
                 0.028 * h, black, font)  # fmt: skip
    pen.text(word(rng, 2, 4), (x + 0.62 * w, y + 0.24 * h), 0.13 * h, black, font)
    barcode(pen, (x + 0.08 * w, y + 0.66 * h), min(0.84 * w, 0.5 * h), rng)
    matrix_code(pen, (x + 0.06 * w, y + 0.34 * h), 0.24 * h, rng)
    pen.text(str(rng.integers(100, 9999)), (x + 0.45 * w, y + 0.52 * h), 0.1 * h, black, font)


def handling_marks(pen: Pen, rng: Rng, ink: Colour) -> None:
    """Print arrows, a glass and an umbrella, as on shipping cartons."""
    width, height = pen.size
    side = rng.uniform(0.02, 0.05)
    x, y = rng.uniform(0.05, 0.7) * width, rng.uniform(0.05, 0.7) * height
    for index in range(int(rng.integers(1, 4))):
        left, line = x + index * side * 1.3, side * 0.06
        pen.line([(left, y), (left + side, y), (left + side, y + side), (left, y + side),
                  (left, y)], ink, line)  # fmt: skip
        if index == 0:
            for shift in (0.3, 0.7):
                cx = left + shift * side
                pen.line([(cx, y + 0.8 * side), (cx, y + 0.3 * side)], ink, side * 0.08)
                pen.polygon([(cx - 0.13 * side, y + 0.4 * side), (cx, y + 0.15 * side),
                             (cx + 0.13 * side, y + 0.4 * side)], ink)  # fmt: skip
        elif index == 1:
            pen.polygon([(left + 0.25 * side, y + 0.15 * side),
                         (left + 0.75 * side, y + 0.15 * side),
                         (left + 0.5 * side, y + 0.55 * side)], ink)  # fmt: skip
            pen.line([(left + 0.5 * side, y + 0.5 * side), (left + 0.5 * side, y + 0.85 * side)],
                     ink, side * 0.06)  # fmt: skip
        else:
            pen.circle((left + 0.5 * side, y + 0.5 * side), 0.3 * side, ink, side * 0.06)
