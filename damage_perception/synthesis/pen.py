"""A pen that draws in metres, so that a print looks the same at every resolution."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

Colour = tuple[int, int, int]
Point = tuple[float, float]

_SHIFT = 4  # fractional bits of OpenCV's anti-aliased drawing

FONTS = {
    'standard': (
        cv2.FONT_HERSHEY_SIMPLEX,
        cv2.FONT_HERSHEY_DUPLEX,
        cv2.FONT_HERSHEY_PLAIN,
    ),
    'shifted': (
        cv2.FONT_HERSHEY_COMPLEX,
        cv2.FONT_HERSHEY_TRIPLEX,
        cv2.FONT_HERSHEY_SCRIPT_COMPLEX,
        cv2.FONT_ITALIC,
    ),
}


class Pen:
    """Draw on an image (H, W, 3) uint8 sRGB whose left upper corner is (0, 0) metres."""

    def __init__(self, image: NDArray[np.uint8], mpp: float) -> None:
        self.image = image
        self.mpp = mpp

    @property
    def size(self) -> tuple[float, float]:
        """Width and height of the image in metres."""
        return self.image.shape[1] * self.mpp, self.image.shape[0] * self.mpp

    def polygon(self, points: Sequence[Point] | NDArray[np.floating], colour: Colour) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.image, [self._fixed(points)], colour, cv2.LINE_AA, _SHIFT)

    def rectangle(self, x: float, y: float, width: float, height: float, colour: Colour) -> None:
        """Fill an upright rectangle."""
        self.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], colour)

    def circle(self, centre: Point, radius: float, colour: Colour, line: float = 0.0) -> None:
        """Fill a circle, or draw it with a line of `line` metres."""
        centre_px = self._fixed([centre])[0, 0]
        radius_px = max(1, round(radius / self.mpp * 2**_SHIFT))
        thickness = self._line(line) if line else -1
        cv2.circle(
            self.image,
            (int(centre_px[0]), int(centre_px[1])),
            radius_px,
            colour,
            thickness,
            cv2.LINE_AA,
            _SHIFT,
        )

    def line(self, points: Sequence[Point] | NDArray[np.floating], colour: Colour, width: float
             ) -> None:  # fmt: skip
        """Draw an open line of `width` metres."""
        cv2.polylines(
            self.image, [self._fixed(points)], False, colour, self._line(width), cv2.LINE_AA, _SHIFT
        )

    def text(self, text: str, at: Point, height: float, colour: Colour, font: int) -> None:
        """Write a line whose letters are `height` metres high; `at` is its left lower end."""
        scale = height / self.mpp / 21.0
        if scale < 0.12:  # too small to be read: a grey bar, as a camera would see it
            length = height * 0.6 * len(text)
            grey = tuple(int((c + 2 * b) / 3) for c, b in zip(colour, self._under(at), strict=True))
            self.line([(at[0], at[1]), (at[0] + length, at[1])], grey, height * 0.5)  # type: ignore[arg-type]
            return
        origin = (round(at[0] / self.mpp), round(at[1] / self.mpp))
        thickness = max(1, round(scale * 2.2))
        cv2.putText(self.image, text, origin, font, scale, colour, thickness, cv2.LINE_AA)

    def _under(self, at: Point) -> Colour:
        row = int(np.clip(at[1] / self.mpp, 0, self.image.shape[0] - 1))
        col = int(np.clip(at[0] / self.mpp, 0, self.image.shape[1] - 1))
        red, green, blue = (int(value) for value in self.image[row, col])
        return red, green, blue

    def _fixed(self, points: Sequence[Point] | NDArray[np.floating]) -> NDArray[np.int32]:
        scaled = np.asarray(points, np.float64).reshape(-1, 1, 2) / self.mpp - 0.5
        return np.round(scaled * 2**_SHIFT).astype(np.int32)

    def _line(self, width: float) -> int:
        return max(1, round(width / self.mpp))
