"""What a damage is worth: its mark, true depth, area and severity, by one stated rule."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.report import DamageType, Severity
from damage_perception.synthesis.noise import Field
from damage_perception.synthesis.patch import Damage, Patch

VISIBLE_M = 0.001  # a crush is marked where the surface has moved by at least this
SIGHT = 32  # of a trace: just to be seen
_SIGHT_LAB, _SIGHT_M = 8.0, 0.002  # what it takes to be seen: CIELAB distance, height in metres
_FEWEST_PIXELS = 12
_LEAST_SHOWN = 0.1
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


def is_seen(trace: NDArray[np.uint8], shown: float = 1.0) -> bool:
    """Tell whether a person could mark a damage in a picture; if not, it is no damage of it.

    At least 12 pixels and a tenth of its area must be in the picture, and of these pixels the
    quarter that changed most must, in the median, differ from the sound item by a CIELAB distance
    of 8 or by 2 mm of height.

    Args:
        trace: (N,) uint8, `trace_of` at the pixels of the damage that are in the picture.
        shown: share of its area that is in the picture.
    """
    if not is_shown(len(trace), shown):
        return False
    most = len(trace) // 4
    return float(np.median(np.partition(trace, -most)[-most:])) >= SIGHT


def is_shown(pixels: int, shown: float) -> bool:
    """Tell whether enough of a damage is in a picture: pixels, and the share of its area."""
    return pixels >= _FEWEST_PIXELS and shown >= _LEAST_SHOWN


def trace_of(sound: Patch, patch: Patch, region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Give how far the look of a damaged item differs from that of the sound one, in `region`.

    Args:
        sound: the patch before.
        patch: the patch now; beside the item it covers the ground by `cover`.
        region: (H, W) bool.

    Returns:
        (N,) uint8, `SIGHT` = just to be seen, in the order of `region`.
    """
    beside = (~patch.mask & ~sound.mask)[region][:, None]
    cover = patch.cover[region][:, None] * beside
    ground = np.asarray(patch.ground, np.float32)
    before = np.where(beside, ground, sound.albedo[region])
    after = np.where(beside, cover * patch.albedo[region] + (1 - cover) * ground,
                     patch.albedo[region])  # fmt: skip
    moved = np.abs(patch.height - sound.height)[region] / _SIGHT_M
    change = np.maximum(colour_distance(before, after) / _SIGHT_LAB, moved)
    return np.clip(SIGHT * change, 0, 255).astype(np.uint8)


def colour_distance(first: NDArray[Any], second: NDArray[Any]) -> Field:
    """Give CIELAB distances (N,) of two lists (N, 3) of sRGB colours, 0 to 255."""
    lab = [cv2.cvtColor(colours.astype(np.float32).reshape(-1, 1, 3) / 255, cv2.COLOR_RGB2LAB)
           for colours in (first, second)]  # fmt: skip
    return np.asarray(np.linalg.norm(lab[0] - lab[1], axis=2)[:, 0], np.float32)


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
