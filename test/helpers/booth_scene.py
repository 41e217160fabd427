"""A booth of cameras that report things on a belt, each in its own frame with its own ids."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.spatial.transform import Rotation

from damage_perception.perception.booth.decision import BoothDecisionMaker
from damage_perception.perception.booth.extrinsics import Extrinsics
from damage_perception.perception.booth.settings import BoothSettings
from damage_perception.perception.decision.decision import DecisionSettings, JudgedDecision
from damage_perception.report import (
    DamageInstance,
    DamageReport,
    DamageType,
    Health,
    ItemReport,
    Pose,
    Roi,
    Severity,
    Status,
)

S = 1_000_000_000
SPEED = np.array([0.4, 0.0, 0.0])
NONE = np.empty((0, 0))
UP = Rotation.identity()
# Two cameras that look down from both sides of the belt: x of the booth along it, z up.
LEFT = (0.0, 0.5, 1.0, *Rotation.from_euler('x', 180 - 27, degrees=True).as_quat())
RIGHT = (0.1, -0.5, 1.1, *Rotation.from_euler('zx', [180, 180 - 27], degrees=True).as_quat())
BOTH = {'left': Extrinsics.of(LEFT), 'right': Extrinsics.of(RIGHT)}


@dataclass
class Thing:
    """An item on the belt; `looks` are P(damaged) and status by camera, None = not shown."""

    at_m: Sequence[float] = (0.0, 0.0, 0.05)
    looks: dict[str, tuple[float, Status] | None] = field(default_factory=dict)
    face: Rotation = UP
    sku: str = ''
    size_m: tuple[float, float, float] = (0.3, 0.2, 0.1)


@dataclass
class Scene:
    """Cameras that report things on a moving belt, each in its own frame with its own ids."""

    cameras: dict[str, Extrinsics] = field(default_factory=lambda: dict(BOTH))
    settings: DecisionSettings = field(default_factory=DecisionSettings)
    speed: np.ndarray = field(default_factory=lambda: SPEED)
    first_id: dict[str, int] = field(default_factory=dict)
    decisions: list[JudgedDecision] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.maker = BoothDecisionMaker(self.cameras, BoothSettings(), self.settings)

    def report(
        self, camera: str, seconds: float, things: Sequence[Thing],
        health: Health = Health.OK, off_m: Sequence[float] = (0.0, 0.0, 0.0),
    ) -> DamageReport:  # fmt: skip
        """Give what a camera sees at a time."""
        first = self.first_id.get(camera, 1)
        items = []
        for number, thing in enumerate(things):
            look = thing.looks.get(camera, (0.1, Status(0)))
            if look is not None:
                at = np.asarray(thing.at_m) + self.speed * seconds + off_m
                items.append(self._item(camera, first + number, at, thing, look))
        stamp = round(seconds * S)
        return DamageReport(stamp, 'optical', 0, 0, health, '', tuple(items))

    def _item(
        self, camera: str, track: int, at: np.ndarray, thing: Thing, look: tuple[float, Status]
    ) -> ItemReport:
        confidence, status = look
        stands = self.cameras[camera]
        local = stands.turn.inv().apply(at - stands.position_m)
        turn = (stands.turn.inv() * thing.face).as_quat()
        pose = Pose(tuple(map(float, local)), tuple(map(float, turn)))  # type: ignore[arg-type]
        dent = DamageInstance(
            DamageType.CRUSH, Severity.MAJOR, confidence, Roi(0, 0, 1, 1), pose.position, 0.002,
            0.02, 1, NONE,
        )  # fmt: skip
        return ItemReport(
            track, thing.sku, 0.5, pose, thing.size_m, Roi(0, 0, 1, 1), confidence, confidence,
            math.nan, status, 1, (dent,) if confidence >= 0.5 else (), NONE, NONE,
        )  # fmt: skip

    def tell(self, camera: str, seconds: float, things: Sequence[Thing], **how: object) -> None:
        """Report and note the decisions."""
        report = self.report(camera, seconds, things, **how)  # type: ignore[arg-type]
        self.decisions += self.maker.update(report, camera)

    def pass_by(self, things: Sequence[Thing], start: float = 0.0) -> list[JudgedDecision]:
        """Show things for a second to all cameras, one after the other, then an empty belt."""
        for step in range(25):
            for index, camera in enumerate(self.cameras):
                shown = things if step < 10 else []
                self.tell(camera, start + 0.1 * step + 0.03 * index, shown)
        return self.decisions
