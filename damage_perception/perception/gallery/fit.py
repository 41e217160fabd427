"""The references of one item that is followed, brought onto its view once, not per frame."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from damage_perception.perception.comparison.alignment import Aligned, Aligner
from damage_perception.perception.comparison.reference_relief import KnownRelief
from damage_perception.perception.gallery.lookup import NOTHING_KNOWN, KnownProduct
from damage_perception.perception.view.item_view import ItemView

_BETTER = 2.0  # times the frames after which a fused view is worth aligning again


@dataclass(frozen=True, eq=False)
class FittedReference:
    """A reference on the grid of an item; `number` and `view` are those of the gallery."""

    number: int
    view: ItemView
    aligned: Aligned

    @cached_property
    def relief(self) -> KnownRelief | None:
        """What stands out of it by design; None = nothing does."""
        return KnownRelief.of(self.aligned.view)

    @cached_property
    def smooth(self) -> ItemView:
        """The reference on the grid of the item without that relief."""
        return self.relief.taken_from(self.aligned.view) if self.relief else self.aligned.view


class FittedReferences:
    """What fits an item, best first; a poor fit counts as no reference."""

    def __init__(self) -> None:
        self.fitting: tuple[FittedReference, ...] = ()
        self._product = NOTHING_KNOWN
        self._frames = 0.0

    def forget(self) -> None:
        """Forget all: the grid of the view is another."""
        self.fitting, self._product, self._frames = (), NOTHING_KNOWN, 0.0

    def update(self, view: ItemView, product: KnownProduct) -> None:
        """Bring references onto a view, where these or the view changed enough to do it again."""
        if product is self._product and view.frames < _BETTER * self._frames:
            return
        self._product, self._frames = product, view.frames
        aligner = Aligner(view)  # computes nothing until it is asked
        found = [(known, aligner.bring(known.view)) for known in product.references]
        fitting = [
            FittedReference(known.reference.id, known.view, fit)
            for known, fit in found
            if fit is not None
        ]
        self.fitting = tuple(sorted(fitting, key=lambda fitted: -fitted.aligned.fit))

    def unexplained(self, view: ItemView) -> ItemView:
        """Give the view without the relief that the best reference has too."""
        relief = self.fitting[0].relief if self.fitting else None
        return relief.taken_from(view) if relief else view
