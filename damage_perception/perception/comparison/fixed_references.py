"""References that are given instead of looked up: single pictures need no gallery."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone

import numpy as np

from damage_perception.perception.gallery.lookup import NOTHING_KNOWN, KnownProduct, References
from damage_perception.perception.gallery.records import Reference, ReferenceView, State
from damage_perception.perception.view.item_view import ItemView

_UNDATED = datetime.fromtimestamp(0, timezone.utc)


class FixedReferences(References):
    """Views of sound items of one product, in memory.

    Args:
        views: the references.
        sku: their product; '' = that of items of which nobody says what they are.
    """

    def __init__(self, views: Iterable[ItemView], sku: str = '') -> None:
        super().__init__(None)
        self._sku = sku
        self._product = KnownProduct(
            tuple(_reference(number, sku, view) for number, view in enumerate(views, start=1))
        )

    def of(self, sku: str) -> KnownProduct:
        """Give the references, if they are of this product."""
        return self._product if sku == self._sku else NOTHING_KNOWN


def _reference(number: int, sku: str, view: ItemView) -> ReferenceView:
    record = Reference(number, sku, '', _UNDATED, '', '', State.ACTIVE, '')
    return ReferenceView(record, view, np.zeros(0, np.float32))
