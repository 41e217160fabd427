"""What a sound copy may carry: tape, stickers, straps, dust, scuffs, handwriting."""

from __future__ import annotations

import numpy as np

from damage_perception.synthesis.artwork import dark_tone, random_colour, word
from damage_perception.synthesis.noise import Field, Rng, smoothstep
from damage_perception.synthesis.patch import Patch, blend
from damage_perception.synthesis.pen import Pen

_TAPES = (
    ((205, 165, 110), 0.45),  # brown film
    ((198, 172, 135), 0.25),  # clear film on kraft
    ((190, 150, 105), 0.85),  # paper
    ((225, 165, 40), 0.85),  # yellow
    ((235, 235, 232), 0.8),  # white
)


def add_tape(
    patch: Patch, rng: Rng, at: tuple[float, float], length: float, width: float, angle: float
) -> None:
    """Stick a tape of 0.05 to 0.1 mm on the item: glossy, with small wrinkles of its own."""
    x, y = patch.grid()
    along = (x - at[0]) * np.cos(angle) + (y - at[1]) * np.sin(angle)
    across = (y - at[1]) * np.cos(angle) - (x - at[0]) * np.sin(angle)
    on = (np.abs(along) < length / 2) & (np.abs(across) < width / 2) & patch.mask
    colour, opacity = _TAPES[int(rng.integers(len(_TAPES)))]
    blend(patch.albedo, colour, on.astype(np.float32) * np.float32(opacity))
    patch.gloss[on] = int(rng.uniform(90, 210))
    crease = patch.noise(rng, 45, 1)
    fold = np.float32(rng.uniform(0.0, 0.0005))
    patch.height[on] += np.float32(0.00008) + fold * np.maximum(crease[on] - 1.2, 0)


def add_sticker(patch: Patch, rng: Rng) -> None:
    """Stick a round or square sticker on the face, black and plain at times."""
    x, y, spot = _spot(patch, rng)
    radius = rng.uniform(0.012, 0.03)
    colour = random_colour(rng, (0.4, 1.0), (0.4, 1.0))
    black = rng.random() < 0.3  # as a hole looks that is cut clean
    if black:
        colour = dark_tone(rng)
    round_one = rng.random() < 0.6
    far = np.hypot(x, y) if round_one else np.maximum(np.abs(x), np.abs(y))
    on = (far < radius) & patch.mask
    blend(patch.albedo, colour, on.astype(np.float32))
    patch.gloss[on] = 15 if black else 110
    patch.height[on] += np.float32(0.0001)
    if black:
        return
    inner = (far < 0.75 * radius) & (far > 0.62 * radius) & patch.mask
    blend(patch.albedo, (250, 250, 250), inner.astype(np.float32))
    pen = Pen(patch.albedo, patch.mpp)
    pen.text(word(rng, 3, 5), (spot[0] - 0.5 * radius, spot[1] + 0.1 * radius), radius * 0.35,
             (250, 250, 250), 0)  # fmt: skip


def add_strap(patch: Patch, rng: Rng) -> None:
    """Tighten a plastic strap of 9 to 16 mm around the item."""
    x, y = patch.grid()
    upright = rng.random() < 0.5
    span = patch.face[3] - patch.face[1] if upright else patch.face[2] - patch.face[0]
    offset = rng.uniform(-0.3, 0.3) * span * patch.mpp
    across = (x if upright else y) - np.float32(offset)
    half = rng.uniform(0.0045, 0.008)
    on = np.broadcast_to(np.abs(across) < half, patch.shape) & patch.mask
    colour = ((28, 28, 30), (235, 235, 230), (40, 90, 170), (230, 190, 40))[int(rng.integers(4))]
    weave = np.sign(np.sin(across * (2 * np.pi / 0.003)))
    patch.albedo[on] = colour
    patch.gloss[on] = 140
    patch.height[on] += np.broadcast_to(0.0007 + 0.00015 * weave, patch.shape)[on].astype(
        np.float32
    )


