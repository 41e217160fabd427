"""The log of a gallery: every change of a reference's state, who made it, when, and its undoing.

A reference is never edited, it only changes its state; so a change is the list of states before
and after, and undoing one is the same list backwards.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import datetime

from damage_perception.perception.gallery.files import GalleryError
from damage_perception.perception.gallery.records import Change, State, Step, check_text, time_text


def begin_change(
    connection: sqlite3.Connection, by: str, action: str, undoes: int | None = None
) -> int:
    """Write the head of a change (inside a transaction) and give its number."""
    check_text('who', by)
    if not by:
        raise GalleryError('say who makes the change')
    cursor = connection.execute(
        'INSERT INTO change (at, by, action, undoes) VALUES (?, ?, ?, ?)',
        (time_text(None), by, action, undoes),
    )
    return int(cursor.lastrowid or 0)


def add_step(
    connection: sqlite3.Connection, change: int, reference: int, after: State, reason: str
) -> None:
    """Give a reference another state and note it.

    Raises:
        GalleryError: if there is no such reference, or its data is gone.
    """
    check_text('the reason', reason)
    row = connection.execute(
        'SELECT state, reason FROM reference WHERE id = ?', (reference,)
    ).fetchone()
    if row is None:
        raise GalleryError(f'there is no reference {reference}; list the gallery to see them')
    if row[0] == State.PURGED:
        raise GalleryError(f'the data of reference {reference} was purged; enrol it again')
    connection.execute(
        'UPDATE reference SET state = ?, reason = ? WHERE id = ?', (after.value, reason, reference)
    )
    note_step(connection, change, reference, (row[0], row[1]), (after.value, reason))


def note_step(
    connection: sqlite3.Connection,
    change: int,
    reference: int,
    before: tuple[str | None, str],
    after: tuple[str, str],
) -> None:
    """Note states (state, reason) before and after; a state before of None is an enrolment."""
    connection.execute(
        'INSERT INTO step VALUES (?, ?, ?, ?, ?, ?)', (change, reference, *before, *after)
    )


def undo_change(connection: sqlite3.Connection, by: str, change: int | None) -> int:
    """Take a change back (None: the newest that is neither an undo nor undone).

    Gives the number of the change that this is itself; undoing that one is a redo.

    Raises:
        GalleryError: if there is none, or something changed the same references since.
    """
    number = _newest(connection) if change is None else change
    steps = connection.execute(
        'SELECT step.reference, before, before_reason, after, after_reason, state, reason '
        'FROM step JOIN reference ON reference.id = step.reference '
        'WHERE change = ? ORDER BY step.rowid DESC',
        (number,),
    ).fetchall()
    if not steps:
        raise GalleryError(f'there is no change {number} to undo; see the log')
    undo = begin_change(connection, by, f'undo change {number}', number)
    for reference, before, before_reason, after, after_reason, state, reason in steps:
        if (state, reason) != (after, after_reason):
            raise GalleryError(
                f'change {number} cannot be undone: reference {reference} is {state} since; '
                'undo the later change first'
            )
        add_step(connection, undo, reference, State(before or State.REMOVED), before_reason)
    return undo


def _newest(connection: sqlite3.Connection) -> int:
    row = connection.execute(
        'SELECT max(id) FROM change WHERE undoes IS NULL AND id IN (SELECT change FROM step) '
        "AND id NOT IN (SELECT change FROM step WHERE after = 'purged') AND NOT EXISTS "
        '(SELECT 1 FROM change AS undo WHERE undo.undoes = change.id AND NOT EXISTS '
        '(SELECT 1 FROM change AS redo WHERE redo.undoes = undo.id))'
    ).fetchone()
    if row[0] is None:
        raise GalleryError('there is no change to undo')
    return int(row[0])


def read_log(connection: sqlite3.Connection, limit: int) -> list[Change]:
    """Give the newest changes, newest first."""
    rows = connection.execute(
        'SELECT id, at, by, action, undoes FROM change ORDER BY id DESC LIMIT ?', (limit,)
    )
    return [
        Change(number, datetime.fromisoformat(at), by, action, undoes, _steps(connection, number))
        for number, at, by, action, undoes in rows.fetchall()
    ]


def _steps(connection: sqlite3.Connection, change: int) -> tuple[Step, ...]:
    rows: Iterable[tuple[int, str, str | None, str, str]] = connection.execute(
        'SELECT step.reference, sku, before, after, after_reason '
        'FROM step JOIN reference ON reference.id = step.reference '
        'WHERE change = ? ORDER BY step.rowid',
        (change,),
    )
    return tuple(
        Step(reference, sku, State(before) if before else None, State(after), reason)
        for reference, sku, before, after, reason in rows
    )
