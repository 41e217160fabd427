"""Many pictures on one sheet."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

CELL_WIDTH = 480  # pixels
GAP = 6


def contact_sheet(
    pictures: Sequence[NDArray[np.uint8]], titles: Sequence[str], columns: int = 3
) -> NDArray[np.uint8]:
    """Lay out (H, W, 3) pictures with a title each, left to right, top to bottom."""
    cells = [_cell(picture, title) for picture, title in zip(pictures, titles, strict=True)]
    height = max(cell.shape[0] for cell in cells)
    columns = min(columns, len(cells))
    rows = -(-len(cells) // columns)
    step_y, step_x = height + GAP, CELL_WIDTH + GAP
    sheet = np.full((rows * step_y + GAP, columns * step_x + GAP, 3), 255, np.uint8)
    for index, cell in enumerate(cells):
        y, x = GAP + index // columns * step_y, GAP + index % columns * step_x
        sheet[y : y + cell.shape[0], x : x + CELL_WIDTH] = cell
    return sheet


def _cell(picture: NDArray[np.uint8], title: str) -> NDArray[np.uint8]:
    height = round(picture.shape[0] * CELL_WIDTH / picture.shape[1])
    small = cv2.resize(picture, (CELL_WIDTH, height), interpolation=cv2.INTER_AREA)
    bar = np.full((26, CELL_WIDTH, 3), 255, np.uint8)
    cv2.putText(bar, title, (4, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    return np.vstack([bar, small])