def add_dust(patch: Patch, rng: Rng) -> None:
    """Powder the item with dust and grit: speckles without relief."""
    field = patch.noise(rng, 120, 1) + patch.noise(rng, 5, 2)
    weight = smoothstep(1.4, 2.6, field) * patch.mask * np.float32(rng.uniform(0.3, 0.8))
    shade = int(rng.uniform(120, 225))
    blend(patch.albedo, (shade, shade - 6, shade - 14), weight.astype(np.float32))


def add_scuffs(patch: Patch, rng: Rng) -> None:
    """Rub some print off along scratches and at the edges; the surface stays whole."""
    pen = Pen(patch.albedo, patch.mpp)
    before = patch.albedo.copy()
    for _ in range(int(rng.integers(2, 9))):
        _, _, spot = _spot(patch, rng)
        step = rng.normal(0, 0.025, 2)
        shade = int(rng.uniform(150, 235))
        pen.line([spot, (spot[0] + step[0], spot[1] + step[1])], (shade, shade - 8, shade - 20),
                 rng.uniform(0.0004, 0.0012))  # fmt: skip
    mix = 0.6 * patch.noise(rng, 30, 2)
    keep = np.clip(np.float32(0.4) + mix, 0, 1) * patch.mask
    scuffed = patch.albedo.copy()
    patch.albedo[...] = before
    blend(patch.albedo, scuffed, keep.astype(np.float32))


def add_writing(patch: Patch, rng: Rng) -> None:
    """Write on the item with a marker."""
    _, _, spot = _spot(patch, rng)
    before = patch.albedo.copy()
    pen = Pen(patch.albedo, patch.mpp)
    text = word(rng, 2, 5) + ' ' + str(rng.integers(1, 99))
    pen.text(text, spot, rng.uniform(0.012, 0.03), (30, 30, 40), 7)
    patch.albedo[~patch.mask] = before[~patch.mask]


def add_handle(patch: Patch, rng: Rng) -> None:
    """Cut a finger hole into the top: clean rounded slot, dark below, made by the maker."""
    x, y = patch.grid()
    half_length, half_width = rng.uniform(0.035, 0.045), rng.uniform(0.010, 0.014)
    offset = np.float32(rng.uniform(-0.2, 0.2) * (patch.face[2] - patch.face[0]) * patch.mpp)
    along = np.maximum(np.abs(x) - (half_length - half_width), 0)
    inside = (np.hypot(along, y - offset) < half_width) & patch.mask
    depth = min(0.05, 0.8 * float(np.median(patch.height[patch.mask])))
    patch.height[inside] -= np.float32(depth)
    patch.albedo[inside] = (patch.albedo[inside] * rng.uniform(0.05, 0.4)).astype(np.uint8)


ODDITIES = {
    'tape': lambda patch, rng: _any_tape(patch, rng),
    'sticker': add_sticker,
    'strap': add_strap,
    'dust': add_dust,
    'scuffs': add_scuffs,
    'writing': add_writing,
    'handle': add_handle,
}


def _any_tape(patch: Patch, rng: Rng) -> None:
    size = (patch.face[3] - patch.face[1]) * patch.mpp, (patch.face[2] - patch.face[0]) * patch.mpp
    at = (rng.uniform(-0.35, 0.35) * size[0], rng.uniform(-0.35, 0.35) * size[1])
    angle = float(rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)]))
    add_tape(patch, rng, at, float(rng.uniform(0.06, 1.5 * max(size))), rng.uniform(0.02, 0.07),
             angle)  # fmt: skip


def _spot(patch: Patch, rng: Rng) -> tuple[Field, Field, tuple[float, float]]:
    """Choose a place on the face: offsets from it, and its pen coordinates (metres)."""
    x, y = patch.grid()
    top, left, bottom, right = patch.face
    col = rng.uniform(left + 0.12 * (right - left), right - 0.12 * (right - left))
    row = rng.uniform(top + 0.12 * (bottom - top), bottom - 0.12 * (bottom - top))
    centre_x = (col - (patch.shape[1] - 1) / 2) * patch.mpp
    centre_y = ((patch.shape[0] - 1) / 2 - row) * patch.mpp
    return x - centre_x, y - centre_y, (col * patch.mpp, row * patch.mpp)
