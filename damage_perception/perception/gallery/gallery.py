"""The gallery: pristine references of each product, kept alive while items are judged.

A change is done in this order: the index notes the data file that is about to come, the file is
written, synced and renamed, the index names it. Whatever kills the program in between, the next
writer finds the note, deletes the file and says so; what `add` has acknowledged is never touched.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from damage_perception.perception.gallery.changes import add_step, begin_change, undo_change
from damage_perception.perception.gallery.enrolment import (
    Enrolment,
    encode_all,
    insert_reference,
    refuse_surplus,
    retire_others,
    retire_surplus,
)
from damage_perception.perception.gallery.files import GalleryError, plain_errors, writer_lock
from damage_perception.perception.gallery.index import (
    open_index,
    plain_index_errors,
    transaction,
)
from damage_perception.perception.gallery.reader import GalleryReader
from damage_perception.perception.gallery.records import State, check_sku, time_text
from damage_perception.perception.gallery.unfinished import clean_up, note_unfinished

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from typing_extensions import Self

    from damage_perception.perception.view.item_view import ItemView


class Gallery(GalleryReader):
    """A gallery, for reading or for changing.

    Open it for reading as long as you like, and for changing only as long as a change takes: there
    is one writer at a time. Not thread-safe: one owner at a time.

    Attributes:
        rolled_back: what opening took back of a change that was killed, a sentence each.
    """

    rolled_back: tuple[str, ...] = ()
    _writer: ExitStack | None = None  # holds the lock while open for changing

    @classmethod
    def open(cls, path: Path | str, writable: bool = False, create: bool = True) -> Self:
        """Open a gallery.

        Args:
            path: its folder.
            writable: whether it may be changed.
            create: whether a writer makes one where there is none.

        Raises:
            GalleryError: if it cannot be used, or another writer is at work.
        """
        if '\0' in str(path):
            raise GalleryError('the folder of a gallery must not contain NUL')
        folder = Path(path)
        if not writable:
            return cls(folder, open_index(folder, writable=False))
        if not create:
            open_index(folder, writable=False).close()
        with ExitStack() as stack:
            with plain_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
            stack.enter_context(writer_lock(folder))
            connection = open_index(folder, writable=True)
            stack.callback(connection.close)
            gallery = cls(folder, connection)
            gallery.rolled_back = gallery._clean_up(log=True)
            gallery._writer = stack.pop_all()
        return gallery

    def close(self) -> None:
        """Let go of the gallery, and let the next writer in."""
        super().close()
        if self._writer is not None:
            self._writer.close()

    def add(
        self,
        sku: str,
        view: ItemView,
        by: str,
        design: str = '',
        features: NDArray[np.float32] | None = None,
    ) -> int:
        """Enrol one view of a sound item and give the number of the reference.

        Once this returns, the reference outlives a crash. A view that the product already has is
        not enrolled twice: its number is given. A seventh active reference retires the oldest.

        Raises:
            GalleryError, ViewError: if a name or the view cannot be used, or the disk is full;
                nothing is changed then.
        """
        return self.add_all(sku, [Enrolment(view, design, features)], by)[0]

    def add_all(
        self, sku: str, enrolments: Sequence[Enrolment], by: str, replace: bool = False
    ) -> list[int]:
        """Enrol several views of a product as one change: all of them or none.

        Args:
            sku: the product.
            enrolments: its views.
            by: who makes the change.
            replace: whether the product has a new design, so that what it had retires.
        """
        check_sku(sku)
        coming = encode_all(enrolments)
        there = {(item.digest, item.state): item.id for item in self.references(sku)}
        waiting = {digest: number for (digest, state), number in there.items() if state.is_current}
        keys = [(item.digest, item.enrolment.state) for item in coming]
        known = [there.get(key, waiting.get(key[0])) for key in keys]
        new = {
            item.digest: item for item, number in zip(coming, known, strict=True) if number is None
        }
        with self._changing():
            for digest in new:
                sentence = f'rolled back the unfinished enrolment of {sku} by {by}'
                note_unfinished(self._connection, digest, sentence)
        try:
            for digest, item in new.items():
                self._files.write(digest, item.content)
            with self._changing() as connection:
                change = begin_change(connection, by, f'enrol {sku}') if new else 0
                added = {
                    digest: insert_reference(connection, change, sku, by, item)
                    for digest, item in new.items()
                }
                if replace and new:
                    retire_others(connection, change, sku, added.values())
                retire_surplus(connection, change, sku)
                connection.execute('DELETE FROM unfinished')
        except BaseException:
            with suppress(GalleryError):  # the next writer cleans up what this one cannot
                self._clean_up(log=False)
            raise
        return [
            added[item.digest] if number is None else number
            for item, number in zip(coming, known, strict=True)
        ]

    def remove(self, references: Iterable[int], by: str, reason: str = '') -> None:
        """Take references out; `undo` brings them back until `purge` deletes their data."""
        self._move(references, State.REMOVED, by, reason, 'remove')

    def retire(self, references: Iterable[int], by: str, reason: str = '') -> None:
        """Use references no more, as after a new design."""
        self._move(references, State.RETIRED, by, reason, 'retire')

    def quarantine(self, references: Iterable[int], by: str, reason: str) -> None:
        """Suspend references that look damaged or wrong; `reason` is a sentence for a person."""
        self._move(references, State.QUARANTINED, by, reason, 'quarantine')

    def activate(self, references: Iterable[int], by: str, reason: str = '') -> None:
        """Use quarantined, retired or removed references again."""
        self._move(references, State.ACTIVE, by, reason, 'activate')

    def age_out(self, before: datetime, by: str) -> list[int]:
        """Retire the active references that were enrolled before a time; give their numbers.

        The newest of each design of a product stays, however old: a product is never left without.
        """
        active = self.references(None, [State.ACTIVE])
        newest = {(item.sku, item.design): item.id for item in active}  # oldest first
        old = [
            item.id
            for item in active
            if item.enrolled_at < before and item.id not in newest.values()
        ]
        self._move(old, State.RETIRED, by, f'enrolled before {time_text(before)[:10]}', 'age out')
        return old

    def purge(self, before: datetime, by: str) -> list[int]:
        """Delete for good the data of references that were removed before a time."""
        rows = self._query(
            'SELECT reference.id, digest FROM reference '
            'JOIN step ON step.reference = reference.id JOIN change ON change.id = step.change '
            "WHERE state = 'removed' GROUP BY reference.id HAVING max(change.at) < ?",
            time_text(before),
        )
        numbers = [number for number, _ in rows]
        with self._changing() as connection:
            for number, digest in rows:
                sentence = f'finished the deletion of reference {number}'
                note_unfinished(connection, digest, sentence)
            self._take_steps(numbers, State.PURGED, by, '', 'purge')
        self._clean_up(log=False)
        return numbers

    def undo(self, by: str, change: int | None = None) -> int:
        """Take back a change (None: the newest); give the number of the undoing change.

        Raises:
            GalleryError: if there is none, or the same references were changed since.
        """
        with self._changing() as connection:
            number = undo_change(connection, by, change)
            refuse_surplus(connection)
        return number

    def _move(
        self, references: Iterable[int], state: State, by: str, reason: str, action: str
    ) -> None:
        with self._changing() as connection:
            self._take_steps(references, state, by, reason, action)
            refuse_surplus(connection)

    def _take_steps(
        self, references: Iterable[int], state: State, by: str, reason: str, action: str
    ) -> None:
        numbers = list(dict.fromkeys(references))
        change = begin_change(self._connection, by, action) if numbers else 0
        for number in numbers:
            add_step(self._connection, change, number, state, reason)

    @contextmanager
    def _changing(self) -> Iterator[sqlite3.Connection]:
        if self._writer is None:
            raise GalleryError(f'{self.folder} is open for reading; open it with writable=True')
        with transaction(self._connection, self._index_path):
            yield self._connection

    def _clean_up(self, log: bool) -> tuple[str, ...]:
        with plain_index_errors(self._index_path):
            return clean_up(self._connection, self._index_path, self._files, log)
