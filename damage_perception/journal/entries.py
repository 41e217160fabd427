"""A journal read back: a row a decision with its review, and as CSV or Parquet."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from damage_perception.errors import UserError
from damage_perception.journal.schema import connect

Entry = Mapping[str, Any]
_QUERY = """
SELECT decision.*, review.found AS found, review.damage_type AS found_type,
    review.minor AS found_minor, review.written_s AS reviewed_s
FROM decision LEFT JOIN review ON review.decision_id = decision.id ORDER BY decision.id
"""


def read_entries(path: Path) -> list[Entry]:
    """Read all decisions, oldest first; `found` is sound, damaged or None (not reviewed).

    Raises:
        UserError: if the file is not a whole journal.
    """
    if not path.is_file():
        raise UserError(f'{path} does not exist; give the file that journal.file names')
    try:
        connection = connect(path, read_only=True)
        try:
            return [dict(row) for row in connection.execute(_QUERY)]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise UserError(f'{path} cannot be read as a journal ({error}); give another') from error


def write_csv(path: Path, entries: list[Entry]) -> None:
    """Write a line a decision; what is not known is empty.

    Raises:
        UserError: if the file cannot be written.
    """

    def write(part: Path) -> None:
        with part.open('w', newline='', encoding='utf-8') as stream:
            writer = csv.DictWriter(stream, list(entries[0]) if entries else [])
            writer.writeheader()
            writer.writerows(entries)

    _write_whole(path, write)


def write_parquet(path: Path, entries: list[Entry]) -> None:
    """Write a row a decision, as data frames read it; what is not known is null.

    Raises:
        UserError: if pyarrow is not installed or the file cannot be written.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise UserError('Parquet needs pyarrow: pip install pyarrow, or write --csv') from None
    table = pyarrow.Table.from_pylist([dict(entry) for entry in entries])
    _write_whole(path, lambda part: parquet.write_table(table, part))


def _write_whole(path: Path, write: Callable[[Path], None]) -> None:
    """Let a file appear only when it is whole."""
    part = path.with_name(f'.{path.name}.part')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(part)
        part.replace(path)
    except OSError as error:
        raise UserError(f'{path} cannot be written ({error.strerror}); free space there') from error
    finally:
        part.unlink(missing_ok=True)
