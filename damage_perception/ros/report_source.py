"""Which segmentation node the reports come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable


class ReportSource:
    """Tell a segmentation node that was started anew, which counts its tracks from 1 again.

    DDS gives each publisher an id of its own, the same for all who listen, so that a node that
    is itself started anew knows whom it heard before.

    Args:
        publishers: gives the ids of those that publish reports now.
    """

    def __init__(self, publishers: Callable[[], Iterable[str]]) -> None:
        self._publishers = publishers
        self._known: set[str] = set()

    def newcomer(self) -> str:
        """Give the id of who publishes since the last call; empty = nobody new."""
        new = set(self._publishers()) - self._known
        self._known |= new
        return ' '.join(sorted(new))
