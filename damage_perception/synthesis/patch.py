"""A patch: one item as layers over its own base plane, before any camera has seen it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.report import DamageType, Severity
from damage_perception.synthesis.noise import Field, Rng, value_noise

_LAYERS = ('height', 'albedo', 'gloss', 'mask', 'mark', 'cover', 'trace')


@dataclass(frozen=True)
class Damage:
    """The truth about one damage; `mark` is its number in `Patch.mark` (1, 2, ...)."""

    damage_type: DamageType
    severity: Severity
    kind: str  # what it is called among its type: face_dent, edge_crush, slit, puddle, ...
    depth_m: float  # largest deviation from the sound surface, inwards positive
    area_m2: float
    exposed: bool  # contents can be seen or have left
    mark: int


@dataclass(eq=False)
class Patch:
    """An item in layers, all (H, W), on a grid of `mpp` metres; the canvas centre is the origin.

    Columns run along x, rows against y; height is over the plane the item lies on. Colours are
    sRGB bytes, as printed. The canvas is larger than the item: what lies beside it (a flap, a
    puddle, spilled contents) is drawn there too.

    Attributes:
        mpp: metres per pixel.
        height: float32, metres, 0 where nothing is.
        albedo: (H, W, 3) uint8 sRGB.
        gloss: uint8, 0 matte paper .. 255 wet or polished.
        mask: bool, the item itself, what belongs to it included.
        mark: uint8, number of the damage at this place, 0 none.
        cover: float32 in [0, 1], how much of the support a spill beside the item covers.
        trace: uint8, how far damage changed the look here, `truth.SIGHT` = just to be seen.
        face: (top, left, bottom, right) pixels of the sound item's outline on the canvas.
        soft: drapes over what lies below, as bags do.
        tags: what was added: `oddity:tape`, ...
    """

    mpp: float
    height: Field
    albedo: NDArray[np.uint8]
    gloss: NDArray[np.uint8]
    mask: NDArray[np.bool_]
    mark: NDArray[np.uint8]
    cover: Field
    trace: NDArray[np.uint8]
    face: tuple[int, int, int, int]
    soft: bool = False
    side: tuple[int, int, int] = (128, 110, 90)  # colour of what is under the print
    ground: tuple[int, int, int] = (90, 90, 90)  # colour of what the item lies on
    tags: list[str] = field(default_factory=list)
    damages: list[Damage] = field(default_factory=list)

    def copy(self) -> Patch:
        """Give a patch with layers of its own."""
        layers = {name: getattr(self, name).copy() for name in _LAYERS}
        return replace(self, **layers, damages=[*self.damages])

    def restore(self, earlier: Patch) -> None:
        """Make the layers and damages again what they were in a copy."""
        for name in (*_LAYERS, 'damages'):
            setattr(self, name, getattr(earlier, name).copy())

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the canvas."""
        return self.mask.shape[0], self.mask.shape[1]

    def grid(self) -> tuple[Field, Field]:
        """Give x and y of every pixel, metres from the canvas centre: (1, W) and (H, 1)."""
        rows, cols = self.shape
        x = (np.arange(cols, dtype=np.float32) - (cols - 1) / 2) * np.float32(self.mpp)
        y = ((rows - 1) / 2 - np.arange(rows, dtype=np.float32)) * np.float32(self.mpp)
        return x[None, :], y[:, None]

    def noise(self, rng: Rng, cells: float, octaves: int = 1) -> Field:
        """Smooth noise (H, W) with `cells` bumps on 1.7 times the face's longer side.

        Bumps are measured against the face, never against the canvas: the room that a damage needs
        beside its item must not be told from the grain of the item.
        """
        longest = max(self.face[2] - self.face[0], self.face[3] - self.face[1])
        return value_noise(rng, self.shape, cells * max(self.shape) / (1.7 * longest), octaves)

    @property
    def face_slices(self) -> tuple[slice, slice]:
        """Rows and columns of the sound item's outline."""
        top, left, bottom, right = self.face
        return slice(top, bottom), slice(left, right)


def blank_patch(size_m: tuple[float, float], mpp: float, margin_m: float) -> Patch:
    """Make an empty canvas around a face of `size_m` (length along x, width along y)."""
    face_cols, face_rows = (max(4, round(side / mpp)) for side in size_m)
    margin = round(margin_m / mpp)
    shape = (face_rows + 2 * margin, face_cols + 2 * margin)
    return Patch(
        mpp=mpp,
        height=np.zeros(shape, np.float32),
        albedo=np.full((*shape, 3), 128, np.uint8),
        gloss=np.zeros(shape, np.uint8),
        mask=np.zeros(shape, bool),
        mark=np.zeros(shape, np.uint8),
        cover=np.zeros(shape, np.float32),
        trace=np.zeros(shape, np.uint8),
        face=(margin, margin, margin + face_rows, margin + face_cols),
    )


def blend(
    albedo: NDArray[np.uint8], colour: NDArray[np.uint8] | tuple[int, ...], weight: Field
) -> None:
    """Mix a colour (or an image) into an image in place; weight (H, W) in [0, 1]."""
    weight = np.ascontiguousarray(weight, np.float32)
    x, y, cols, rows = cv2.boundingRect((weight > 0.004).astype(np.uint8))
    if cols == 0:
        return
    spot = (slice(y, y + rows), slice(x, x + cols))
    share, old = np.ascontiguousarray(weight[spot]), np.ascontiguousarray(albedo[spot])
    if isinstance(colour, tuple):
        new = np.empty_like(old)
        new[...] = colour
    else:
        new = np.ascontiguousarray(colour[spot])
    albedo[spot] = cv2.blendLinear(new, old, share, 1 - share)
