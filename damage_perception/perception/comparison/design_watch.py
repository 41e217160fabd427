"""Many items of a product that deviate alike from their references: a new design, not mass damage.

Damage falls anywhere; a new design changes the same place of each item. So the places where an item
deviates are kept on the grid of one reference, for the last items of each product, and compared.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.gallery.fit import FittedReferences
from damage_perception.perception.gallery.lookup import KnownProduct
from damage_perception.perception.geometry.geometry import DamageBlob

ALIKE = 3  # items that deviate alike from which it is no chance
WINDOW = 12  # items of a product that are remembered
_PRODUCTS = 256  # that are remembered
_CELLS = 32  # along each side of a reference
_LEAST_OVERLAP = 0.3  # intersection over union of what deviates alike

Places = NDArray[np.bool_]  # (_CELLS, _CELLS), on the grid of a reference


@dataclass(eq=False)
class _Recent:
    """The last items of a product, by track; None = nothing of it was found to deviate."""

    references: tuple[int, ...]  # that they were compared with
    items: OrderedDict[int, Places | None] = field(default_factory=OrderedDict)


class DesignWatch:
    """Remember how the last items of each product deviated from its references."""

    def __init__(self) -> None:
        self._products: OrderedDict[str, _Recent] = OrderedDict()

    def suspects(
        self,
        sku: str,
        track_id: int,
        product: KnownProduct,
        references: FittedReferences,
        damages: Iterable[DamageBlob],
    ) -> bool:
        """Take the newest look at an item; tell whether it seems to be of a new design.

        An item that no reference of its product fits deviates everywhere.
        """
        if not product.references:
            return False
        numbers = tuple(known.reference.id for known in product.references)
        recent = self._products.get(sku)
        if recent is None or recent.references != numbers:  # somebody has acted
            recent = self._products[sku] = _Recent(numbers)
        self._products.move_to_end(sku)
        if len(self._products) > _PRODUCTS:
            self._products.popitem(last=False)
        places = recent.items[track_id] = _places(references, damages)
        while len(recent.items) > WINDOW:
            recent.items.popitem(last=False)
        alike = [_is_alike(places, other) for other in recent.items.values()]
        return sum(alike) >= ALIKE


def _places(references: FittedReferences, damages: Iterable[DamageBlob]) -> Places | None:
    if not references.fitting:
        return np.ones((_CELLS, _CELLS), bool)
    masks = [damage.mask for damage in damages]
    if not masks:
        return None
    first = min(references.fitting, key=lambda fitted: fitted.number)
    rows, columns = first.view.item_mask.shape
    moved = cv2.warpAffine(
        np.any(masks, axis=0).astype(np.float32), first.aligned.warp, (columns, rows)
    )
    cells = cv2.resize(moved, (_CELLS, _CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(cells > 0.25)


def _is_alike(one: Places | None, two: Places | None) -> bool:
    if one is None or two is None:
        return False
    either = np.count_nonzero(one | two)
    return bool(either and np.count_nonzero(one & two) >= _LEAST_OVERLAP * either)
