"""The threshold that came from a budget of false alarms, as `damage-perception calibrate` wrote it.

Only reading and asking; the fitting needs labelled data and lies in `learning/calibration.py`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from damage_perception.errors import UserError

FORMAT = 'damage_perception/calibration 1'


@dataclass(frozen=True)
class OperatingPoint:
    """A threshold and what it rests on.

    Attributes:
        budget: share of sound items that may be diverted.
        threshold: P(damaged) from which an item is diverted.
        bound: upper bound of the share of sound items diverted; at most the budget.
        sound_items: independent sound items behind it.
        alarms: how many of those reach the threshold.
    """

    budget: float
    threshold: float
    bound: float
    sound_items: int
    alarms: int


@dataclass(frozen=True)
class Calibration:
    """Threshold, budget and evidence.

    Attributes:
        point: what the nodes use.
        confidence: chance that the bounds hold.
        weights: SHA-256 of the weights that were calibrated; '' = not said.
        groups: points of product groups that had data enough of their own, by tag
            (`family:carton`).
        points: further budgets, largest first, for evaluation.
        evidence: everything else that was measured, as written.
    """

    point: OperatingPoint
    confidence: float
    weights: str = ''
    groups: Mapping[str, OperatingPoint] = field(default_factory=dict)
    points: tuple[OperatingPoint, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    def threshold_for(self, group: str = '') -> float:
        """Give the threshold of a product group, or the common one."""
        return self.groups.get(group, self.point).threshold

    def check_weights(self, sha256: str, source: str = 'the calibration') -> None:
        """Refuse weights that were not the ones calibrated; both must be known to differ.

        Raises:
            UserError: naming both hashes.
        """
        if self.weights and sha256 and self.weights != sha256:
            raise UserError(
                f'{source} was made for weights {self.weights[:12]}, but {sha256[:12]} are '
                'loaded; run damage-perception calibrate for these weights'
            )


def load_calibration(path: Path) -> Calibration:
    """Read `calibration.yaml`.

    Raises:
        UserError: naming the file and the value that cannot be used.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding='utf-8'))
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
            weights=str(data.get('weights_sha256') or ''),
            groups={str(k): _point(v) for k, v in (data.get('groups') or {}).items()},
            points=tuple(_point(entry) for entry in data.get('points') or ()),
            evidence=dict(data.get('evidence') or {}),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise UserError(f'{path}: {error}; run damage-perception calibrate') from None


def to_dict(calibration: Calibration) -> dict[str, Any]:
    """Give what `calibration.yaml` holds."""
    return {
        'format': FORMAT,
        **vars(calibration.point),
        'confidence': calibration.confidence,
        'weights_sha256': calibration.weights,
        'points': [dict(vars(point)) for point in calibration.points],
        'groups': {name: dict(vars(point)) for name, point in calibration.groups.items()},
        'evidence': dict(calibration.evidence),
    }


def _point(data: Mapping[str, Any]) -> OperatingPoint:
    budget, bound = _share(data, 'budget'), _share(data, 'bound')
    if bound > budget:
        raise ValueError(f'bound {bound} lies above the budget {budget}')
    sound, alarms = data['sound_items'], data['alarms']
    if type(sound) is not int or type(alarms) is not int or not 0 <= alarms <= sound:
        raise ValueError(f'alarms must be a count of at most sound_items, got {alarms}, {sound}')
    return OperatingPoint(budget, _share(data, 'threshold'), bound, sound, alarms)


def _share(data: Mapping[str, Any], name: str) -> float:
    value = data[name]
    if type(value) not in (int, float) or not math.isfinite(value) or not 0.0 < value <= 1.0:
        raise ValueError(f'{name} must be a number above 0 and at most 1, got {value!r:.40}')
    return float(value)
