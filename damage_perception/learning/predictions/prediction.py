"""What a detector said about an image."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.errors import UserError
from damage_perception.learning.images import read_labels
from damage_perception.report import DamageType, Severity

CONFIDENT = 65534  # level of a confidence file that means P = 1; above it: not judged


@dataclass(frozen=True)
class PredictedDamage:
    """One damage found. `box` is x, y, width, height in pixels; `depth_m` NaN = unknown."""

    damage_type: DamageType
    severity: Severity
    confidence: float
    box: tuple[float, float, float, float]
    depth_m: float = math.nan


@dataclass(frozen=True, eq=False)
class Prediction:
    """What was said about one image.

    Attributes:
        score: P(item damaged) in [0, 1]; NaN = UNKNOWN.
        missed: the labelled item was not found at all; its score is 0 then.
        types: P by name of damage type.
        damages: what was found where.
        labels: (H, W) uint8 like `damage/mask`, or its file; None = not said.
        confidence: (H, W) float32 P(damage), NaN = not judged, or its file; None = not said.
        reason: why UNKNOWN.
        detector: SHA-256 of the weights that judged, or `geometry` and a version; '' = not said.
        raw: what `score` was made from, any unit, larger = more damaged; NaN = not said.
        references: how many references could be used; None = no reference was asked for.
        compared: whether one of them fitted the item.
    """

    score: float
    missed: bool = False
    types: dict[str, float] = field(default_factory=dict)
    damages: tuple[PredictedDamage, ...] = ()
    labels: NDArray[np.uint8] | Path | None = None
    confidence: NDArray[np.float32] | Path | None = None
    reason: str = ''
    detector: str = ''
    raw: float = math.nan
    references: int | None = None
    compared: bool = False

    def read_labels(self) -> NDArray[np.uint8] | None:
        """Give the label mask."""
        return read_labels(self.labels) if isinstance(self.labels, Path) else self.labels

    def read_confidence(self) -> NDArray[np.float32] | None:
        """Give P(damage) of each pixel."""
        if not isinstance(self.confidence, Path):
            return self.confidence
        level = cv2.imread(str(self.confidence), cv2.IMREAD_UNCHANGED)
        if level is None or level.dtype != np.uint16 or level.ndim != 2:
            raise UserError(f'{self.confidence} must be a whole one-channel 16-bit PNG')
        confidence: NDArray[np.float32] = level.astype(np.float32) / np.float32(CONFIDENT)
        confidence[level > CONFIDENT] = np.nan
        return confidence
