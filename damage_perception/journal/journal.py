"""The decisions that were made, with their evidence and what people found, in a SQLite file."""

from __future__ import annotations

import json
import math
import sqlite3
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from damage_perception.errors import UserError
from damage_perception.journal.schema import connect
from damage_perception.perception.decision.decision import REMEMBERED, JudgedDecision
from damage_perception.report import DamageInstance, DamageType

T = TypeVar('T')
_INSERT = """
INSERT OR IGNORE INTO decision (source, track_id, stamp_ns, frame_id, written_s, sku, decision,
    confidence, threshold, frames, reason, segmentation_score, anomaly_score, status, damages,
    versions) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass(frozen=True)
class Review:
    """What a person found on an item.

    Attributes:
        damaged: whether it is damaged.
        damage_type: UNKNOWN = not said, or sound.
        minor: whether it can still be sold or sent.
    """

    damaged: bool
    damage_type: DamageType = DamageType.UNKNOWN
    minor: bool = False


class Journal:
    """Writes decisions; opens its file when first needed and anew after a failure.

    Every method raises UserError, in a sentence, when the file cannot be used; the next call
    tries again.

    Args:
        path: the SQLite file; made if it is not there.
        max_rows: decisions kept; older ones go, with their reviews.
        versions: of the package and the policy, kept with each decision beside those of what
            judged it: weights, calibration, gallery.
    """

    def __init__(self, path: Path, max_rows: int, versions: Mapping[str, str]) -> None:
        self.path, self._max_rows = path, max_rows
        self._versions = dict(versions)
        self._connection: sqlite3.Connection | None = None

    def record(self, source: str, decision: JudgedDecision) -> bool:
        """Keep a decision; False if one on this item of this source is there already."""
        return self._do(lambda connection: self._insert(connection, source, decision))

    def decided(self, source: str) -> list[int]:
        """Give the newest tracks of a source that were decided on, oldest first."""
        query = 'SELECT track_id FROM decision WHERE source = ? ORDER BY id DESC LIMIT ?'
        rows = self._do(lambda c: c.execute(query, (source, REMEMBERED)).fetchall())
        return [row['track_id'] for row in reversed(rows)]

    def review(self, track_id: int, stamp_ns: int, review: Review) -> bool:
        """Keep what a person found; a later review of an item replaces the one before.

        Returns:
            False if there is no decision on this track with this stamp.
        """
        return self._do(lambda connection: _insert_review(connection, track_id, stamp_ns, review))

    def close(self) -> None:
        """Close the file; it is opened again when needed."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _insert(
        self, connection: sqlite3.Connection, source: str, decision: JudgedDecision
    ) -> bool:
        cursor = connection.execute(_INSERT, _row(source, decision, self._versions))
        if cursor.rowcount and cursor.lastrowid:
            oldest = cursor.lastrowid - self._max_rows
            connection.execute('DELETE FROM decision WHERE id <= ?', (oldest,))
        return bool(cursor.rowcount)

    def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Run one transaction."""
        try:
            if self._connection is None:
                self._connection = connect(self.path)
            with self._connection:
                return work(self._connection)
        except (sqlite3.Error, OSError) as error:
            self.close()
            raise UserError(
                f'the journal {self.path} cannot be used ({error}); make room on its disk '
                'or give another file'
            ) from error


def _row(source: str, decision: JudgedDecision, versions: Mapping[str, str]) -> tuple[object, ...]:
    evidence = decision.evidence
    damages = [_damage(damage) for damage in evidence.damages] if evidence else []
    return (
        source,
        decision.track_id,
        decision.stamp_ns,
        decision.frame_id,
        time.time(),
        decision.sku,
        decision.decision.name,
        _number(decision.confidence),
        decision.threshold,
        decision.frames,
        decision.reason,
        _number(evidence.segmentation_score) if evidence else None,
        _number(evidence.anomaly_score) if evidence else None,
        int(evidence.status) if evidence else 0,
        json.dumps(damages),
        json.dumps({**versions, **decision.versions._asdict()}, sort_keys=True),
    )


def _insert_review(
    connection: sqlite3.Connection, track_id: int, stamp_ns: int, review: Review
) -> bool:
    found = 'damaged' if review.damaged else 'sound'
    kind = review.damage_type.name.lower()
    query = """
    INSERT OR REPLACE INTO review (decision_id, found, damage_type, minor, written_s)
    SELECT id, ?, ?, ?, ? FROM decision WHERE track_id = ? AND stamp_ns = ?
    ORDER BY id DESC LIMIT 1
    """
    values = (found, kind, review.minor, time.time(), track_id, stamp_ns)
    return bool(connection.execute(query, values).rowcount)


def _damage(damage: DamageInstance) -> dict[str, object]:
    return {
        'type': damage.damage_type.name.lower(),
        'severity': damage.severity.name.lower(),
        'confidence': _number(damage.confidence),
        'area_m2': _number(damage.area),
        'depth_m': _number(damage.depth),
    }


def _number(value: float) -> float | None:
    """SQLite and JSON know no NaN."""
    return float(f'{value:.7g}') if math.isfinite(value) else None
