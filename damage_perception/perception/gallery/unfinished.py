"""What a killed writer left behind: noted before it is begun, taken back by the next writer.

Only data files that were noted are ever deleted; one that the index does not know is left alone, as
after an older copy of the index was restored.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from damage_perception.perception.gallery.changes import begin_change
from damage_perception.perception.gallery.files import ViewFiles
from damage_perception.perception.gallery.index import transaction


def note_unfinished(connection: sqlite3.Connection, digest: str, sentence: str) -> None:
    """Note (inside a transaction) that a data file comes or goes.

    Args:
        connection: the index.
        digest: the data file.
        sentence: what is said if the next writer has to clean up.
    """
    connection.execute('INSERT OR REPLACE INTO unfinished VALUES (?, ?)', (digest, sentence))


def clean_up(
    connection: sqlite3.Connection, index_path: Path, files: ViewFiles, log: bool
) -> tuple[str, ...]:
    """Delete the noted files that no reference uses and forget the notes; give their sentences.

    Args:
        connection: the index.
        index_path: its file, for messages.
        files: the data files.
        log: whether the sentences are logged as changes, as when opening after a crash.
    """
    noted = connection.execute(
        'SELECT digest, sentence, EXISTS (SELECT 1 FROM reference '
        "WHERE reference.digest = unfinished.digest AND state <> 'purged') FROM unfinished "
        'ORDER BY unfinished.rowid'
    ).fetchall()
    if not noted:
        return ()
    for digest, _, used in noted:
        if not used:
            files.delete(digest)
    with transaction(connection, index_path):
        connection.execute('DELETE FROM unfinished')
        sentences = tuple(sentence for _, sentence, _ in noted)
        for sentence in dict.fromkeys(sentences if log else ()):
            begin_change(connection, 'gallery', sentence)
    return sentences
