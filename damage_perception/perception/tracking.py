"""Items followed from frame to frame, in metres on the support."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from damage_perception.setting import check_ranges, setting

_SHADE = 25.0  # grey levels by which the mean colour of an item may change with the light
_SHADE_OF_PARTS = 80.0  # and by which a wall may differ from a face
_PATIENCE = 4.0  # times as long an item is remembered while no frame comes at all
_FAR = 1e3  # cost of a pair that cannot be one item
_CARRIED_M_S = 0.05  # what moves faster, and where it was expected, is carried by a belt
_STRAY_M, _STRAY = 0.015, 0.25  # off from there at most, and that share of the way
_VARIES = 2.0  # times by which the length of an item that is wholly seen varies at most
_GROWN = 3.0  # times as long as a track is no view of it, but for one that comes in or goes out
_COMES_M = 0.5  # more at most, what comes in shows from one look to the next
_BELT_S = 10.0  # seconds for which a belt is taken to run on


@dataclass(frozen=True)
class TrackingSettings:
    """How items are followed."""

    gate_m: float = setting(
        0.12, 'Metres that an item may be off from where it was expected.', low=0.005, high=2.0
    )
    max_speed_m_s: float = setting(
        2.0, 'Fastest belt, metres per second; bounds the search for new items.', low=0.0, high=10.0
    )
    forget_after_s: float = setting(
        1.0, 'Seconds unseen after which an item is not followed any more.', low=0.05, high=60.0
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True, eq=False)
class Observation:
    """What is compared from frame to frame.

    Attributes:
        position_m: (3,) centre of the item's face in the camera's frame.
        size_m: (3,) length, width, height.
        colour: (3,) mean colour, 0..255.
        whole: whether all of the item was seen, so that its size can be trusted.
        axes: (3, 2) directions of length and width; None = unknown.
    """

    position_m: NDArray[np.float64]
    size_m: NDArray[np.float64]
    colour: NDArray[np.float64]
    whole: bool = True
    axes: NDArray[np.float64] | None = None

    def holds(self, off_m: NDArray[np.float64]) -> bool:
        """Tell whether what is so far off (3,) its middle lies over it."""
        along = np.full(2, np.linalg.norm(off_m)) if self.axes is None else off_m @ self.axes
        half = 0.5 * (np.full(2, self.size_m[:2].max()) if self.axes is None else self.size_m[:2])
        return bool((np.abs(along) <= half).all())


@dataclass(eq=False)
class Track:
    """One item over time. `track_id` is never used again."""

    track_id: int
    last: Observation
    stamp_ns: int
    velocity_m_s: NDArray[np.float64]
    frames: int = 1
    missed: int = 0  # frames since it was seen
    carried: bool = False  # it moves with a belt
    length_m: float = 0.0  # when it was last wholly seen
    begun: tuple[NDArray[np.float64], int] | None = None  # where and when it was first whole

    def expected(self, stamp_ns: int) -> NDArray[np.float64]:
        """Where the item should be now, (3,) metres."""
        return self.last.position_m + self.velocity_m_s * ((stamp_ns - self.stamp_ns) * 1e-9)


class Tracker:
    """Give each item of a frame its track: the nearest that looks alike."""

    def __init__(self, settings: TrackingSettings | None = None) -> None:
        self.settings = settings or TrackingSettings()
        self._tracks: list[Track] = []
        self._next_id = 1
        self._belt_m_s: NDArray[np.float64] | None = None
        self._belt_ns = 0

    @property
    def tracks(self) -> tuple[Track, ...]:
        """The items that are followed now."""
        return tuple(self._tracks)

    def update(self, observations: list[Observation], stamp_ns: int) -> list[Track]:
        """Assign observations of one frame; gives their tracks in the same order."""
        self._tracks = [t for t in self._tracks if not self._gone(t, stamp_ns)]
        for track in self._tracks:
            track.missed += 1
        cost = np.full((len(observations), len(self._tracks)), _FAR)
        for row, observation in enumerate(observations):
            for column, track in enumerate(self._tracks):
                cost[row, column] = self._cost(observation, track, stamp_ns)
        assigned: dict[int, Track] = {}
        for row, column in zip(*linear_sum_assignment(cost), strict=True):
            if cost[row, column] < _FAR:
                assigned[row] = self._tracks[column]
                self._follow(self._tracks[column], observations[row], stamp_ns)
        self._measure_belt(stamp_ns)
        for row, observation in enumerate(observations):
            if row not in assigned:
                assigned[row] = self._begin(observation, stamp_ns)
        return [assigned[row] for row in range(len(observations))]

    def reset(self) -> None:
        """Forget all tracks; their ids stay used."""
        self._tracks = []
        self._belt_m_s = None

    def _gone(self, track: Track, stamp_ns: int) -> bool:
        """Tell whether to give an item up: unseen for long, and not only for want of frames."""
        seconds = (stamp_ns - track.stamp_ns) * 1e-9
        limit = self.settings.forget_after_s * (1.0 if track.missed else _PATIENCE)
        return seconds > limit

    def _cost(self, seen: Observation, track: Track, stamp_ns: int) -> float:
        whole = seen.whole and track.last.whole
        if not (_can_be(seen, track) if track.carried else _alike(seen, track.last)):
            return _FAR
        seconds = (stamp_ns - track.stamp_ns) * 1e-9
        apart = seen.position_m - track.expected(stamp_ns)
        off = float(np.linalg.norm(apart))
        gate = self.settings.gate_m
        # The middle of a part is off that of the item, but lies over it.
        if track.carried and not whole and (track.last.holds(apart) or seen.holds(apart)):
            return off
        # A new item may move at any speed a belt has, but one that is still coming in shows more
        # of itself in each frame, so its middle moves slower.
        if track.frames == 1 and whole and not track.carried:
            gate += self.settings.max_speed_m_s * min(seconds, 0.1)
        return off if off <= gate else _FAR

    def _follow(self, track: Track, seen: Observation, stamp_ns: int) -> None:
        moved = seen.position_m - track.last.position_m
        off = float(np.linalg.norm(seen.position_m - track.expected(stamp_ns)))
        seconds = (stamp_ns - track.stamp_ns) * 1e-9
        whole = seen.whole and track.last.whole
        if seconds > 0 and (whole or not track.carried):
            velocity = moved / seconds
            if track.carried:  # a belt runs straight, what is seen of an item may vary
                along = track.velocity_m_s / np.linalg.norm(track.velocity_m_s)
                velocity = along * (velocity @ along)
            known = track.carried or track.frames > 1
            track.velocity_m_s = 0.5 * (track.velocity_m_s + velocity) if known else velocity
            steady = off <= _STRAY_M + _STRAY * float(np.linalg.norm(moved))
            steady |= self._runs_with_belt(velocity) or self._ran_with_belt(track, seen, stamp_ns)
            fast = float(np.linalg.norm(track.velocity_m_s)) > _CARRIED_M_S
            track.carried = whole and known and steady and fast
        track.frames, track.missed = track.frames + 1, 0
        track.last, track.stamp_ns = seen, stamp_ns
        track.length_m = float(seen.size_m[:2].max()) if seen.whole else track.length_m
        if seen.whole and track.begun is None:
            track.begun = seen.position_m, stamp_ns

    def _runs_with_belt(self, velocity: NDArray[np.float64]) -> bool:
        belt = self._belt_m_s
        if belt is None:
            return False
        return bool(np.linalg.norm(velocity - belt) < 0.5 * np.linalg.norm(belt))

    def _ran_with_belt(self, track: Track, seen: Observation, stamp_ns: int) -> bool:
        """Tell whether an item ran with the belt since it was first whole.

        Where pictures are frequent the middle of its face strays more than it moves.
        """
        if track.begun is None or stamp_ns <= track.begun[1]:
            return False
        place, since_ns = track.begun
        return self._runs_with_belt((seen.position_m - place) / ((stamp_ns - since_ns) * 1e-9))

    def _measure_belt(self, stamp_ns: int) -> None:
        """Things on one belt move alike, so a new one is expected to move like the others."""
        moving = [
            track.velocity_m_s
            for track in self._tracks
            if track.carried and not track.missed and track.last.whole
        ]
        if moving:
            self._belt_m_s, self._belt_ns = np.median(moving, axis=0), stamp_ns
        elif (stamp_ns - self._belt_ns) * 1e-9 > _BELT_S:
            self._belt_m_s = None

    def _begin(self, seen: Observation, stamp_ns: int) -> Track:
        belt = self._belt_m_s
        velocity = np.zeros(3) if belt is None else belt
        track = Track(self._next_id, seen, stamp_ns, velocity)
        track.carried = bool(np.linalg.norm(velocity) > _CARRIED_M_S)
        track.length_m = float(seen.size_m[:2].max()) if seen.whole else 0.0
        track.begun = (seen.position_m, stamp_ns) if seen.whole else None
        self._next_id += 1
        self._tracks.append(track)
        return track


def _can_be(seen: Observation, track: Track) -> bool:
    """Tell whether what is seen may be an item that a belt carries: where it lies no other can.

    But an arm may come before the lens, and the scene may be another one altogether.
    """
    whole = seen.whole and track.last.whole
    if whole and float(np.abs(seen.colour - track.last.colour).max()) > _SHADE_OF_PARTS:
        return False
    now, before = (float(each.size_m[:2].max()) for each in (seen, track.last))
    known = track.length_m
    if seen.whole and known and max(now, known) > _VARIES * min(now, known):
        return False
    comes = now <= _GROWN * before + (_COMES_M if track.frames <= 2 else 0.0)
    leaves = not seen.whole and known > 0.0  # an arm that was never whole becomes no part
    return comes and (before <= _GROWN * now or leaves)


def _alike(a: Observation, b: Observation) -> bool:
    """Tell whether two observations can be one item: same size and colour within their noise.

    An item at the border shows a wall first and its face later, so there only colour tells, and
    not much of it.
    """
    shade = float(np.abs(a.colour - b.colour).max())
    if not (a.whole and b.whole):
        return shade <= _SHADE_OF_PARTS
    close = np.abs(a.size_m - b.size_m) <= 0.025 + 0.08 * np.maximum(a.size_m, b.size_m)
    return bool(close.all() and shade <= _SHADE)
