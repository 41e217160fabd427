"""What one camera of a booth shows of one item, and all its cameras together."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from damage_perception.perception.item_history import ItemHistory
from damage_perception.report import DamageInstance, ItemReport, Status

_NOT_WHOLE = Status.TRUNCATED | Status.MERGED
_SAME_FACE = math.cos(math.radians(30.0))  # faces of a box lie 90 degrees apart
_SAME_DAMAGE_M = 0.03  # apart, or the damage's own radius: two cameras see one damage


@dataclass(eq=False)
class Sighting:
    """One track of one camera, told in the frame of the booth.

    Attributes:
        camera: its name.
        item_id: the item that it belongs to.
        history: the looks of that camera.
        first_ns: stamp of the first of them.
        at_m: (3,) middle of the item, metres; NaN = no look told it.
        at_ns: when it was there.
        velocity_m_s: (3,) from look to look.
        steps: looks that this velocity comes from.
        face: (3,) direction that the judged face looks in; NaN = no look told it.
        whole: whether these come from a look at the whole item.
    """

    camera: str
    item_id: int
    history: ItemHistory
    first_ns: int
    at_m: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.nan))
    at_ns: int = 0
    velocity_m_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    steps: int = 0
    face: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.nan))
    whole: bool = False

    @property
    def last_ns(self) -> int:
        """Stamp of the newest look."""
        return self.history.stamp_ns

    def locate(self, item: ItemReport, stamp_ns: int) -> None:
        """Note where the item is; a part of it tells that worse than the whole did before."""
        at = np.asarray(item.pose.position, np.float64)
        whole = not item.status & _NOT_WHOLE
        if not np.isfinite(at).all() or (self.whole and not whole):
            return
        seconds = (stamp_ns - self.at_ns) * 1e-9
        if np.isfinite(self.at_m).all() and whole == self.whole and seconds > 0.0:
            velocity = (at - self.at_m) / seconds
            self.velocity_m_s = 0.5 * (self.velocity_m_s + velocity) if self.steps else velocity
            self.steps += 1
        self.at_m, self.at_ns, self.whole = at, stamp_ns, whole
        orientation = np.asarray(item.pose.orientation, np.float64)
        if np.isfinite(orientation).all() and orientation.any():
            self.face = Rotation.from_quat(orientation).as_matrix()[:, 2]

    def expected(self, now_ns: int, belt_m_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the item is now, (3,) metres, if it moves on as it did, or else as the belt."""
        velocity = self.velocity_m_s if self.steps > 1 else belt_m_s
        return self.at_m + velocity * ((now_ns - self.at_ns) * 1e-9)


@dataclass(eq=False)
class BoothItem:
    """One item and all the tracks of it. `item_id` is never used again."""

    item_id: int
    sightings: list[Sighting] = field(default_factory=list)

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

    def history(self, cameras: Sequence[str], silent: Mapping[str, str]) -> ItemHistory:
        """Give the looks of all cameras as those at one item.

        What the cameras say of it is not independent, since they look at the same damage: so the
        worst clear look decides and nothing adds up, nor do frames of the same time.
        """
        by_camera = {camera: own for camera in cameras if (own := self.of(camera))}
        newest = max(self.sightings, key=lambda sighting: sighting.last_ns).history
        best = self._worst(bool(self.unproven(cameras, silent)))
        return dataclasses.replace(
            newest,
            best=best,
            frames=max(sum(s.history.frames for s in own) for own in by_camera.values()),
            missed=min(own[-1].history.missed for own in by_camera.values()),
            certain=_certain([own[-1].history.certain for own in by_camera.values()], cameras),
        )

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
