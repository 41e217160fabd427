"""The index of a gallery: one SQLite file that says which data file is what.

It keeps SQLite's rollback journal (not the write-ahead log): at rest the index is one file that can
be copied and read from a read-only disk, a full disk can always be rolled back, and the writer
blocks readers only while it commits. `synchronous=EXTRA` makes a commit outlive a power cut.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from damage_perception.perception.gallery.files import GalleryError, plain_errors

FILE_NAME = 'index.sqlite'
APPLICATION_ID = 0x64706731  # 'dpg1': tells a gallery from other SQLite files
VERSION = 1
BUSY_TIMEOUT_S = 5.0

SCHEMA = f"""
CREATE TABLE reference (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    sku TEXT NOT NULL,
    digest TEXT NOT NULL,
    enrolled_at TEXT NOT NULL,
    by TEXT NOT NULL,
    design TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    features BLOB NOT NULL
);
CREATE INDEX reference_by_sku ON reference (sku, state);
CREATE INDEX reference_by_digest ON reference (digest);
CREATE TABLE change (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    by TEXT NOT NULL,
    action TEXT NOT NULL,
    undoes INTEGER REFERENCES change (id)
);
CREATE TABLE step (
    change INTEGER NOT NULL REFERENCES change (id),
    reference INTEGER NOT NULL REFERENCES reference (id),
    before TEXT,
    before_reason TEXT NOT NULL,
    after TEXT NOT NULL,
    after_reason TEXT NOT NULL
);
CREATE INDEX step_by_change ON step (change);
CREATE TABLE unfinished (
    digest TEXT PRIMARY KEY,
    sentence TEXT NOT NULL
);
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


def open_index(folder: Path, writable: bool) -> sqlite3.Connection:
    """Open the index of a gallery; a writer makes it where the folder is new or empty.

    A reader opens the file for writing too where it may, since only so can SQLite roll back what a
    killed writer left; `query_only` keeps it from changing anything else.

    Raises:
        GalleryError: if there is none, or it is foreign, newer or damaged.
    """
    path = folder / FILE_NAME
    with plain_errors(path):
        if not path.is_file():
            _check_new(folder, writable)
    with plain_index_errors(path):
        connection = _connect(path, 'rwc' if writable else 'rw')
        try:
            _check(connection, path, writable)
            connection.execute('PRAGMA synchronous = EXTRA')
            if not writable:
                connection.execute('PRAGMA query_only = ON')
        except BaseException:
            connection.close()
            raise
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Change the index as a whole or not at all.

    Raises:
        GalleryError: if it could not; then nothing was changed.
    """
    with plain_index_errors(path):
        connection.execute('BEGIN IMMEDIATE')
        try:
            yield
            connection.execute('COMMIT')
        except BaseException:
            if connection.in_transaction:
                connection.execute('ROLLBACK')
            raise


@contextmanager
def plain_index_errors(path: Path) -> Iterator[None]:
    """Turn a failure of SQLite into one sentence."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        text = str(error)
        for hint, sentence in (
            ('full', f'the disk of {path.parent} is full; nothing was changed, make room'),
            ('locked', f'{path} is busy; another program is changing it, try again'),
            (
                'not a database',
                f'{path} is not a gallery index; move it away or name another folder',
            ),
            (
                'malformed',
                f'{path} is damaged; restore it from a copy, its data files are untouched',
            ),
            ('readonly', f'{path} may not be written; check who owns it'),
            (
                'unable to open',
                f'{path} cannot be opened; check that the folder exists and who owns it',
            ),
        ):
            if hint in text:
                raise GalleryError(sentence) from error
        raise GalleryError(f'{path} cannot be used ({text})') from error


def _check_new(folder: Path, writable: bool) -> None:
    if not writable:
        raise GalleryError(f'{folder} is no gallery; enrol a first reference to make one')
    others = sorted(entry.name for entry in folder.iterdir() if entry.name != 'lock')
    if others:
        raise GalleryError(
            f'{folder} holds no gallery index but {others[0]!r}; '
            'name an empty folder, or restore the index from a copy'
        )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f'{path.absolute().as_uri()}?mode={mode}', uri=True, timeout=BUSY_TIMEOUT_S,
        isolation_level=None, check_same_thread=False,
    )  # fmt: skip


def _check(connection: sqlite3.Connection, path: Path, writable: bool) -> None:
    application, version, tables = (
        connection.execute(query).fetchone()[0]
        for query in (
            'PRAGMA application_id', 'PRAGMA user_version', 'SELECT count(*) FROM sqlite_master',
        )
    )  # fmt: skip
    if (application, version, tables) == (0, 0, 0):
        _create(connection, path, writable)
    elif application != APPLICATION_ID:
        raise GalleryError(f'{path} belongs to another program; name another folder')
    elif version > VERSION:
        raise GalleryError(
            f'{path} was written by a newer version of this package '
            f'(format {version}, this one reads {VERSION}); update the package'
        )


def _create(connection: sqlite3.Connection, path: Path, writable: bool) -> None:
    if not writable:
        raise GalleryError(f'{path} is empty; enrol a first reference to make a gallery of it')
    if any((path.parent / 'views').glob('*/*')):
        raise GalleryError(
            f'{path} is empty but {path.parent / "views"} is not; restore the index from a copy'
        )
    with transaction(connection, path):
        for statement in SCHEMA.split(';')[:-1]:
            connection.execute(statement)
