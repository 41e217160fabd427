"""A rendered belt of sound and damaged items through pipeline and decision: each decided once?

    python test/helpers/sequence_decisions.py OUT [--items 50] [--damaged 4] [--seed 3] [--rate 5] \
        [--lost 0.05] [--covered 0.02] [--pictures 100000]

Every tenth item touches the one before, an arm passes before the lens for two pictures now and
then (--covered), and one picture in twenty is lost (--lost). An item is due at a line 0.1 m
beyond the middle of the picture and asked for 1.2 pictures before (`decision.line_lead_s`), since
one may be lost and places are told to some millimetres; late is what is decided more than a picture
after it is there. Pictures are kept under OUT/pictures and taken from there by the next call, so
that a long one may be interrupted.
With --pictures it ends after so many, and the items that are due by then count.
"""

from __future__ import annotations

import argparse
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from damage_perception.frame import CameraIntrinsics, RgbdFrame
from damage_perception.perception.decision.decision import DecisionSettings
from damage_perception.recording.judging import judge
from damage_perception.report import Decision, Verdict
from damage_perception.settings import Settings
from damage_perception.synthesis.moving import Belt, Passenger, make_belt
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.spec import SynthesisSpec

CAMERA = CameraIntrinsics(640, 360, 460.0, 460.0, 319.5, 179.5)
START_NS = 1_700_000_000_000_000_000
LINE_M = 0.1  # along the belt, beyond the middle of the picture
FAMILIES = ('retail_carton', 'tin', 'jar', 'poly_mailer')
DAMAGES = ('crush', 'hole', 'tear')


@dataclass(frozen=True)
class Said:
    """A decision, and the time of the report that it came with."""

    decision: Decision
    at_s: float


def belt_of(items: int, damaged: int, seed: int, rate: float) -> Belt:
    """Make a belt with `damaged` damaged items among the sound ones, some of which touch."""
    spec = SynthesisSpec(families=FAMILIES, damages=DAMAGES, damaged=0.0, oddities=0.1)
    sound = make_belt(spec, seed, items, 0.4, rate, CAMERA)
    bad = make_belt(replace(spec, damaged=1.0, major=1.0), seed, items, 0.4, rate, CAMERA)
    chosen = set(stream(seed, 0xBAD).choice(items, damaged, replace=False).tolist())
    sound.items = [
        replace(item, patch=bad.items[k].patch) if k in chosen else item
        for k, item in enumerate(sound.items)
    ]
    for k in range(9, items, 10):
        sound.items[k - 1 : k + 1] = _touching(*sound.items[k - 1 : k + 1])
    return sound


def _touching(first: Passenger, second: Passenger) -> list[Passenger]:
    """Let the second lie against the first, both along the belt."""
    first = replace(first, yaw=0.0)
    apart = 0.5 * (first.product.size[0] + second.product.size[0]) + 0.002
    return [
        first,
        replace(second, yaw=0.0, across=first.across, start=first.start - apart),
    ]


def frames(belt: Belt, folder: Path, seed: int, lost: float, covered: float) -> Iterator[RgbdFrame]:
    """Give the pictures of the belt but those that are lost, rendered or as they were kept."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = stream(seed, 0xD20)
    left = 0  # pictures that the arm still covers
    for number in range(int(belt.duration_s * belt.rate)):
        is_lost, comes = rng.random() < lost, rng.random() < covered
        left = 2 if comes else max(0, left - 1)
        if is_lost:
            continue
        file = folder / f'{number:06d}.npz'
        if not file.exists():
            shot = belt.shot(number)
            part = file.with_suffix('.part.npz')
            depth_mm = np.uint16(np.rint(np.nan_to_num(1000.0 * shot.depth_m)))
            np.savez_compressed(part, rgb=shot.rgb, depth_mm=depth_mm)
            part.replace(file)
        with np.load(file) as kept:
            rgb, depth = kept['rgb'], kept['depth_mm'].astype(np.float32) / 1000.0
        depth[depth == 0.0] = np.nan
        if left:  # an arm half a metre above the belt
            cv2.rectangle(rgb, (0, 150), (CAMERA.width, 210), (40, 40, 45), -1)
            depth[150:211] = 0.7
        stamp = START_NS + round(1e9 * number / belt.rate)
        yield RgbdFrame(rgb, depth, CAMERA, stamp, 'camera')


def line_of(belt: Belt) -> tuple[float, ...]:
    """Give the plane across the belt, in the camera's frame."""
    along = belt.view.pose.rotation[0]
    return (*(float(value) for value in along), float(LINE_M - belt.view.pose.position[0]))


