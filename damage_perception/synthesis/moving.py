"""A moving belt: several items pass under a fixed camera, one picture after another."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import CameraIntrinsics
from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.colour_sensor import ColourSensor, draw_colour_sensor
from damage_perception.synthesis.compose import seen_items, take_shot
from damage_perception.synthesis.damage import DAMAGE_NAMES, inflict, possible
from damage_perception.synthesis.lighting import Light
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.patch import Patch
from damage_perception.synthesis.products import Product
from damage_perception.synthesis.raymarch import cast
from damage_perception.synthesis.render import product_of
from damage_perception.synthesis.scene import Placement, SceneMap
from damage_perception.synthesis.sensor_kinds import DepthSensor, draw_sensor
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.support import lay_belt
from damage_perception.synthesis.viewpoint import View, look_at, seen_bounds

_GAP_M = (0.04, 0.2)


@dataclass(frozen=True, eq=False)
class Passenger:
    """One item on the belt; `start` is its place along the belt at time 0, metres."""

    product: Product
    patch: Patch
    item_id: str
    start: float
    across: float
    yaw: float

    @property
    def reach(self) -> float:
        """Half of its diagonal, metres."""
        return 0.5 * math.hypot(*self.product.size[:2])


@dataclass(frozen=True, eq=False)
class Shot:
    """One picture of the belt. `ids` and `marks` are (H, W) uint8: item 1.., damage 1.. or 0."""

    time_s: float
    rgb: NDArray[np.uint8]
    depth_m: NDArray[np.float32]
    ids: NDArray[np.uint8]
    marks: NDArray[np.uint8]
    items: tuple[Passenger, ...]
    offsets: tuple[int, ...]  # added to the damage numbers of each item in `marks`


@dataclass(eq=False)
class Belt:
    """A belt with a camera above it."""

    camera: CameraIntrinsics
    view: View
    items: list[Passenger]
    speed: float
    rate: float
    duration_s: float
    seed: int
    light: Light
    colour: ColourSensor
    sensor: DepthSensor
    mpp: float
    bounds: tuple[float, float, float, float] = field(default=(0.0, 0.0, 0.0, 0.0))

    def shots(self) -> Iterator[Shot]:
        """Render picture after picture; the same seed gives the same bytes."""
        for number in range(int(self.duration_s * self.rate)):
            yield self.shot(number)

    def shot(self, number: int) -> Shot:
        """Render picture `number`."""
        time_s = number / self.rate
        scene = SceneMap.empty(self.bounds, self.mpp)
        lay_belt(scene, stream(self.seed, 0xBE17), self.speed * time_s)
        left, right = self.bounds[0], self.bounds[2]
        seen, offsets = [], []
        for item in self.items:
            x = item.start + self.speed * time_s
            if left - item.reach < x < right + item.reach:
                place = Placement(x, item.across, item.yaw)
                seen.append(item)
                offsets.append(scene.stamp(item.patch, place, len(seen)))
        hits = cast(scene, self.view.pose, self.camera)
        rng = stream(self.seed, 0x5807, number)
        lasting = stream(self.seed, 0x1A57)
        rgb, depth = take_shot(
            scene, hits, self.view, self.light, self.colour, self.sensor, rng, lasting
        )
        ids, marks = seen_items(scene, hits)
        return Shot(time_s, rgb, depth, ids, marks, tuple(seen), tuple(offsets))


def make_belt(
    spec: SynthesisSpec,
    seed: int,
    items: int,
    speed: float = 0.4,
    rate: float = 10.0,
    camera: CameraIntrinsics | None = None,
    distance: float = 1.2,
) -> Belt:
    """Put `items` items on a belt of `speed` m/s under a camera of `rate` Hz."""
    spec = replace(spec, copies=1)  # each passenger is another product
    camera = camera or CameraIntrinsics(848, 480, 612.0, 612.0, 423.5, 239.5)
    rng = stream(seed, 0x30F1)
    tilt = math.radians(rng.uniform(0, 6))
    pose = look_at(np.zeros(3), distance, tilt, rng.uniform(0, 6.28), 0.0)
    view = View(pose, camera, camera, (0, 0), 1.0)
    bounds = seen_bounds(view, 0.3)
    mpp = float(np.clip(0.9 * distance / camera.fx, 0.0008, 0.003))
    sensor = draw_sensor(rng, camera.fx, spec.style, spec.sensors[0] if spec.sensors else 'stereo')
    belt = Belt(camera, view, [], speed, rate, 0.0, seed, Light.draw(rng), draw_colour_sensor(rng),
                sensor, mpp, bounds)  # fmt: skip
    place = bounds[0] - 0.05
    half = 0.5 * (bounds[3] - bounds[1])
    for index in range(items):
        product = product_of(spec, seed, index)[1]
        own = stream(seed, 0x17E5, index)
        patch = build_item(product, own, mpp, spec.oddities, roomy=True)
        fitting = [name for name in spec.damages if possible(DAMAGE_NAMES[name], product)]
        if fitting and own.random() < spec.damaged:
            kind = DAMAGE_NAMES[str(own.choice(fitting))]
            inflict(patch, product, kind, own, bool(own.random() < spec.major))
        reach = 0.5 * math.hypot(*product.size[:2])
        across = own.uniform(-1, 1) * max(0.0, half - reach - 0.08)
        place -= reach
        belt.items.append(Passenger(product, patch, f'{product.sku}-{index:07d}', place, across,
                                    float(own.uniform(0, 2 * math.pi))))  # fmt: skip
        place -= reach + own.uniform(*_GAP_M)
    belt.duration_s = (bounds[2] + 0.05 - place) / speed
    return belt
