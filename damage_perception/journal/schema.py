"""The tables of a journal file and how it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from damage_perception.errors import UserError

APPLICATION_ID = 0x64616D6A  # 'damj': what `file` and the next version tell a journal by
VERSION = 1
# A source counts its tracks from 1 and never again, so a second decision on one is no new row.
_TABLES = """
CREATE TABLE decision (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    track_id INTEGER NOT NULL,
    stamp_ns INTEGER NOT NULL,
    frame_id TEXT NOT NULL,
    written_s REAL NOT NULL,
    sku TEXT NOT NULL,
    decision TEXT NOT NULL,
    confidence REAL,
    threshold REAL NOT NULL,
    frames INTEGER NOT NULL,
    reason TEXT NOT NULL,
    segmentation_score REAL,
    anomaly_score REAL,
    status INTEGER NOT NULL,
    damages TEXT NOT NULL,
    versions TEXT NOT NULL,
    UNIQUE (source, track_id)
);
CREATE INDEX decision_by_stamp ON decision (track_id, stamp_ns);
CREATE TABLE review (
    decision_id INTEGER PRIMARY KEY REFERENCES decision (id) ON DELETE CASCADE,
    found TEXT NOT NULL,
    damage_type TEXT NOT NULL,
    minor INTEGER NOT NULL,
    written_s REAL NOT NULL
);
"""
_WAIT_S = 0.1  # for a reader that holds the file; a decision does not wait longer


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a journal; a new file gets the tables unless it is only read.

    Raises:
        UserError: if the file is something else or of another version.
        sqlite3.Error: if it cannot be opened or made.
    """
    if read_only:
        connection = sqlite3.connect(f'{path.resolve().as_uri()}?mode=ro', uri=True)
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One thread at a time uses it, but not always the one that made it.
        connection = sqlite3.connect(path, timeout=_WAIT_S, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    try:
        _prepare(connection, path, read_only)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection, path: Path, read_only: bool) -> None:
    application = connection.execute('PRAGMA application_id').fetchone()[0]
    version = connection.execute('PRAGMA user_version').fetchone()[0]
    empty = not connection.execute('SELECT count(*) FROM sqlite_schema').fetchone()[0]
    if empty and not read_only:
        # A crash of the process loses nothing, one of the machine the newest rows at most.
        connection.execute('PRAGMA journal_mode = WAL')
        connection.executescript(
            f'BEGIN IMMEDIATE; PRAGMA application_id = {APPLICATION_ID};'
            f'PRAGMA user_version = {VERSION}; {_TABLES} COMMIT;'
        )
    elif application != APPLICATION_ID:
        raise UserError(f'{path} is not a journal of decisions; give another file')
    elif version != VERSION:
        raise UserError(f'{path} is a journal of version {version}, expected {VERSION}')
    connection.execute('PRAGMA synchronous = NORMAL')
    connection.execute('PRAGMA foreign_keys = ON')
