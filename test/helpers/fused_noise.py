"""How far the noise of fused height falls, moving and still, against what it can fall to.

    python test/helpers/fused_noise.py [--items 4] [--seed 2]

Rendered cartons before a stereo camera of its own each (640x360, 1 m away), 20 pictures of each on
a belt and 20 at rest. In the engine all waviness and half of the noise's variance stay at their
pixel. Noise is how far the fused height of the face is off that of a picture without noise, the
plane between them aside, since faces are fitted apart. It can fall to one over the square root of
the independent pictures: of n that moved n, of n at rest 2 n / (n + 1).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace

import cv2
import numpy as np

from damage_perception.frame import CameraIntrinsics, MeasuredFrame
from damage_perception.perception.projection import height_image
from damage_perception.perception.sensor.noise import SensorWatch
from damage_perception.perception.view.face import Face, find_face
from damage_perception.perception.view.fusion import News, fuse, lean
from damage_perception.perception.view.item_view import ItemView
from damage_perception.perception.view.rectify import rectify
from damage_perception.perception.view.window import ItemWindow
from damage_perception.report import Roi
from damage_perception.synthesis.compose import support_plane
from damage_perception.synthesis.moving import Belt, Shot, make_belt
from damage_perception.synthesis.spec import SynthesisSpec

CAMERA = CameraIntrinsics(640, 360, 460.0, 460.0, 319.5, 179.5)
WHOLE = Roi(0, 0, CAMERA.width, CAMERA.height)
FRAMES = (1, 5, 10, 20)
STEP_M, RATE = 0.025, 10.0
RIM_M = 0.02  # of the face, where depth bleeds


def belt_of(seed: int, moves: bool) -> Belt:
    """Put one sound carton under the camera, in the middle of its way."""
    spec = SynthesisSpec(
        families=('retail_carton',), damaged=0.0, oddities=0.0, sensors=('stereo',)
    )
    speed = STEP_M * RATE if moves else 0.0
    belt = make_belt(spec, seed, 1, speed or 1.0, RATE, CAMERA, 1.0)
    start = -0.5 * speed * max(FRAMES) / RATE
    belt.items = [replace(belt.items[0], start=start, across=0.0)]
    belt.speed = speed
    return belt


def views(belt: Belt) -> Iterator[tuple[ItemView, Face, ItemView]]:
    """Give each view of the item, its face, and the first view as it is without noise."""
    watch, clean = SensorWatch(), None
    sensor = replace(belt.sensor, noise=0.0, slow=0.0, dropout=0.0)
    plane = support_plane(belt.view.pose)
    for number in range(max(FRAMES)):
        shot = belt.shot(number)
        frame = MeasuredFrame(shot.rgb, shot.depth_m, CAMERA)
        height = height_image(shot.depth_m, plane, CAMERA)
        profile = watch.update(shot.depth_m, height, np.ones(height.shape, bool), 0.01)
        face = find_face(frame, shot.ids > 0, WHOLE, plane, profile)
        assert face is not None
        if clean is None:
            first = face
            without = replace(belt, sensor=sensor).shot(number)
            bare = MeasuredFrame(without.rgb, without.depth_m, CAMERA)
            clean = rectify(bare, _window(without), first, profile)
        face = face.like(first.axes[:, 0])
        yield rectify(frame, _window(shot), face, profile), face, clean


def _window(shot: Shot) -> ItemWindow:
    return ItemWindow(WHOLE, shot.ids > 0, np.zeros(shot.ids.shape, bool))


def noise_m(view: ItemView, clean: ItemView) -> tuple[float, float]:
    """Give the noise of a view's height, as it is and as the view tells it, metres."""
    size = 2 * round(RIM_M / view.resolution_m) + 1
    inner = cv2.erode(view.item_mask.view(np.uint8), np.ones((size, size), np.uint8)) > 0
    off = view.height_m - clean.height_m
    use = inner & np.isfinite(off)
    off = off - lean(off, use)
    return float(np.sqrt(np.mean(off[use] ** 2))), float(np.median(view.height_std_m[use]))


def measure(belt: Belt) -> dict[int, tuple[float, float]]:
    """Give noise as it is and as it is told after 1, 5, 10 and 20 pictures."""
    fused, news, found = None, None, {}
    for number, (view, face, clean) in enumerate(views(belt), 1):
        if fused is None or news is None:
            fused, news = view, News(face.centre)
        else:
            after = fuse(fused, view, news.of(face.centre, view.noise_correlation_m))
            assert after is not None, 'the views of one item were not fused'
            fused = after
        if number in FRAMES:
            found[number] = noise_m(fused, clean)
    return found


def main() -> None:
    """Print the table: the mean square over the items."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--items', type=int, default=4)
    parser.add_argument('--seed', type=int, default=2)
    given = parser.parse_args()
    print('| pictures | noise, mm | told, mm | limit, mm | noise / limit |\n|---|---|---|---|---|')
    for moves in (True, False):
        found = [measure(belt_of(given.seed + k, moves)) for k in range(given.items)]
        first = 0.0
        for count in FRAMES:
            noise, told = np.sqrt(np.mean(np.square([each[count] for each in found]), axis=0)) * 1e3
            first = first or noise
            limit = first / np.sqrt(count if moves else 2.0 * count / (count + 1.0))
            print(f'| {count}, {"moving" if moves else "at rest"} | {noise:.2f} | {told:.2f} '
                  f'| {limit:.2f} | {noise / limit:.2f} |', flush=True)  # fmt: skip


if __name__ == '__main__':
    main()
