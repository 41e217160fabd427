"""How bad a damage is, by its type, depth and area; the engine labels by the same limits."""

from __future__ import annotations

from damage_perception.report import DamageType, Severity

_DENT_M = 0.010  # deeper dents reach what is inside
_WIDE_DENT_M, _WIDE_M2 = 0.006, 3.0e-3
_LEAST_MAJOR_M2 = {
    DamageType.TEAR: 6e-4,
    DamageType.HOLE: 3e-4,
    DamageType.SPILL: 2e-3,
    DamageType.DECONSTRUCTION: 0.0,  # open is open
    DamageType.MISSING_UNIT: 0.0,
}


def severity_of(damage_type: DamageType, depth_m: float, area_m2: float) -> Severity:
    """Grade a damage.

    Args:
        damage_type: what it is.
        depth_m: metres, NaN = unknown; an unknown depth makes no dent major.
        area_m2: square metres.
    """
    least = _LEAST_MAJOR_M2.get(damage_type)
    if least is not None:
        return Severity.MAJOR if area_m2 >= least else Severity.MINOR
    depth = abs(depth_m)
    wide = depth >= _WIDE_DENT_M and area_m2 >= _WIDE_M2  # False for NaN
    return Severity.MAJOR if depth >= _DENT_M or wide else Severity.MINOR
