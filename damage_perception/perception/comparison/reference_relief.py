"""Relief that a product has by design: what its reference shows too is no damage.

An embossed logo, a dimple or the hole of a handle looks to geometry like a dent. Where the
reference stands out from its own smooth surface, an item is judged by how it differs from the
reference there; everywhere else by its own surface, so that the noise of the reference costs
nothing. A dimple that is missing then stands out as much as one that is too many.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.geometry.geometry import find_damage
from damage_perception.perception.geometry.relief import smoothed
from damage_perception.perception.geometry.surface import Relief, own_relief
from damage_perception.perception.view.fusion import lean
from damage_perception.perception.view.item_view import ItemView

_LIKE_DAMAGE = 0.01  # P(damage) that the reference itself gets there
_STANDS_OUT, _LEAST_M = 3.0, 0.003  # deviations of its noise and roughness, and metres
_SMOOTHED_M = 0.006
_MISFIT_M = 0.003  # by which the two may lie beside each other
_DEEP_M = 0.012  # below this a hole is a hole, however deep


@dataclass(frozen=True, eq=False)
class KnownRelief:
    """What stands out from the smooth surface of a reference, on the grid of an item.

    Attributes:
        reference: the reference on that grid.
        mask: (H, W) bool, where it stands out.
        surface_m: (H, W) float32, its smooth surface, metres.
        low_m: (H, W) float32, least deviation from it within the misfit, metres.
        high_m: (H, W) float32, largest one; both 0 where nothing was measured.
        hole: (H, W) bool, where it is deep or has no depth.
    """

    reference: ItemView
    mask: NDArray[np.bool_]
    surface_m: NDArray[np.float32]
    low_m: NDArray[np.float32]
    high_m: NDArray[np.float32]
    hole: NDArray[np.bool_]

    @classmethod
    def of(cls, reference: ItemView) -> KnownRelief | None:
        """Look at a reference; None if nothing of it stands out, as on a plain box."""
        relief = own_relief(reference)
        if relief is None:
            return None
        stands_out = _stands_out(reference, relief)
        if not stands_out.any():
            return None
        rows, columns = reference.item_mask.shape
        surface = np.asarray(cv2.resize(relief.surface_m, (columns, rows)), np.float32)
        around = np.ones((2 * round(_MISFIT_M / reference.resolution_m) + 1,) * 2, np.uint8)
        off = np.nan_to_num(reference.height_m - surface)
        return cls(
            reference=reference,
            mask=cv2.dilate(stands_out.astype(np.uint8), around) > 0,
            surface_m=surface,
            low_m=np.asarray(cv2.erode(off, around), np.float32),
            high_m=np.asarray(cv2.dilate(off, around), np.float32),
            hole=~reference.valid | (off < -_DEEP_M),
        )

    def taken_from(self, view: ItemView) -> ItemView:
        """Give a view without the relief that it has in common with the reference."""
        both = view.item_mask & self.reference.item_mask & ~self.mask
        leaning = lean(view.height_m - self.reference.height_m, both)
        surface = self.surface_m + leaning
        off = view.height_m - surface
        hole = self.mask & self.hole & (np.isnan(off) | (off < -_DEEP_M))
        known = np.where(self.mask, np.clip(off, self.low_m, self.high_m), np.float32(0.0))
        std = np.hypot(view.height_std_m, self.reference.height_std_m)
        typical = np.float32(np.nanmedian(view.height_std_m)) if view.valid.any() else np.nan
        return replace(
            view,
            height_m=np.where(hole, surface, view.height_m - known).astype(np.float32),
            height_std_m=np.where(
                hole, typical, np.where(self.mask & np.isfinite(std), std, view.height_std_m)
            ).astype(np.float32),
        )


def _stands_out(reference: ItemView, relief: Relief) -> NDArray[np.bool_]:
    """Tell where a reference deviates from its surface: dents and holes, but raised parts too."""
    mean, _ = smoothed(relief, relief.residual_m, _SMOOTHED_M)
    off = np.abs(mean) > max(_STANDS_OUT * relief.scale_m, _LEAST_M)
    rows, columns = reference.item_mask.shape
    large = cv2.resize((off & (relief.item > 0.5)).astype(np.uint8), (columns, rows)) > 0
    return large | (np.nan_to_num(find_damage(reference).confidence) > _LIKE_DAMAGE)
