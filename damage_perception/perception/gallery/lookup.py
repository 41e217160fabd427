"""The references of a product while items are judged: looked up once, not in every frame."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from damage_perception.errors import UserError
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.index import FILE_NAME
from damage_perception.perception.gallery.records import ReferenceView, State
from damage_perception.perception.identification.identification import (
    FEATURES,
    Identification,
    Identifier,
)
from damage_perception.perception.view.item_view import ItemView
from damage_perception.setting import setting

_KEPT = 32  # products whose references stay in memory, about 1 MB each


@dataclass(frozen=True)
class GallerySettings:
    """Where pristine references are kept."""

    path: str = setting(
        '', 'Folder of the gallery of pristine references; the first enrolment makes it; '
        'empty = none.', live=False,
    )  # fmt: skip

    @property
    def folder(self) -> Path | None:
        """The folder; None = no gallery is kept."""
        return Path(self.path).expanduser() if self.path else None


@dataclass(frozen=True, eq=False)
class KnownProduct:
    """What the gallery holds of a product: the references in use, and how many wait for a person.

    Two of them are the same object until the gallery changes.
    """

    references: tuple[ReferenceView, ...] = ()
    quarantined: int = 0


NOTHING_KNOWN = KnownProduct()


class References:
    """What is in a gallery, by product. Nothing is read twice until `refresh` finds a change.

    A gallery that cannot be read knows nothing and says so in `problem`; the rest goes on.
    One owner calls `of` and `identify`; `refresh` may be called from any thread.

    Attributes:
        problem: why the gallery or a part of it cannot be used, a sentence; empty = it can.
        version: number of its newest change when it was last looked at; 0 = not yet.

    Args:
        folder: that of the gallery, which need not be there yet; None = no gallery.
    """

    def __init__(self, folder: Path | None) -> None:
        self.problem = ''
        self.version = 0
        self._folder = folder
        self._gallery: Gallery | None = None
        self._known: OrderedDict[str, KnownProduct] = OrderedDict()
        self._identifier: Identifier | None = None
        self._stale = True

    def of(self, sku: str) -> KnownProduct:
        """Give what is known of a product; an empty or unknown sku has nothing."""
        if self._folder is None or not sku:
            return NOTHING_KNOWN
        try:
            return self._look_up(sku)
        except UserError as error:
            self.problem = str(error)
            self.close()
            return NOTHING_KNOWN

    def identify(self, view: ItemView) -> Identification | None:
        """Say which product a clean view of an item shows; None = there is nothing to compare."""
        if self._folder is None:
            return None
        try:
            self._look_for_changes()
            if self._identifier is None and self._gallery is not None:
                self._identifier = _identifier(self._gallery)
            known = self._identifier
            return known.identify(view) if known is not None and len(known) else None
        except UserError as error:  # what is told by barcode still has its references
            self.problem = str(error)
            return None

    def refresh(self) -> None:
        """Look at the next question whether the gallery has changed."""
        self._stale = True

    def close(self) -> None:
        """Let go of the gallery until it is refreshed."""
        self._known.clear()
        self._identifier = None
        if self._gallery is not None:
            self._gallery.close()
            self._gallery = None

    def _look_up(self, sku: str) -> KnownProduct:
        self._look_for_changes()
        if sku in self._known:
            self._known.move_to_end(sku)
        elif self._gallery is None:
            return NOTHING_KNOWN
        else:
            self._known[sku] = _known(self._gallery, sku)
            self.problem = next(iter(self._gallery.problems.values()), '')
            if len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[sku]

    def _look_for_changes(self) -> None:
        if not self._stale:
            return
        self._stale = False
        assert self._folder is not None
        if self._gallery is None and (self._folder / FILE_NAME).is_file():
            self._gallery = Gallery.open(self._folder)
        elif self._gallery is None or not self._gallery.changed():
            return
        self._known.clear()
        self._identifier = None
        self._gallery.problems.clear()
        self.problem = ''
        self.version = max((change.id for change in self._gallery.log(1)), default=0)


def _known(gallery: Gallery, sku: str) -> KnownProduct:
    waiting = gallery.references(sku, [State.QUARANTINED])
    return KnownProduct(tuple(gallery.views(sku)), len(waiting))


def _identifier(gallery: Gallery) -> Identifier:
    identifier = Identifier()
    skus, features = gallery.features(FEATURES)
    for sku, row in zip(skus, features, strict=True):
        identifier.add(sku, row)
    return identifier
