"""One item of a booth: all that its cameras show of it, told as one history."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.booth.sighting import Sighting
from damage_perception.perception.decision.item_history import ItemHistory
from damage_perception.report import DamageInstance, ItemReport, Pose, Status

_SAME_FACE = math.cos(math.radians(30.0))  # faces of a box lie 90 degrees apart
_SAME_DAMAGE_M = 0.03  # apart, or the damage's own radius: two cameras see one damage


@dataclass(eq=False)
class BoothItem:
    """One item and all the tracks of it. `item_id` is never used again.

    `decided_ns` is when it was decided; None = not by this process.
    """

    item_id: int
    sightings: list[Sighting] = field(default_factory=list)
    decided_ns: int | None = None

    @property
    def first_ns(self) -> int:
        """Stamp of the first look of any camera."""
        return min(sighting.first_ns for sighting in self.sightings)

    @property
    def last_ns(self) -> int:
        """Stamp of the newest look of any camera."""
        return max(sighting.last_ns for sighting in self.sightings)

    def of(self, camera: str) -> list[Sighting]:
        """Give what a camera showed of it, oldest first."""
        own = [sighting for sighting in self.sightings if sighting.camera == camera]
        return sorted(own, key=lambda sighting: sighting.first_ns)

    @property
    def located(self) -> Sighting:
        """What tells best where it is: whole looks before parts, then the newest."""
        return max(self.sightings, key=lambda sighting: (sighting.whole, sighting.at_ns))

    def unproven(self, cameras: Sequence[str], silent: Mapping[str, str]) -> str:
        """Say what keeps the item from being sound: what no camera judged; empty = nothing."""
        reasons = (self._unproven_by(camera, silent.get(camera, '')) for camera in cameras)
        return ' and '.join(reason for reason in reasons if reason)

    def _unproven_by(self, camera: str, silence: str) -> str:
        own = self.of(camera)
        if silence and not (own and own[-1].history.missed):
            return silence
        if not own:
            return f'{camera} did not see it'
        if any(sighting.history.best for sighting in own) or self._judged_elsewhere(own[-1]):
            return ''
        return f'{camera}: {own[-1].history.why_unjudged()}'

    def _judged_elsewhere(self, sighting: Sighting) -> bool:
        """Tell whether another camera has judged the face that this one did not see clearly."""
        clear = [other.face for other in self.sightings if other.history.best]
        return any(face @ sighting.face >= _SAME_FACE for face in clear)

    def history(
        self, cameras: Sequence[str], silent: Mapping[str, str], belt_m_s: NDArray[np.float64]
    ) -> ItemHistory:
        """Give the looks of all cameras as those at one item.

        What the cameras say of it is not independent, since they look at the same damage: so the
        worst clear look decides and nothing adds up, nor do frames of the same time.
        """
        by_camera = {camera: own for camera in cameras if (own := self.of(camera))}
        newest = max(self.sightings, key=lambda sighting: sighting.last_ns).history
        best = self._worst(bool(self.unproven(cameras, silent)))
        return dataclasses.replace(
            newest,
            newest=self._placed(newest, belt_m_s),
            best=best,
            judged_by=min(s.history.judged_by for s in self.sightings),
            frames=max(sum(s.history.frames for s in own) for own in by_camera.values()),
            missed=min(own[-1].history.missed for own in by_camera.values()),
            certain=_certain([own[-1].history.certain for own in by_camera.values()], cameras),
        )

    def _placed(self, newest: ItemHistory, belt_m_s: NDArray[np.float64]) -> ItemReport:
        """Give the newest look with the pose and size of the whole item, also where it leaves."""
        located = self.located
        if located.turn is None or not np.isfinite(located.at_m).all():
            return newest.newest
        x, y, z = (float(value) for value in located.expected(newest.stamp_ns, belt_m_s))
        qx, qy, qz, qw = (float(value) for value in located.turn.as_quat())
        pose = Pose((x, y, z), (qx, qy, qz, qw))
        return dataclasses.replace(newest.newest, pose=pose, size=located.size_m)

    def _worst(self, partly: bool) -> ItemReport | None:
        """Give the worst of the clear looks, with the damages of all of them."""
        clear = [s.history.best for s in self.sightings if s.history.best is not None]
        if not clear:
            return None
        worst = max(clear, key=lambda look: look.confidence)
        named = max(clear, key=lambda look: look.sku_confidence)
        return dataclasses.replace(
            worst,
            sku=named.sku,
            sku_confidence=named.sku_confidence,
            status=worst.status | (Status.PARTLY_JUDGED if partly else Status(0)),
            damages=_distinct([damage for look in clear for damage in look.damages]),
        )


def _certain(counts: list[int], cameras: Sequence[str]) -> int:
    """Certain of damage is whom one camera is; certain of soundness only when all are."""
    if max(counts) > 0:
        return max(counts)
    return max(counts) if len(counts) == len(cameras) else 0


def _distinct(damages: list[DamageInstance]) -> tuple[DamageInstance, ...]:
    """Leave out what another camera shows more clearly, most confident first."""
    kept: list[DamageInstance] = []
    for damage in sorted(damages, key=lambda damage: -damage.confidence):
        if not any(_same(damage, other) for other in kept):
            kept.append(damage)
    return tuple(kept)


def _same(damage: DamageInstance, other: DamageInstance) -> bool:
    apart = math.dist(damage.centroid, other.centroid)
    return apart <= max(_SAME_DAMAGE_M, math.sqrt(max(damage.area, other.area) / math.pi))
