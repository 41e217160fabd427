"""Say the same thing once a while, not at every frame."""

from __future__ import annotations

import time
from collections.abc import Callable


class Throttle:
    """Pass a text on if it is new or was last passed `period_s` ago.

    Args:
        say: where texts go.
        period_s: seconds for which the same text is kept back.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        say: Callable[[str], object],
        period_s: float = 10.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._say, self._period_s, self._clock = say, period_s, clock
        self._said: dict[str, float] = {}

    def __call__(self, text: str, kind: str = '') -> None:
        """Say it or keep it back; texts of one `kind`, which differ in numbers, are the same."""
        kind = kind or text
        now = self._clock()
        self._said = {k: at for k, at in self._said.items() if now - at < self._period_s}
        if kind not in self._said:
            self._said[kind] = now
            self._say(text)
