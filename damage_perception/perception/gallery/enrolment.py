"""Enrolling references: from views to data files and rows of the index."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.gallery.changes import add_step, note_step
from damage_perception.perception.gallery.files import GalleryError, digest_of
from damage_perception.perception.gallery.records import (
    MAX_ACTIVE,
    State,
    check_features,
    check_text,
    time_text,
)
from damage_perception.perception.identification.identification import looks_of
from damage_perception.perception.view.codec import encode_view
from damage_perception.perception.view.item_view import ItemView


@dataclass(frozen=True, eq=False)
class Enrolment:
    """One view to enrol.

    `features` None: computed from the view; `at` None: now; `by` empty: who makes the change.
    """

    view: ItemView
    design: str = ''
    features: NDArray[np.float32] | None = None
    state: State = State.ACTIVE
    reason: str = ''
    at: datetime | None = None
    by: str = ''

    def check(self) -> None:
        """Refuse what cannot be kept (the view itself is checked when it is encoded).

        Raises:
            GalleryError: naming what does not fit.
        """
        check_text('the design', self.design)
        check_text('the reason', self.reason)
        check_text('who', self.by)
        if self.features is not None:
            check_features(self.features)
        if self.state not in (State.ACTIVE, State.QUARANTINED, State.RETIRED):
            raise GalleryError(f'a reference cannot be enrolled as {self.state.value}')


@dataclass(frozen=True, eq=False)
class EncodedEnrolment:
    """An enrolment with its data file."""

    enrolment: Enrolment
    content: bytes
    digest: str
    features: bytes


def encode_all(enrolments: Iterable[Enrolment]) -> list[EncodedEnrolment]:
    """Check and encode, so that nothing of a bad one is ever written.

    Raises:
        GalleryError, ViewError: naming what does not fit.
    """
    encoded = []
    for enrolment in enrolments:
        enrolment.check()
        content = encode_view(enrolment.view)
        features = check_features(
            looks_of(enrolment.view) if enrolment.features is None else enrolment.features
        )
        encoded.append(EncodedEnrolment(enrolment, content, digest_of(content), features))
    return encoded


def insert_reference(
    connection: sqlite3.Connection, change: int, sku: str, by: str, item: EncodedEnrolment
) -> int:
    """Name a data file in the index (inside a transaction) and give the reference's number."""
    enrolment = item.enrolment
    at = time_text(enrolment.at)
    after = (enrolment.state.value, enrolment.reason)
    cursor = connection.execute(
        'INSERT INTO reference (sku, digest, enrolled_at, by, design, state, reason, features) '
        'VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        (sku, item.digest, at, enrolment.by or by, enrolment.design, *after, item.features),
    )
    number = int(cursor.lastrowid or 0)
    note_step(connection, change, number, (None, ''), after)
    return number


def retire_others(
    connection: sqlite3.Connection, change: int, sku: str, kept: Iterable[int]
) -> None:
    """Retire the references of a product but those of its new design, in quarantine or not."""
    rows = connection.execute(
        "SELECT id FROM reference WHERE sku = ? AND state IN ('active', 'quarantined')", (sku,)
    ).fetchall()
    for number in sorted({number for (number,) in rows} - set(kept)):
        add_step(connection, change, number, State.RETIRED, 'gave way to a new design')


def retire_surplus(connection: sqlite3.Connection, change: int, sku: str) -> None:
    """Retire the oldest active references of a product beyond six.

    The last one of a design goes only when all the others are the last ones of theirs too.
    """
    rows = connection.execute(
        "SELECT id, design FROM reference WHERE sku = ? AND state = 'active' "
        'ORDER BY enrolled_at, id',
        (sku,),
    ).fetchall()
    last = {design: number for number, design in rows}
    spare = [number for number, design in rows if last[design] != number]
    spare += [number for number, design in rows if last[design] == number]
    for number in spare[: max(0, len(rows) - MAX_ACTIVE)]:
        reason = f'gave way to a newer one, a product has at most {MAX_ACTIVE}'
        add_step(connection, change, number, State.RETIRED, reason)


def refuse_surplus(connection: sqlite3.Connection) -> None:
    """Refuse a change (inside its transaction) that gives a product more than six references.

    Raises:
        GalleryError: naming the product.
    """
    row = connection.execute(
        "SELECT sku FROM reference WHERE state = 'active' GROUP BY sku HAVING count(*) > ? LIMIT 1",
        (MAX_ACTIVE,),
    ).fetchone()
    if row is not None:
        raise GalleryError(
            f'{row[0]} would have more than {MAX_ACTIVE} active references; retire one first'
        )
