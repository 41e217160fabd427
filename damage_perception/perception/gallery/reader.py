"""Reading a gallery: any number of programs may, while another one changes it.

Nothing of the gallery is kept in memory: a look-up asks the index and reads the files, so what a
writer committed is seen by the next look-up, and 10,000 products need no more memory than one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.gallery.changes import read_log
from damage_perception.perception.gallery.files import GalleryError, ViewFiles
from damage_perception.perception.gallery.index import FILE_NAME, plain_index_errors
from damage_perception.perception.gallery.records import (
    Change,
    Product,
    Reference,
    ReferenceView,
    State,
)
from damage_perception.perception.view.codec import ViewError, decode_view

if TYPE_CHECKING:
    from typing_extensions import Self

USED = (State.ACTIVE,)
KEPT = (State.ACTIVE, State.QUARANTINED, State.RETIRED)
_COLUMNS = 'id, sku, digest, enrolled_at, by, design, state, reason'


class GalleryReader:
    """A gallery opened for reading.

    Attributes:
        problems: sentences about data files that could not be used, by digest; a look-up leaves
            such a reference out and goes on.
    """

    def __init__(self, folder: Path, connection: sqlite3.Connection) -> None:
        self.folder = folder
        self.problems: dict[str, str] = {}
        self._index_path = folder / FILE_NAME
        self._files = ViewFiles(folder / 'views')
        self._connection = connection
        self._version = self._data_version()

    def close(self) -> None:
        """Let go of the gallery."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def views(self, sku: str, states: Iterable[State] = USED) -> list[ReferenceView]:
        """Give the references of a product with their pictures, oldest first.

        An unknown product has none. A reference whose file is damaged is left out and said in
        `problems`.
        """
        found = []
        rows = self._rows(f'{_COLUMNS}, features', sku, states)
        references = [_reference(row) for row in rows]
        for reference in references:
            self._files.expect(reference.digest)
        for row, reference in zip(rows, references, strict=True):
            try:
                view = decode_view(self._files.read(reference.digest))
            except (GalleryError, ViewError) as error:
                self.problems[reference.digest] = f'reference {reference.id} of {sku}: {error}'
                continue
            features = np.frombuffer(row[-1], '<f4').astype(np.float32, copy=False)
            found.append(ReferenceView(reference, view, features))
        return found

    def references(self, sku: str | None = None, states: Iterable[State] = KEPT) -> list[Reference]:
        """Give the references of a product (None: of all), without pictures, oldest first."""
        return [_reference(row) for row in self._rows(_COLUMNS, sku, states)]

    def products(self) -> list[Product]:
        """Give all products that have references, by name."""
        counts = ', '.join(f"sum(state = '{state.value}')" for state in KEPT)
        rows = self._query(
            f'SELECT sku, {counts}, max(enrolled_at) FROM reference '
            "WHERE state NOT IN ('removed', 'purged') GROUP BY sku ORDER BY sku"
        )
        return [
            Product(row[0], row[1], row[2], row[3], datetime.fromisoformat(row[4])) for row in rows
        ]

    def features(self, dimension: int) -> tuple[list[str], NDArray[np.float32]]:
        """Give the skus (N) and feature vectors (N, dimension) float32 of all active references.

        Those without features, or with ones of another length, are left out.
        """
        rows = self._query(
            "SELECT sku, features FROM reference WHERE state = 'active' AND length(features) = ? "
            'ORDER BY id',
            4 * dimension,
        )
        matrix = np.frombuffer(b''.join(row[1] for row in rows), '<f4')
        return [row[0] for row in rows], matrix.astype(np.float32).reshape(-1, dimension)

    def changed(self) -> bool:
        """Tell whether another program has changed the gallery since the last call (cheap)."""
        before, self._version = self._version, self._data_version()
        return before != self._version

    def log(self, limit: int = 50) -> list[Change]:
        """Give the newest changes, newest first."""
        with plain_index_errors(self._index_path):
            return read_log(self._connection, limit)

    def check(self) -> list[str]:
        """Read everything; give a sentence for each thing that is wrong."""
        wrong = [
            f'{self._index_path}: {row[0]}; restore it from a copy'
            for row in self._query('PRAGMA integrity_check(10)')
            if row[0] != 'ok'
        ]
        states = [state for state in State if state is not State.PURGED]
        known = set()
        for reference in self.references(None, states):
            known.add(f'{reference.digest[:2]}/{reference.digest}.safetensors')
            try:
                decode_view(self._files.read(reference.digest))
            except (GalleryError, ViewError) as error:
                wrong.append(f'reference {reference.id} of {reference.sku}: {error}')
        strays = [name for name in self._files.names() if name not in known]
        return wrong + [
            f'{self._files.folder / name}: the index does not know it' for name in strays
        ]

    def _rows(self, columns: str, sku: str | None, states: Iterable[State]) -> list[tuple]:  # type: ignore[type-arg]
        if sku is not None and not sku.isprintable():
            return []  # nobody can have enrolled it, and SQLite cannot even ask for it
        wanted = [state.value for state in states]
        marks = ', '.join('?' * len(wanted))
        where = '' if sku is None else 'sku = ? AND '
        return self._query(
            f'SELECT {columns} FROM reference WHERE {where}state IN ({marks}) ORDER BY sku, id',
            *([] if sku is None else [sku]),
            *wanted,
        )

    def _query(self, sql: str, *values: object) -> list[tuple]:  # type: ignore[type-arg]
        with plain_index_errors(self._index_path):
            return self._connection.execute(sql, values).fetchall()

    def _data_version(self) -> int:
        return int(self._query('PRAGMA data_version')[0][0])


def _reference(row: tuple) -> Reference:  # type: ignore[type-arg]
    number, sku, digest, at, by, design, state, reason = row[:8]
    return Reference(
        number, sku, digest, datetime.fromisoformat(at), by, design, State(state), reason
    )
