"""Whether an item may be damaged, so that a person looks before it becomes a reference.

A look costs little and a damaged reference hides damage for as long as it is used. So what waits is
more than what would be diverted: as many sound items as the calibration tells, at most one in
twenty.
"""

from __future__ import annotations

from collections.abc import Iterable

from damage_perception.perception.decision.calibration import Calibration
from damage_perception.perception.decision.calibration_file import detector_calibration
from damage_perception.perception.evidence.assessor import Asked, Assessor, Memory
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageType
from damage_perception.settings import Settings

WAITS = 'look at it, then activate or remove it'
_MAY_WAIT = 0.05  # share of sound items that may wait for a person


def doubted_from(calibration: Calibration) -> float:
    """Give P(damaged) from which an item waits for a person before it becomes a reference."""
    points = [point for point in calibration.points if point.budget <= _MAY_WAIT]
    return min(point.threshold for point in (calibration.point, *points))


def damage_doubt(probability: float, kinds: Iterable[DamageType]) -> str:
    """Say that an item looks damaged, in a sentence."""
    names = {kind.name.lower().replace('_', ' ') for kind in kinds}
    said = ', '.join(sorted(names)) or 'no known kind'
    return f'it looks damaged ({said}, P {probability:.2g}); {WAITS}'


def doubt_about(view: ItemView, settings: Settings) -> str:
    """Judge a view of an item from a picture; say why it may not be sound, empty = it looks sound.

    Raises:
        UserError: if weights or calibration cannot be used or are not of each other.
    """
    assessor = Assessor(settings.network)
    calibration = detector_calibration(settings.decision.calibration_file, assessor.detector)
    (evidence,) = assessor.assess([Asked(view, view, memory=Memory())], settings.geometry)
    probability = calibration.said(evidence.score, evidence.probability)
    if not probability >= doubted_from(calibration):
        return ''
    return damage_doubt(probability, (blob.damage_type for blob in evidence.blobs))
