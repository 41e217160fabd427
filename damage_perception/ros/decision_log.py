"""The journal as a node uses it: what fails is said once a while and ends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from damage_perception.errors import UserError
from damage_perception.journal.journal import Journal, Review
from damage_perception.perception.decision.decision import JudgedDecision
from damage_perception.report import DamageType
from damage_perception.ros.image_conversion import stamp_ns
from damage_perception.ros.node_settings import JournalSettings
from damage_perception.ros.throttle import Throttle


class DecisionLog:
    """Keeps decisions and reviews where a file is named, and nothing where none is."""

    def __init__(
        self, settings: JournalSettings, versions: Mapping[str, str], warn: Throttle
    ) -> None:
        path = Path(settings.file).expanduser()
        self._journal = Journal(path, settings.max_rows, versions) if settings.file else None
        self._warn = warn

    def keep(self, source: str, decision: JudgedDecision) -> bool:
        """Keep a decision; False if the item was decided before and must not be again."""
        try:
            return self._journal is None or self._journal.record(source, decision)
        except UserError as error:
            self._say(error)
            return True

    def decided(self, source: str) -> list[int]:
        """Give the tracks of a source that were decided before this node was started."""
        try:
            return self._journal.decided(source) if self._journal else []
        except UserError as error:
            self._say(error)
            return []

    def review(self, request: Any, response: Any) -> Any:
        """Serve `ReviewItem`."""
        response.message = self._review(request)
        response.success = not response.message
        return response

    def close(self) -> None:
        """Close the file."""
        if self._journal:
            self._journal.close()

    def _review(self, request: Any) -> str:
        """Keep a review; gives why not, or nothing."""
        if self._journal is None:
            return 'no journal is kept; name a file with journal.file'
        if request.found not in (request.SOUND, request.DAMAGED):
            return f'found must be SOUND (1) or DAMAGED (2), got {request.found}'
        if request.damage_type not in set(DamageType):
            return f'damage_type must be one of DamageInstance, got {request.damage_type}'
        review = Review(
            request.found == request.DAMAGED, DamageType(request.damage_type), request.minor
        )
        try:
            if self._journal.review(request.track_id, stamp_ns(request), review):
                return ''
        except UserError as error:
            return str(error)
        return f'there is no decision on track {request.track_id} with that stamp'

    def _say(self, error: UserError) -> None:
        self._warn(str(error), kind='journal')
