"""One rendered belt seen by two cameras: as frames with truth, and as a recording of both.

Call: `python test/helpers/booth_belt.py OUT [--items N] [--seed S] [--rate HZ]`. It writes the
recording `OUT/belt` with topics below `/left` and `/right`, its truth, and `OUT/booth.yaml`, the
parameters of `divert_node` with the extrinsics of both.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from damage_perception.frame import CameraIntrinsics, RgbdFrame
from damage_perception.recording.types import CAMERA_INFO, IMAGE
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import header_dict
from damage_perception.synthesis.compose import seen_items, take_shot
from damage_perception.synthesis.moving import Belt, Passenger, make_belt
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.raymarch import cast
from damage_perception.synthesis.records import depth_to_millimetres
from damage_perception.synthesis.scene import Placement, SceneMap
from damage_perception.synthesis.sensor_kinds import DepthSensor, draw_sensor
from damage_perception.synthesis.sequence import _image, _info
from damage_perception.synthesis.spec import SynthesisSpec
from damage_perception.synthesis.support import lay_belt
from damage_perception.synthesis.viewpoint import View, look_at, seen_bounds

CAMERA = CameraIntrinsics(424, 240, 306.0, 306.0, 211.5, 119.5)
HEADINGS = {'left': math.pi / 2, 'right': -math.pi / 2}  # the belt runs along x
START_NS = 1_700_000_000_000_000_000
SKEW_NS = {'left': 0, 'right': 30_000_000}  # two cameras are never triggered together
SPEC = SynthesisSpec(
    families=('retail_carton',), damaged=0.5, oddities=0.0,
    damages=('crush',), major=1.0, sensors=('stereo',),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Seen:
    """One picture of one camera. `ids`, `marks` (H, W) uint8: item 1.., damage 1.. or 0."""

    frame: RgbdFrame
    ids: NDArray[np.uint8]
    marks: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Picture:
    """What all cameras see at a time; `offsets` is added to the damage numbers in `marks`."""

    time_s: float
    seen: dict[str, Seen]
    items: list[Passenger]
    offsets: list[int]


@dataclass(frozen=True, eq=False)
class BoothBelt:
    """A belt and the cameras that look at it from its two sides."""

    belt: Belt
    views: dict[str, View]
    sensors: dict[str, DepthSensor]

    def pictures(self) -> Iterator[Picture]:
        """Render picture after picture; the same seed gives the same bytes."""
        for number in range(int(self.belt.duration_s * self.belt.rate)):
            yield self.picture(number)

    def picture(self, number: int) -> Picture:
        """Render picture `number` of every camera, each at its own moment."""
        seen: dict[str, Seen] = {}
        for index, name in enumerate(self.views):
            time_s = number / self.belt.rate + SKEW_NS[name] * 1e-9
            scene, items, offsets = self._scene(time_s)
            seen[name] = self._see(scene, name, number, index, time_s)
        return Picture(number / self.belt.rate, seen, items, offsets)

    def numbers_near(self, item: Passenger, reach: float, looks: int) -> list[int]:
        """Give the pictures in which an item is within `reach` metres of the middle."""
        places = np.linspace(-reach, reach, looks)
        return [round((x - item.start) / self.belt.speed * self.belt.rate) for x in places]

    def _scene(self, time_s: float) -> tuple[SceneMap, list[Passenger], list[int]]:
        belt = self.belt
        scene = SceneMap.empty(belt.bounds, belt.mpp)
        lay_belt(scene, stream(belt.seed, 0xBE17), belt.speed * time_s)
        items: list[Passenger] = []
        offsets: list[int] = []
        for item in belt.items:
            x = item.start + belt.speed * time_s
            if belt.bounds[0] - item.reach < x < belt.bounds[2] + item.reach:
                items.append(item)
                place = Placement(x, item.across, item.yaw)
                offsets.append(scene.stamp(item.patch, place, len(items)))
        return scene, items, offsets

    def _see(self, scene: SceneMap, name: str, number: int, index: int, time_s: float) -> Seen:
        belt, view = self.belt, self.views[name]
        hits = cast(scene, view.pose, view.camera)
        rgb, depth = take_shot(
            scene, hits, view, belt.light, belt.colour, self.sensors[name],
            stream(belt.seed, 0x5807, number, index), stream(belt.seed, 0x1A57, index),
        )  # fmt: skip
        stamp = START_NS + round(time_s * 1e9)
        frame = RgbdFrame(rgb, depth, view.camera, stamp, f'{name}_optical_frame')
        return Seen(frame, *seen_items(scene, hits))

    def extrinsics(self) -> dict[str, list[float]]:
        """Give x, y, z, qx, qy, qz, qw of each camera's optical frame in the booth's."""
        return {
            name: [*view.pose.position.tolist(),
                   *Rotation.from_matrix(view.pose.rotation).as_quat().tolist()]
            for name, view in self.views.items()
        }  # fmt: skip


def make_booth(
    seed: int, items: int, spec: SynthesisSpec = SPEC, tilt_deg: float = 30.0, rate: float = 10.0,
    camera: CameraIntrinsics = CAMERA, distance: float = 0.75,
) -> BoothBelt:  # fmt: skip
    """Put items on a belt and a camera at each of its sides, tilted from straight down."""
    belt = make_belt(spec, seed, items, rate=rate, camera=camera, distance=distance)
    views = {
        name: View(look_at(np.zeros(3), distance, math.radians(tilt_deg), heading,
                           math.pi if heading > 0 else 0.0), camera, camera, (0, 0), 1.0)
        for name, heading in HEADINGS.items()
    }  # fmt: skip
    corners = np.array([seen_bounds(view, 0.3) for view in views.values()])
    low, high = corners[:, :2].min(axis=0), corners[:, 2:].max(axis=0)
    started = belt.bounds[0] - low[0]
    belt.bounds = tuple(map(float, (*low, *high)))  # type: ignore[assignment]
    belt.items = [
        Passenger(item.product, item.patch, item.item_id, item.start - started, item.across,
                  item.yaw) for item in belt.items
    ]  # fmt: skip
    belt.duration_s += 2 * started / belt.speed
    sensors = {
        name: draw_sensor(stream(seed, 0x5E45, index), camera.fx, spec.style, 'stereo')
        for index, name in enumerate(views)
    }
    return BoothBelt(belt, views, sensors)


def write_booth(booth: BoothBelt, folder: Path) -> None:
    """Write the recording of both cameras, what is true of the items, and the parameters."""
    with RecordingWriter(folder / 'belt') as writer:
        for picture in booth.pictures():
            for name, seen in picture.seen.items():
                head = header_dict(seen.frame.stamp_ns, seen.frame.frame_id)
                for topic, kind, fields in _messages(name, seen, head):
                    writer.write(topic, kind, fields, seen.frame.stamp_ns)
    items = [
        {'item_id': item.item_id, 'start_m': item.start, 'size_m': [*item.product.size],
         'damaged': bool(item.patch.damages)}
        for item in booth.belt.items
    ]  # fmt: skip
    truth = {'belt_speed_m_s': booth.belt.speed, 'items': items}
    (folder / 'belt.truth.json').write_text(json.dumps(truth, indent=1) + '\n')
    told = {'cameras': [*booth.views], 'extrinsics': booth.extrinsics()}
    parameters = {'/**': {'ros__parameters': {'booth': told}}}
    (folder / 'booth.yaml').write_text(yaml.safe_dump(parameters, sort_keys=False))


def _messages(
    name: str, seen: Seen, head: dict[str, Any]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    frame = seen.frame
    assert frame.camera is not None
    assert frame.depth_m is not None
    depth = depth_to_millimetres(frame.depth_m)
    yield f'/{name}/rgb/camera_info', CAMERA_INFO, _info(frame.camera, head)
    yield f'/{name}/depth_registered/image_rect', IMAGE, _image(depth, '16UC1', head)
    yield f'/{name}/rgb/image_rect_color', IMAGE, _image(frame.rgb, 'rgb8', head)


def main() -> None:
    """Write a recording."""
    parser = argparse.ArgumentParser(description='Render a belt that two cameras see.')
    parser.add_argument('out', type=Path)
    parser.add_argument('--items', type=int, default=6)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--rate', type=float, default=10.0, help='pictures a second')
    arguments = parser.parse_args()
    booth = make_booth(arguments.seed, arguments.items, rate=arguments.rate)
    write_booth(booth, arguments.out)


if __name__ == '__main__':
    main()
