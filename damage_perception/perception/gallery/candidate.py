"""An item in view that is to become a reference: wait for a clean look at it."""

from __future__ import annotations

from collections.abc import Callable

from damage_perception.perception.decision.item_history import IN_THE_WAY
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageReport, Health, ItemReport

ENOUGH_FRAMES = 4.0  # independent frames after which waiting for more is not worth it
_MOST_LOOKS = 30  # of an item that stands, which tell no more than two independent ones


class Candidate:
    """Watch an item until it was seen well enough; the best look so far is kept.

    Attributes:
        track_id: the item; 0 = the first that is said to be `sku`.
        sku: the product; empty = what the item is said to be.
        view: the best clean view so far, fused over its frames.
        item: how the item was reported with that view.
        threshold: P(damaged) from which it then counted as damaged; 0 = not said.
        done: whether waiting longer would change nothing.
    """

    def __init__(self, track_id: int, sku: str) -> None:
        self.track_id, self.sku = track_id, sku
        self.view: ItemView | None = None
        self.item: ItemReport | None = None
        self.threshold = 0.0
        self.done = False
        self._looks = 0
        self._why_not = (
            f'track {track_id} did not come into view'
            if track_id
            else f'no item that is said to be {sku} came into view'
        )

    @property
    def why_not(self) -> str:
        """Why there is no view, in a sentence; empty = there is one."""
        return '' if self.view is not None else self._why_not

    def offer(self, report: DamageReport, view_of: Callable[[int], ItemView | None]) -> None:
        """Take a look at the next frame.

        Args:
            report: that of the frame.
            view_of: gives the fused view of a track.
        """
        if self.done or report.health is Health.UNKNOWN:
            return
        item = self._find(report)
        if item is None:
            self.done |= self.view is not None
            return
        if not self._is_clean(item):
            self.done |= self.view is not None  # it leaves: it was seen at its best
            return
        view = view_of(item.track_id)
        if view is None:
            return
        self.track_id, self.sku = item.track_id, self.sku or item.sku
        self.view, self.item, self.threshold = view, item, report.threshold
        self._looks += 1
        self.done = view.frames >= ENOUGH_FRAMES or self._looks >= _MOST_LOOKS

    def _find(self, report: DamageReport) -> ItemReport | None:
        if self.track_id:
            found = [item for item in report.items if item.track_id == self.track_id]
            if not found and self.view is None:
                self._give_up(f'track {self.track_id} is not in view')
        else:
            found = [item for item in report.items if item.sku == self.sku]
            clean = [item for item in found if not _in_the_way(item)]
            if len(clean) > 1:
                self._why_not = (
                    f'{len(clean)} items in view are said to be {self.sku}; '
                    'show one alone or name its track'
                )
                return None
            found = clean or found
        return found[0] if found else None

    def _is_clean(self, item: ItemReport) -> bool:
        """Tell whether all of the item and nothing else is seen, and whose product it is."""
        if not (self.sku or item.sku):
            self._give_up(f'nobody says what track {item.track_id} is; name its sku')
            return False
        reasons = _in_the_way(item)
        if reasons:
            self._why_not = f'track {item.track_id} had no clean view: {" and ".join(reasons)}'
        return not reasons

    def _give_up(self, why_not: str) -> None:
        self._why_not, self.done = why_not, True


def _in_the_way(item: ItemReport) -> list[str]:
    return [text for flag, text in IN_THE_WAY.items() if item.status & flag]
