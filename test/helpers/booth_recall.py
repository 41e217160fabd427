"""How many damaged items a booth finds with one camera, with the other, and with both.

Call: `python test/helpers/booth_recall.py [--items N] [--seeds S ...]`. Cartons on a rendered belt
are judged by the real pipeline in a few pictures each; half of them are crushed. A row a number of
sound items that may count as damaged.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from booth_belt import START_NS, BoothBelt, Picture, make_booth

from damage_perception.perception.booth.decision import BoothDecisionMaker
from damage_perception.perception.booth.extrinsics import Extrinsics
from damage_perception.perception.booth.settings import BoothSettings
from damage_perception.perception.decision.decision import JudgedDecision
from damage_perception.pipeline import DamagePipeline
from damage_perception.report import DamageReport
from damage_perception.synthesis.moving import Passenger

REACH_M, LOOKS = 0.12, 3  # pictures of an item: within so much of the middle, so many
NEAR_M = 0.08  # a decision is about the item that is so near
CAMERAS = ('left', 'right')


@dataclass
class Item:
    """A rendered item, how many pixels of its damage each camera saw, and its scores."""

    start_m: float
    across_m: float
    damaged: bool
    pixels: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CAMERAS, 0))
    scores: dict[str, float] = field(default_factory=dict)

    @property
    def hidden_from(self) -> str:
        """The camera that sees less than half of the damage that the other sees; '' = none."""
        few, many = sorted(CAMERAS, key=lambda camera: self.pixels[camera])
        return few if self.damaged and self.pixels[few] < 0.5 * self.pixels[many] else ''


def judge(booth: BoothBelt, items: dict[str, Item]) -> Iterator[tuple[str, DamageReport]]:
    """Judge a few pictures of each item by each camera; note what of its damage is seen."""
    pipelines = {camera: DamagePipeline() for camera in booth.views}
    numbers = {n for item in booth.belt.items for n in booth.numbers_near(item, REACH_M, LOOKS)}
    for number in sorted(numbers):
        picture = booth.picture(number)
        _note(picture, items)
        for camera, seen in picture.seen.items():
            yield camera, pipelines[camera].process(seen.frame)


def _note(picture: Picture, items: dict[str, Item]) -> None:
    for passenger, offset in zip(picture.items, picture.offsets, strict=True):
        marks = [damage.mark + offset for damage in passenger.patch.damages]
        for camera, seen in picture.seen.items():
            pixels = int(np.isin(seen.marks, marks).sum()) if marks else 0
            known = items[passenger.item_id].pixels
            known[camera] = max(known[camera], pixels)


def score(
    reports: Sequence[tuple[str, DamageReport]], booth: BoothBelt, cameras: Sequence[str],
    items: Sequence[Item],
) -> None:  # fmt: skip
    """Give each item the highest P(damaged) that these cameras decide it with."""
    stands = {camera: Extrinsics.of(booth.extrinsics()[camera]) for camera in cameras}
    maker = BoothDecisionMaker(stands, BoothSettings())
    decisions: list[JudgedDecision] = []
    for camera, report in reports:
        if camera in cameras:
            decisions += maker.update(report, camera)
    name = ' and '.join(cameras)
    for decision in [*decisions, *maker.flush()]:
        x, y, _ = decision.pose.position
        x -= booth.belt.speed * (decision.stamp_ns - START_NS) * 1e-9
        near = min(items, key=lambda item: np.hypot(item.start_m - x, item.across_m - y))
        if np.hypot(near.start_m - x, near.across_m - y) < NEAR_M:
            near.scores[name] = float(np.fmax(near.scores.get(name, 0.0), decision.confidence))


def judged_items(seed: int, count: int) -> list[Item]:
    """Render, judge and score the items of one belt."""
    booth = make_booth(seed, count)
    items = {passenger.item_id: _item(passenger) for passenger in booth.belt.items}
    reports = list(judge(booth, items))
    for cameras in (*[(camera,) for camera in CAMERAS], CAMERAS):
        score(reports, booth, cameras, list(items.values()))
    return list(items.values())


def _item(passenger: Passenger) -> Item:
    return Item(passenger.start, passenger.across, bool(passenger.patch.damages))


def table(items: Sequence[Item]) -> str:
    """Write what is found at the same number of false alarms."""
    sound = [item for item in items if not item.damaged]
    groups = {
        'all damaged': [item for item in items if item.damaged],
        **{f'hidden from {camera}': [item for item in items if item.hidden_from == camera]
           for camera in CAMERAS},
    }  # fmt: skip
    ways = [*CAMERAS, ' and '.join(CAMERAS)]
    lines = [
        f'| false alarms of {len(sound)} | damaged | {" | ".join(ways)} |',
        '|---|---|---|---|---|',
    ]
    for allowed in (0, 1, 2):
        for name, group in groups.items():
            found = [_found(sound, group, way, allowed) for way in ways]
            lines.append(f'| {allowed} | {name}: {len(group)} | {" | ".join(map(str, found))} |')
    return '\n'.join(lines)


def _found(sound: Sequence[Item], group: Sequence[Item], way: str, allowed: int) -> int:
    """Count what scores above all sound items but so many."""
    scores = sorted((item.scores.get(way, 0.0) for item in sound), reverse=True)
    return sum(item.scores.get(way, 0.0) > scores[allowed] for item in group)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description='Compare one camera and two.')
    parser.add_argument('--items', type=int, default=24)
    parser.add_argument('--seeds', type=int, nargs='+', default=[1, 2])
    arguments = parser.parse_args()
    items: list[Item] = []
    for seed in arguments.seeds:
        items += judged_items(seed, arguments.items)
        print(f'seed {seed}\n{table(items)}', flush=True)


if __name__ == '__main__':
    main()
