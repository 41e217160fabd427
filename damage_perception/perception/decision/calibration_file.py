"""`calibration.yaml` read, checked and written; two ship, of the weights and of geometry alone."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from damage_perception.errors import UserError
from damage_perception.installed import shared_file
from damage_perception.perception.decision.calibration import (
    GEOMETRY,
    Calibration,
    OperatingPoint,
    ScoreCurve,
)

FORMAT = 'damage_perception/calibration 1'
SHIPPED, SHIPPED_GEOMETRY = 'config/calibration.yaml', 'config/calibration_geometry.yaml'


def detector_calibration(path: str, detector: str) -> Calibration:
    """Read the calibration of a detector; an empty path gives the one that ships for it.

    Raises:
        UserError: if it cannot be used, is of another detector or has no map of raw scores.
    """
    shipped = SHIPPED_GEOMETRY if detector == GEOMETRY else SHIPPED
    file = Path(path).expanduser() if path else shared_file(shipped)
    calibration = load_calibration(file)
    calibration.check_detector(detector, str(file))
    if calibration.curve is None:
        raise UserError(
            f'{file} does not say what a raw score means; run damage-perception calibrate with '
            'predictions that this version of `evaluate` wrote'
        )
    return calibration


def load_calibration(path: Path) -> Calibration:
    """Read `calibration.yaml`.

    Raises:
        UserError: naming the file and the value that cannot be used.
    """
    try:
        content = path.read_bytes()
        data = yaml.safe_load(content)
    except OSError as error:
        raise UserError(f'{path} cannot be read ({error.strerror}); check the path') from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise UserError(f'{path} is not whole YAML; run damage-perception calibrate') from None
    if not isinstance(data, dict) or data.get('format') != FORMAT:
        raise UserError(f'{path} is not a calibration ({FORMAT}); run damage-perception calibrate')
    try:
        return Calibration(
            point=_point(data),
            confidence=_share(data, 'confidence'),
            detector=str(data.get('detector') or ''),
            curve=_curve(data.get('curve')),
            prevalence=_share({'prevalence': 0.001} | data, 'prevalence'),
            groups={str(k): _point(v) for k, v in (data.get('groups') or {}).items()},
            points=tuple(_point(entry) for entry in data.get('points') or ()),
            evidence=dict(data.get('evidence') or {}),
            version=hashlib.sha256(content).hexdigest(),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f'{path}: {_said(error)}; run damage-perception calibrate') from None


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Write `calibration.yaml`.

    Raises:
        UserError: if it cannot be written.
    """
    part = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(yaml.safe_dump(to_dict(calibration), sort_keys=False), encoding='utf-8')
        part.replace(path)
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror})') from None
    finally:
        part.unlink(missing_ok=True)


def to_dict(calibration: Calibration) -> dict[str, Any]:
    """Give what `calibration.yaml` holds."""
    return {
        'format': FORMAT,
        'detector': calibration.detector,
        **vars(calibration.point),
        'confidence': calibration.confidence,
        'prevalence': calibration.prevalence,
        'curve': None if calibration.curve is None else dict(vars(calibration.curve)),
        'points': [dict(vars(point)) for point in calibration.points],
        'groups': {name: dict(vars(point)) for name, point in calibration.groups.items()},
        'evidence': dict(calibration.evidence),
    }


def _curve(data: Any) -> ScoreCurve | None:
    if data is None:
        return None
    slope, offset = _number(data, 'slope'), _number(data, 'offset')
    if slope <= 0.0:
        raise ValueError(f'curve.slope must be above 0, got {slope}')
    return ScoreCurve(slope, offset)


def _point(data: Mapping[str, Any]) -> OperatingPoint:
    budget, bound = _share(data, 'budget'), _share(data, 'bound')
    if bound > budget:
        raise ValueError(f'bound {bound} lies above the budget {budget}')
    sound, alarms = data['sound_items'], data['alarms']
    if type(sound) is not int or type(alarms) is not int or not 0 <= alarms <= sound:
        raise ValueError(f'alarms must be a count of at most sound_items, got {alarms}, {sound}')
    return OperatingPoint(budget, _share(data, 'threshold'), bound, sound, alarms)


def _share(data: Mapping[str, Any], name: str) -> float:
    value = _number(data, name)
    if not 0.0 < value <= 1.0:
        raise ValueError(f'{name} must be a number above 0 and at most 1, got {value!r:.40}')
    return value


def _number(data: Mapping[str, Any], name: str) -> float:
    value = data[name]
    if type(value) not in (int, float) or not math.isfinite(value):
        raise ValueError(f'{name} must be a number, got {value!r:.40}')
    return float(value)


def _said(error: Exception) -> str:
    return f'{error} is missing' if isinstance(error, KeyError) else str(error)
