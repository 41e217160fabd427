"""Several cameras of a booth see one item as one: their tracks, joined in metres."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from damage_perception.perception.booth.item import BoothItem
from damage_perception.perception.booth.settings import BoothSettings
from damage_perception.perception.booth.sighting import Sighting
from damage_perception.perception.decision.item_history import ItemHistory
from damage_perception.report import DamageReport, Health, ItemReport

_FAR = 1e3  # cost of a pair that cannot be one item
_FOLLOWED_S = 10.0  # an item that left one view may come into the next so much later
_GAP_S = 0.3  # between two looks at what stands still: later it may be another item
_TRACKS_A_START = 1_000_000  # more than a segmentation node follows before it starts anew
_REMEMBERED = 4000  # tracks of cameras whose late reports are told from new ones


class Booth:
    """Give each track of each camera its item.

    Tracks are joined by where they are at one time, never again parted, and only if no camera
    shows both at once. Reports are in the frame of the booth; pure, time is that of the reports.

    Args:
        cameras: their names.
        settings: how far apart is one item.

    Attributes:
        items: what is followed, by its id.
        belt_m_s: (3,) how things move here.
    """

    def __init__(self, cameras: Sequence[str], settings: BoothSettings) -> None:
        self.cameras, self.settings = tuple(cameras), settings
        self.items: dict[int, BoothItem] = {}
        self._sightings: dict[tuple[str, int], Sighting] = {}
        self._starts = dict.fromkeys(self.cameras, 0)
        self.belt_m_s = np.zeros(3)

    def take(self, camera: str, report: DamageReport) -> list[tuple[Sighting, ItemReport]]:
        """Note the items of a report; gives each with the track that it belongs to."""
        if report.health is not Health.UNKNOWN:
            for known in self.items.values():
                for sighting in known.of(camera):
                    sighting.history.missed += 1
        pairs = [(self._sighting(camera, item, report), item) for item in report.items]
        for sighting, item in pairs:
            sighting.locate(item, report.stamp_ns)
        self.belt_m_s = self._belt()
        return pairs

    def join(self, ids: Iterable[int], now_ns: int, decided: Collection[int], rough: bool) -> None:
        """Join items that are one, each with at most one other.

        Args:
            ids: items for which another is sought.
            now_ns: the time.
            decided: items that were decided; what is joined with one of them is decided.
            rough: also where only parts of an item were seen, which tell its middle badly; all
                items are weighed then, so that none takes what fits another better.
        """
        wanted = set(ids)
        rows = [
            item for i, item in self.items.items() if (rough or i in wanted) and self._lacks(item)
        ]
        columns = list(self.items.values())
        if not (rows and wanted):
            return
        cost = np.array([[self._cost(a, b, now_ns, rough) for b in columns] for a in rows])
        taken: dict[int, BoothItem] = {}
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if cost[row, column] < _FAR:
                taken[columns[column].item_id] = rows[row]
                if wanted & {rows[row].item_id, columns[column].item_id}:
                    self._merge(rows[row], columns[column], decided)
        for a, costs in zip(rows, cost, strict=True):
            b = columns[int(np.argmin(costs))]
            rival = taken.get(b.item_id, a)
            if (
                a.item_id in wanted
                and costs.min() < _FAR
                and (rival is a or self._can_be_one(a, rival))
            ):
                self._merge(a, b, decided)  # all three are one

    def item_of(self, camera: str, track_id: int) -> int:
        """Give the item that a track of a camera belongs to; 0 = none."""
        sighting = self._sightings.get((camera, track_id))
        return sighting.item_id if sighting else 0

    def absorb(self, item_id: int, into: int) -> None:
        """Let all that was seen of an item be of another, if that is followed."""
        gone = self.items.pop(item_id)
        for sighting in gone.sightings:
            sighting.item_id = into
        if into in self.items:
            self.items[into].sightings += gone.sightings

    def drop(self, item_id: int) -> None:
        """Follow no more what is no item; what was lost may come into view again as one."""
        for sighting in self.items.pop(item_id).sightings:
            if sighting.history.missed:
                del self._sightings[sighting.camera, sighting.track_id]

    def forget(self, now_ns: int, decided: Collection[int]) -> None:
        """Follow no more what was decided and last seen long before now."""
        self.items = {
            i: item for i, item in self.items.items()
            if i not in decided or now_ns - item.last_ns < _FOLLOWED_S * 1e9
        }  # fmt: skip

    def forget_after(self, stamp_ns: int) -> None:
        """Follow no more what was seen later, as before time went back."""
        self.items = {i: item for i, item in self.items.items() if item.last_ns <= stamp_ns}

    def restart(self, camera: str) -> None:
        """Take the tracks of a camera for new ones: it counts them from 1 again."""
        self._starts[camera] += any(name == camera for name, _ in self._sightings)

    def _sighting(self, camera: str, item: ItemReport, report: DamageReport) -> Sighting:
        track = item.track_id + self._starts[camera] * _TRACKS_A_START
        if (camera, track) not in self._sightings:
            # It follows from the track that the item began with, so a new process gives it again.
            item_id = (track - 1) * len(self.cameras) + self.cameras.index(camera) + 1
            history = ItemHistory(item, report.stamp_ns, report.frame_id)
            sighting = Sighting(camera, track, item_id, history, report.stamp_ns)
            self._sightings[camera, track] = sighting
            self.items[item_id] = BoothItem(item_id, [sighting])
            if len(self._sightings) > _REMEMBERED:
                del self._sightings[next(iter(self._sightings))]
        self._sightings[camera, track] = self._sightings.pop((camera, track))  # now the newest
        return self._sightings[camera, track]

    def _belt(self) -> NDArray[np.float64]:
        """How fast things move here, (3,) m/s: as most that were followed long enough."""
        known = [s.velocity_m_s for item in self.items.values() for s in item.sightings
                 if s.steps > 1]  # fmt: skip
        return np.median(known, axis=0) if known else self.belt_m_s

    def _lacks(self, item: BoothItem) -> bool:
        return len({sighting.camera for sighting in item.sightings}) < len(self.cameras)

    def _cost(self, a: BoothItem, b: BoothItem, now_ns: int, rough: bool) -> float:
        """Metres between two items at one time, or far."""
        first, second = a.located, b.located
        if a is b or not (rough or (first.whole and second.whole)) or not self._can_be_one(a, b):
            return _FAR
        gate = self.settings.gate_m
        gate += sum(0.5 * max(s.history.newest.size) for s in (first, second) if not s.whole)
        at, other = (each.expected(now_ns, self.belt_m_s) for each in (first, second))
        apart = float(np.linalg.norm(at - other))
        return apart if apart <= gate else _FAR

    def _can_be_one(self, a: BoothItem, b: BoothItem) -> bool:
        # What was open when an item was decided is judged by itself.
        if any(x.decided_ns and y.first_ns <= x.decided_ns for x, y in ((a, b), (b, a))):
            return False
        pairs = itertools.product(a.sightings, b.sightings)
        if any(x.camera == y.camera and self._are_two(x, y, a, b) for x, y in pairs):
            return False
        # What stands still at the same place a while later may be another item.
        gap_s = (max(a.first_ns, b.first_ns) - min(a.last_ns, b.last_ns)) * 1e-9
        moved = float(np.linalg.norm(self.belt_m_s)) * gap_s
        return gap_s <= _GAP_S or moved > self.settings.gate_m

    def _are_two(self, x: Sighting, y: Sighting, a: BoothItem, b: BoothItem) -> bool:
        """Two tracks of one camera are one item only if another saw it from one to the other."""
        early, late = sorted((x, y), key=lambda sighting: sighting.first_ns)
        if early.last_ns >= late.first_ns:
            return True
        others = [s for s in (*a.sightings, *b.sightings) if s.camera != x.camera]
        return not any(s.first_ns <= early.last_ns and s.last_ns >= late.first_ns for s in others)

    def _merge(self, a: BoothItem, b: BoothItem, decided: Collection[int]) -> None:
        if not (a.item_id in self.items and b.item_id in self.items and self._can_be_one(a, b)):
            return
        kept, gone = sorted((a, b), key=lambda item: (item.item_id not in decided, item.first_ns))
        self.absorb(gone.item_id, kept.item_id)
