"""What an item in view is: what a barcode reader or an operator says, else what it looks like."""

from __future__ import annotations

from dataclasses import dataclass

from damage_perception.frame import ItemIdentity
from damage_perception.perception.gallery_lookup import References
from damage_perception.perception.identification import Identification
from damage_perception.perception.item_view import ItemView

_IMPROVED = 1.5  # times as many frames behind a view make it worth another question


@dataclass(eq=False)
class SeenIdentity:
    """What a track looks like; asked again only when its view has improved or the gallery changed.

    Attributes:
        seen: the newest answer; None = not asked yet, or nothing is enrolled.
    """

    seen: Identification | None = None
    _frames: float = 0.0
    _gallery: int = -1

    def look(self, view: ItemView, references: References) -> None:
        """Ask the gallery which product a clean view shows."""
        if self._gallery == references.version and view.frames < _IMPROVED * self._frames:
            return
        self.seen = references.identify(view)
        self._frames, self._gallery = view.frames, references.version

    def settled(self, said: ItemIdentity | None) -> ItemIdentity | None:
        """Give what counts: what was said, else what it looks like; None = unknown."""
        if said is not None and said.sku:
            return said
        if self.seen is None or not self.seen.sku:
            return said
        return ItemIdentity(self.seen.sku, self.seen.confidence, 'vision')

    def contradiction(self, said: ItemIdentity | None) -> str:
        """Tell in words if an item surely looks like another product than it is said to be."""
        if said is None or not said.sku or self.seen is None or not self.seen.sku:
            return ''
        if said.sku == self.seen.sku:
            return ''
        return (
            f'is {said.sku} by {said.source} but looks like {self.seen.sku} '
            f'({self.seen.confidence:.0%}): check its label and the references of both'
        )
