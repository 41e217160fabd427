"""What an item in view is: what a barcode reader or an operator says, else what it looks like."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from damage_perception.frame import ItemIdentity
from damage_perception.perception.gallery.lookup import References
from damage_perception.perception.identification.identification import Identification
from damage_perception.perception.view.item_view import ItemView

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


class SaidIdentities:
    """Which item was said to be what: each thing that is said names one item, and for good.

    Nobody says where in the view an item lies, so only one that is alone and wholly in view is
    named; what is said while others come in or go out waits as long as it holds.
    """

    def __init__(self) -> None:
        self._said: dict[int, ItemIdentity] = {}
        self._other: dict[int, ItemIdentity] = {}  # the last that was said against it
        self._done: ItemIdentity | None = None

    def hear(self, said: ItemIdentity | None, seen: Sequence[int], whole: Collection[int]) -> None:
        """Take what is said with a frame.

        Args:
            said: it holds over many frames, but counts once.
            seen: the tracks of the frame.
            whole: those of them that are wholly in view.
        """
        if said is None or not said.sku or said == self._done:
            return
        unnamed = [track for track in seen if track not in self._said]
        again = any(self._said[t].sku == said.sku for t in whole if t in self._said)
        alone = len(seen) == 1 and seen[0] in whole
        if not again and alone:
            (self._said if unnamed else self._other)[seen[0]] = said
        if again or alone or len(unnamed) > 1:
            self._done = said

    def of(self, track_id: int) -> ItemIdentity | None:
        """Give what a track was said to be; None = nobody said."""
        return self._said.get(track_id)

    def contradiction(self, track_id: int) -> str:
        """Tell in words if something else was said of a track later."""
        if track_id not in self._other:
            return ''
        said, other = self._said[track_id], self._other[track_id]
        return (
            f'is {said.sku} by {said.source} but {other.sku} was said while it was alone in view: '
            'check its labels and that the reader reads where the camera looks'
        )

    def keep(self, tracks: Collection[int]) -> None:
        """Forget the tracks that are not followed any more."""
        for known in (self._said, self._other):
            for track in known.keys() - set(tracks):
                del known[track]

    def clear(self) -> None:
        """Forget all, as when time jumps."""
        self.keep(())
        self._done = None
