"""What a damage is worth: its mark, true depth, area and severity, by one stated rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from damage_perception.report import DamageType, Severity
from damage_perception.synthesis.noise import Field
from damage_perception.synthesis.patch import Damage, Patch

VISIBLE_M = 0.001  # a crush is marked where the surface has moved by at least this
_MIN_AREA_M2 = 2e-5


def rate_severity(
    damage_type: DamageType, depth_m: float, area_m2: float, exposed: bool
) -> Severity:
    """Rate a damage.

    Major is what a customer would send back or what endangers its neighbours: contents exposed or
    gone; a crush of 10 mm, or of 6 mm over 30 cm^2; an opening torn of 6 cm^2; a hole of
    3 cm^2 (20 mm across); a spill of 20 cm^2. All else is minor.
    """
    if damage_type == DamageType.MISSING_UNIT or exposed:
        return Severity.MAJOR
    major = {
        DamageType.CRUSH: depth_m >= 0.010 or (depth_m >= 0.006 and area_m2 >= 30e-4),
        DamageType.TEAR: area_m2 >= 6e-4,
        DamageType.HOLE: area_m2 >= 3e-4,
        DamageType.SPILL: area_m2 >= 20e-4,
    }.get(damage_type, False)
    return Severity.MAJOR if major else Severity.MINOR


def record(
    patch: Patch,
    before: Field,
    region: NDArray[np.bool_],
    damage_type: DamageType,
    kind: str,
    exposed: bool = False,
    opening: NDArray[np.bool_] | None = None,
) -> Damage | None:
    """Mark a damage on its patch and measure it; None if there is nothing to be seen.

    Args:
        patch: the item, already changed.
        before: (H, W) float32 metres, its height before.
        region: (H, W) bool, where the damage is seen.
        damage_type: its type.
        kind: its name among its type.
        exposed: contents can be seen or have left.
        opening: (H, W) bool, what is open, if `region` holds bent lips and fibre beside it.
    """
    area = float(region.sum()) * patch.mpp**2
    if area < _MIN_AREA_M2:
        return None
    on_item = region & (before > 0.0005)
    inwards = (before - patch.height)[on_item if on_item.any() else region]
    deepest, proudest = float(inwards.max()), float(inwards.min())
    depth = deepest if deepest >= -proudest else proudest
    mark = len(patch.damages) + 1
    open_area = area if opening is None else float(opening.sum()) * patch.mpp**2
    severity = rate_severity(damage_type, abs(depth), open_area, exposed)
    damage = Damage(damage_type, severity, kind, depth, area, exposed, mark)
    patch.mark[region] = mark
    patch.damages.append(damage)
    return damage
