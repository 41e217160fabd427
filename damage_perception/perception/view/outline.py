"""Where a face ends: what falls away in a cliff at its outline is not part of it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

_FALL_M = 0.025  # what falls deeper in a cliff is a side wall, a neighbour or the belt
_CLIFF = 1.5  # slope that crushed cardboard does not reach but a smeared edge does
_NECK_M = 0.018  # a narrower appendix of an outline is an artefact of its edge


def slope(height_m: NDArray[np.float32], cell_m: float) -> NDArray[np.float32]:
    """Give the steepness (rise over run) of heights on a grid of `cell_m`, both metres."""
    across = cv2.Sobel(height_m, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(height_m, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(np.hypot(across, down) / np.float32(cell_m), np.float32)


def filled(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Close the gaps inside an outline: through a hole the item itself is not seen."""
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    body = cv2.drawContours(np.zeros(mask.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    return np.asarray(body > 0)


def own_face(
    share: NDArray[np.float32],
    residual: NDArray[np.float32],
    weight: NDArray[np.float32],
    cell_m: float,
) -> NDArray[np.float32]:
    """Give 1 where a cell belongs to the face itself and not to what falls away around it."""
    off = (share < 0.5) | _beyond_cliffs(residual, weight, cell_m)
    _, labels = cv2.connectedComponents(np.pad(off, 1, constant_values=True).astype(np.uint8))
    face = (labels != labels[0, 0])[1:-1, 1:-1].astype(np.uint8)
    size = 2 * round(_NECK_M / cell_m / 2) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    opened = cv2.morphologyEx(face, cv2.MORPH_OPEN, disc)
    keep = opened if opened.sum() > 0.6 * face.sum() else face
    return np.asarray(keep, np.float32)


def _beyond_cliffs(
    residual: NDArray[np.float32], weight: NDArray[np.float32], cell_m: float
) -> NDArray[np.bool_]:
    """Tell which cells lie deep below the face behind a cliff or a gap in the depth."""
    low = (residual < -_FALL_M) & (weight > 0)
    count, labels = cv2.connectedComponents(low.astype(np.uint8))
    if count == 1:
        return low
    near = np.maximum(cv2.GaussianBlur(weight, (0, 0), 0.8), np.float32(1e-3))
    height = np.asarray(cv2.GaussianBlur(residual * weight, (0, 0), 0.8) / near, np.float32)
    steep = slope(height, cell_m)
    around = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.intp)
    around[low | (weight == 0)] = 0
    cells = np.bincount(around.ravel(), minlength=count)
    mean = np.bincount(around.ravel(), steep.ravel(), minlength=count) / np.maximum(cells, 1)
    cliff = (mean > _CLIFF) | (cells < 3)
    cliff[0] = False
    beyond: NDArray[np.bool_] = cliff[labels]
    return beyond
