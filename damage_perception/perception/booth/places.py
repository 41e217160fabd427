"""Which items of a booth are parts or scraps of others, as each camera sees where they lie."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from damage_perception.perception.booth.booth import Booth
from damage_perception.perception.booth.sighting import Sighting
from damage_perception.perception.decision.belt_places import BeltPlaces
from damage_perception.report import ItemReport


class BoothPlaces:
    """The `BeltPlaces` of all cameras, asked by items of the booth.

    What a camera takes for a part is one by its own looks, since those of another are of other
    moments and other walls; an item is no item of its own when no camera takes it for one.
    """

    def __init__(self, booth: Booth) -> None:
        self._booth = booth
        self._of = {camera: BeltPlaces() for camera in booth.cameras}
        self._newest_ns = dict.fromkeys(booth.cameras, 0)

    def see(
        self, camera: str, pairs: Iterable[tuple[Sighting, ItemReport]], stamp_ns: int
    ) -> set[int]:
        """Take the next report of a camera; give the items that are what is left of decided ones.

        Args:
            camera: who saw it.
            pairs: each look, in the frame of the booth, with the track that it belongs to.
            stamp_ns: of the report.
        """
        places = self._of[camera]
        self._newest_ns[camera] = stamp_ns
        # Ids of a camera that was started anew are used again, those of its sightings are not.
        looks = [(s, dataclasses.replace(item, track_id=s.track_id)) for s, item in pairs]
        places.see((item for _, item in looks), stamp_ns)
        return {
            sighting.item_id for sighting, item in looks
            if sighting.first_ns == stamp_ns and places.is_left_of_decided(item, stamp_ns)
        }  # fmt: skip

    def decide(self, item_id: int) -> None:
        """Take note that an item was decided."""
        for sighting in self._sightings(item_id):
            self._of[sighting.camera].decide(sighting.track_id)

    def rule_out(self, item_id: int) -> None:
        """Take note that something is no item of its own."""
        for sighting in self._sightings(item_id):
            self._of[sighting.camera].rule_out(sighting.track_id)

    def clear(self) -> None:
        """Forget all, as when time jumps."""
        for places in self._of.values():
            places.clear()

    def forget(self, camera: str) -> None:
        """Forget what a camera saw, as when its time jumps."""
        self._of[camera].clear()

    def is_no_item(self, item_id: int, now_ns: int) -> bool:
        """Tell whether all that was seen of it are parts or scraps of other items."""
        seen = self._sightings(item_id)
        return bool(seen) and all(
            self._of[s.camera].is_no_item(s.track_id, self._newest_ns[s.camera]) for s in seen
        )

    def may_be_passing(self, item_id: int, now_ns: int) -> bool:
        """Tell whether it may be none of the things that any camera follows."""
        seen = self._sightings(item_id)
        return bool(seen) and all(
            self._of[s.camera].may_be_passing(s.track_id, self._newest_ns[s.camera]) for s in seen
        )

    def goes_on_as(self, item_id: int, now_ns: int) -> int:
        """Give the item that it is seen as now, or was decided as; 0 = none."""
        for sighting in self._sightings(item_id):
            camera = sighting.camera
            track = self._of[camera].goes_on_as(sighting.track_id, self._newest_ns[camera])
            other = self._booth.item_of(camera, track) if track else 0
            if other and other != item_id:
                return other
        return 0

    def lies_on_another(self, item_id: int, now_ns: int) -> bool:
        """Tell whether a camera sees that it kept a larger item from being judged."""
        return any(
            self._of[s.camera].lies_on_another(s.track_id, self._newest_ns[s.camera])
            for s in self._sightings(item_id)
        )

    def _sightings(self, item_id: int) -> list[Sighting]:
        item = self._booth.items.get(item_id)
        return item.sightings if item else []