def on_belt(belt: Belt, decision: Decision) -> tuple[float, float]:
    """Give where on the belt an item was at time 0, from where a decision says that it is."""
    pose = belt.view.pose
    at = pose.rotation @ np.array(decision.pose.position) + pose.position
    time_s = (decision.stamp_ns - START_NS) / 1e9
    return float(at[0] - belt.speed * time_s), float(at[1])


def owner(belt: Belt, decision: Decision) -> int | None:
    """Give the item that a decision is about: the nearest whose footprint holds its centre."""
    x, y = on_belt(belt, decision)
    best, least = None, math.inf
    for k, item in enumerate(belt.items):
        far = math.hypot(item.start - x, item.across - y)
        if far < min(least, item.reach):
            best, least = k, far
    return best


def decide(belt: Belt, pictures: Iterator[RgbdFrame]) -> list[Said]:
    """Run pipeline and decision over the belt."""
    decide_by = DecisionSettings(line=line_of(belt), line_lead_s=1.2 / belt.rate)
    settings = replace(Settings(), decision=decide_by)
    said, now_s = [], 0.0
    for step in judge(pictures, settings):
        if step.report is not None:
            now_s = (step.report.stamp_ns - START_NS) / 1e9
        said += [Said(decision, now_s) for decision in step.decisions]
    return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--items', type=int, default=50)
    parser.add_argument('--damaged', type=int, default=4)
    parser.add_argument('--seed', type=int, default=3)
    parser.add_argument('--rate', type=float, default=5.0)
    parser.add_argument('--lost', type=float, default=0.05)
    parser.add_argument('--covered', type=float, default=0.02)
    parser.add_argument('--pictures', type=int, default=100_000)
    given = parser.parse_args()
    belt = belt_of(given.items, given.damaged, given.seed, given.rate)
    folder = given.out / 'pictures'
    belt.duration_s = min(belt.duration_s, given.pictures / belt.rate)
    due = [(LINE_M - item.start) / belt.speed for item in belt.items]
    count = sum(due_s + 1.0 / belt.rate < belt.duration_s for due_s in due)  # they come in order
    said = decide(belt, frames(belt, folder, given.seed, given.lost, given.covered))
    by_item: dict[int | None, list[Said]] = {}
    for one in said:
        by_item.setdefault(owner(belt, one.decision), []).append(one)
    late = 0
    for k, item in enumerate(belt.items[:count]):
        mine = by_item.get(k, [])
        slow = [one for one in mine if one.at_s > due[k] + 1.0 / belt.rate]
        late += bool(slow)
        verdicts = ', '.join(
            f'{Verdict(one.decision.decision).name} ({one.decision.reason})' for one in mine
        )
        truth = 'DAMAGED' if item.patch.damages else 'sound'
        print(f'{k:3d} {item.item_id:28s} {truth:8s} {verdicts or "no decision"}'
              f'{" LATE" if slow else ""}')  # fmt: skip
    counts = Counter(len(by_item.get(k, [])) for k in range(count))
    print(f'of {count} items: one decision {counts[1]}, none {counts[0]}, '
          f'more {count - counts[0] - counts[1]}; late {late}; decisions on nothing '
          f'{len(by_item.get(None, []))}')  # fmt: skip
    verdicts_of = {
        truth: Counter(
            Verdict(one.decision.decision).name
            for k, item in enumerate(belt.items[:count])
            if bool(item.patch.damages) == truth
            for one in by_item.get(k, [])
        )
        for truth in (False, True)
    }
    print(f'sound: {dict(verdicts_of[False])}; damaged: {dict(verdicts_of[True])}')


if __name__ == '__main__':
    main()
