from __future__ import annotations

import math

import pytest

from damage_perception.perception.geometry.severity import severity_of
from damage_perception.report import DamageType, Severity

MINOR, MAJOR = Severity.MINOR, Severity.MAJOR


@pytest.mark.parametrize(
    ('damage_type', 'depth_m', 'area_m2', 'severity'),
    [
        (DamageType.CRUSH, 0.009, 1e-3, MINOR),
        (DamageType.CRUSH, 0.010, 1e-4, MAJOR),
        (DamageType.CRUSH, 0.007, 4e-3, MAJOR),
        (DamageType.CRUSH, math.nan, 1.0, MINOR),
        (DamageType.TEAR, math.nan, 5e-4, MINOR),
        (DamageType.TEAR, 0.0, 7e-4, MAJOR),
        (DamageType.HOLE, 0.05, 2e-4, MINOR),
        (DamageType.HOLE, math.nan, 3e-4, MAJOR),
        (DamageType.SPILL, -0.001, 1e-3, MINOR),
        (DamageType.SPILL, 0.0, 2e-3, MAJOR),
        (DamageType.DECONSTRUCTION, math.nan, 1e-4, MAJOR),
        (DamageType.MISSING_UNIT, math.nan, 1e-4, MAJOR),
        (DamageType.ANOMALY, 0.02, 1e-4, MAJOR),
    ],
)
def test_each_type_has_its_own_limit(damage_type, depth_m, area_m2, severity):
    assert severity_of(damage_type, depth_m, area_m2) is severity
