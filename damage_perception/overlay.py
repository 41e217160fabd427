"""A picture for people: items outlined, damage tinted, what is known written beside it."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.report import DamageReport, DamageType, Health, ItemReport, Status

Colour = tuple[int, int, int]  # red, green, blue

# Told apart also by people who see red and green alike (Okabe and Ito 2008).
COLOURS: dict[DamageType, Colour] = {
    DamageType.UNKNOWN: (153, 153, 153),
    DamageType.CRUSH: (230, 159, 0),
    DamageType.TEAR: (204, 121, 167),
    DamageType.HOLE: (213, 94, 0),
    DamageType.DECONSTRUCTION: (240, 228, 66),
    DamageType.SPILL: (0, 114, 178),
    DamageType.MISSING_UNIT: (86, 180, 233),
    DamageType.ANOMALY: (255, 0, 255),
}
_SOUND: Colour = (0, 200, 140)
_UNJUDGED: Colour = (170, 170, 170)
_LETTERS, _USUAL_COLUMNS = 0.45, 1280  # size of letters in a picture this wide; wider have larger


def draw_overlay(rgb: NDArray[np.uint8], report: DamageReport) -> NDArray[np.uint8]:
    """Draw a report over its image.

    Args:
        rgb: (H, W, 3) uint8, red first; not changed.
        report: what was found in it.

    Returns:
        (H, W, 3) uint8.
    """
    picture = rgb.copy()
    for damage in report.shown():
        area = picture[damage.roi.slices]
        tint = np.array(COLOURS[damage.damage_type])
        area[damage.mask] = (0.45 * area[damage.mask] + 0.55 * tint).astype(np.uint8)
    for item in report.items:
        _draw_item(picture, item, report.threshold)
    if report.health != Health.OK:
        # At the bottom, where it hides no label of an item.
        text, bottom = f'{report.health.name}: {report.reason}', picture.shape[0]
        _write(picture, text, (8, bottom), (213, 94, 0))
    return picture


def item_colour(item: ItemReport, threshold: float) -> Colour:
    """Give the colour of an item: green sound, that of its worst damage, grey neither.

    Neither is what was not judged, what was not seen well enough to pass as sound, or where nobody
    said what counts: the threshold is 0.
    """
    if math.isnan(item.confidence) or not threshold:
        return _UNJUDGED
    if item.confidence < threshold:
        return _UNJUDGED if any(flag & item.status for flag in IN_THE_WAY) else _SOUND
    if not item.damages:
        return COLOURS[DamageType.ANOMALY]
    return COLOURS[max(item.damages, key=lambda damage: damage.confidence).damage_type]


def _draw_item(picture: NDArray[np.uint8], item: ItemReport, threshold: float) -> None:
    colour = item_colour(item, threshold)
    outline = item.mask.astype(np.uint8)
    corner = (item.roi.x, item.roi.y)
    outlines, _ = cv2.findContours(
        outline, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE, offset=corner
    )
    cv2.drawContours(picture, outlines, -1, colour, 2, cv2.LINE_AA)
    chance = '?' if math.isnan(item.confidence) else f'{item.confidence:.2g}'
    words = [f'#{item.track_id} {chance}' + ('' if threshold else ' not calibrated')]
    words += [
        flag.name.lower()
        for flag in Status
        if flag & item.status and flag.name and flag != Status.NO_REFERENCE
    ]
    _write(picture, ' '.join(words), (item.roi.x, item.roi.y), colour)


def _write(picture: NDArray[np.uint8], text: str, corner: tuple[int, int], colour: Colour) -> None:
    """Write on a dark plate above a corner (x, y), wholly inside the picture where it fits."""
    rows, columns = picture.shape[:2]
    (usual, _), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.0, 1)
    scale = min(_LETTERS * max(1.0, columns / _USUAL_COLUMNS), max(1, columns - 6) / max(usual, 1))
    (width, height), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 1)
    x = int(np.clip(corner[0], 0, max(0, columns - width - 6)))
    y = int(np.clip(corner[1] - height - 8, 0, max(0, rows - height - 8)))
    cv2.rectangle(picture, (x, y), (x + width + 6, y + height + 8), (20, 20, 20), cv2.FILLED)
    cv2.putText(
        picture,
        text,
        (x + 3, y + height + 3),
        cv2.FONT_HERSHEY_SIMPLEX,
        scale,
        colour,
        1,
        cv2.LINE_AA,
    )
