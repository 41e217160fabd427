"""What one camera of a booth shows of one item."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from damage_perception.perception.decision.item_history import ItemHistory
from damage_perception.report import ItemReport, Status

_NOT_WHOLE = Status.TRUNCATED | Status.MERGED
_STEADY_S = 0.5  # over which the velocity is averaged: that of one step is mostly noise


@dataclass(eq=False)
class Sighting:
    """One track of one camera, told in the frame of the booth.

    Attributes:
        camera: its name.
        track_id: of that camera, never used again.
        item_id: the item that it belongs to.
        history: the looks of that camera.
        first_ns: stamp of the first of them.
        at_m: (3,) middle of the item, metres; NaN = no look told it.
        at_ns: when it was there.
        velocity_m_s: (3,) from look to look.
        steps: looks that this velocity comes from.
        turn: of the item's box; None = no look told it.
        size_m: its size.
        whole: whether these come from a look at the whole item.
    """

    camera: str
    track_id: int
    item_id: int
    history: ItemHistory
    first_ns: int
    at_m: NDArray[np.float64] = field(default_factory=lambda: np.full(3, np.nan))
    at_ns: int = 0
    velocity_m_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(3))
    steps: int = 0
    turn: Rotation | None = None
    size_m: tuple[float, float, float] = (math.nan,) * 3
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
            share = 1.0 - math.exp(-seconds / _STEADY_S) if self.steps else 1.0
            self.velocity_m_s = (1.0 - share) * self.velocity_m_s + share * (
                (at - self.at_m) / seconds
            )
            self.steps += 1
        self.at_m, self.at_ns, self.whole, self.size_m = at, stamp_ns, whole, item.size
        orientation = np.asarray(item.pose.orientation, np.float64)
        if np.isfinite(orientation).all() and orientation.any():
            self.turn = Rotation.from_quat(orientation)

    @property
    def face(self) -> NDArray[np.float64]:
        """Direction that the judged face looks in, (3,); NaN = no look told it."""
        return np.full(3, np.nan) if self.turn is None else self.turn.as_matrix()[:, 2]

    def expected(self, now_ns: int, belt_m_s: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the item is now, (3,) metres, if it moves on as it did, or else as the belt."""
        velocity = self.velocity_m_s if self.steps > 1 else belt_m_s
        return self.at_m + velocity * ((now_ns - self.at_ns) * 1e-9)
