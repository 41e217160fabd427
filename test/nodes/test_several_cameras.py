"""The divert node and the robot of the examples with two cameras, as processes over real DDS.

Reports are made, not judged from images: what is tested is that each item is decided once and in
time, at the pace of the belt and at five times that, and what a missing camera does.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from booth_scene import BOTH, LEFT, RIGHT, S, Scene, Thing
from ros_graph import Graph, wait_for
from rosgraph_msgs.msg import Clock

from damage_perception import msg
from damage_perception.report import Status, Verdict
from damage_perception.ros import qos
from damage_perception.ros.messages import header, report_to_message

NODE = [sys.executable, '-c', 'from damage_perception.nodes.divert_node import main; main()']
ROBOT = [sys.executable, str(Path(__file__).parents[2] / 'examples' / 'divert_robot.py')]
LINE = (1.0, 0.0, 0.0, 0.5)  # metres along the belt
LEAD_S = 1.0
IN_VIEW_M = 0.6  # to each side of the middle
START_S = 100.0


class Booth:
    """Two segmentation nodes, a divert node, a robot, and the clock of a recording."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph, self.scene = graph, Scene()
        self.decisions: list[tuple[float, Any]] = []
        self.clock_s = START_S
        self.heartbeats = graph.listen(msg.DivertDecision, 'divert/heartbeat')
        graph.node.create_subscription(
            msg.DivertDecision, 'divert/decision',
            lambda decision: self.decisions.append((self.clock_s, decision)), qos.DECISION,
        )  # fmt: skip
        self._clock = graph.node.create_publisher(Clock, '/clock', 10)
        self._reports = {
            camera: graph.node.create_publisher(
                msg.DamageReport, f'{camera}/damage/report', qos.RESULT
            )
            for camera in BOTH
        }
        booth = {'cameras': [*BOTH], 'extrinsics': {'left': [*LEFT], 'right': [*RIGHT]}}
        decision = {'line': list(LINE), 'line_lead_s': LEAD_S}
        journal = {'file': str(folder / 'journal.sqlite')}
        told = {'use_sim_time': True, 'booth': booth, 'decision': decision, 'journal': journal}
        file = folder / 'booth.yaml'
        file.write_text(yaml.safe_dump({'/**': {'ros__parameters': _plain(told)}}))
        self.log = (folder / 'robot.txt').open('w+')
        self.node = node = [*NODE, '--ros-args', '--params-file', str(file)]
        robot = [*ROBOT, '--ros-args', '-p', 'use_sim_time:=true']
        self.processes = [
            subprocess.Popen(node, cwd='/'), subprocess.Popen(robot, cwd='/', stdout=self.log)
        ]  # fmt: skip

    def told(self) -> list[str]:
        """Give the lines of the robot."""
        self.log.seek(0)
        return self.log.read().splitlines()

    def crawl(
        self, until: Verdict, things: Sequence[Thing] = (), timeout_s: float = 20.0
    ) -> None:  # fmt: skip
        """Let the belt move slowly until the heart beats so."""

        def heard() -> bool:
            self.show(things, dict.fromkeys(BOTH, self.clock_s))
            time.sleep(0.05)
            self.clock_s += 0.005
            return any(beat.decision == until for beat in self.heartbeats)

        self.heartbeats.clear()
        wait_for(heard, timeout_s, f'a heartbeat of {until.name}')

    def show(self, things: Sequence[Thing], at_s: dict[str, float]) -> None:
        """Let cameras report what they have in view at their times."""
        self._clock.publish(Clock(clock=header(round(self.clock_s * S), '').stamp))
        for camera, seconds in at_s.items():
            seen = [
                Thing(thing.at_m, thing.looks if self._in_view(thing, seconds)
                      else {camera: None})
                for thing in things
            ]  # fmt: skip
            report = self.scene.report(camera, seconds, seen)
            self._reports[camera].publish(report_to_message(report))

    def run(
        self, things: Sequence[Thing], rate: float, cameras: Sequence[str] = tuple(BOTH),
        until: Callable[[], bool] = lambda: False,
    ) -> None:  # fmt: skip
        """Let the belt run until all things have left, `rate` times as fast as it is."""
        begin_s, began = self.clock_s, time.monotonic()
        last_s = max(IN_VIEW_M - thing.at_m[0] for thing in things) / 0.4 + 1.0
        tick = 0
        while self.clock_s < last_s and not until():
            tick += 1
            self.clock_s = begin_s + 0.1 * tick
            time.sleep(max(0.0, began + 0.1 * tick / rate - time.monotonic()))
            self.show(things, {c: self.clock_s - 0.03 * k for k, c in enumerate(cameras)})
        time.sleep(0.3)

    def _in_view(self, thing: Thing, seconds: float) -> bool:
        return abs(thing.at_m[0] + 0.4 * seconds) < IN_VIEW_M

    def things(self, verdicts: Sequence[Verdict]) -> list[Thing]:
        """Give items that come into view one after the other from now on."""
        looks = {
            Verdict.PASS: {},
            Verdict.DIVERT: {'right': (0.9, Status(0))},
            Verdict.UNKNOWN: {'left': (0.1, Status.MERGED), 'right': (0.1, Status.TRUNCATED)},
        }
        first = -0.4 * self.clock_s - IN_VIEW_M - 0.1
        return [
            Thing((first - 0.35 * k, 0.03 * (k % 3), 0.05), dict(looks[verdict]))
            for k, verdict in enumerate(verdicts)
        ]

    def close(self) -> None:
        """End the processes."""
        for process in self.processes:
            process.send_signal(signal.SIGINT)
        for process in self.processes:
            process.wait(10.0)
        self.log.close()


def _plain(value: Any) -> Any:
    """Numbers of numpy are none for YAML."""
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return value if isinstance(value, (bool, str)) else float(value)


@pytest.fixture
def booth(graph: Graph, tmp_path: Path) -> Iterator[Booth]:
    made = Booth(graph, tmp_path)
    yield made
    made.close()


def test_two_cameras_decide_each_item_once_and_in_time_also_at_five_times_the_speed(
    booth: Booth,
) -> None:
    wanted = [Verdict.PASS, Verdict.DIVERT, Verdict.UNKNOWN]
    booth.crawl(until=Verdict.PASS)
    for run, rate in enumerate((1.0, 5.0)):
        booth.scene.first_id = {'left': 1 + 10 * run, 'right': 101 + 10 * run}
        things = booth.things(wanted)
        booth.decisions.clear()
        booth.run(things, rate)
        assert [decision.decision for _, decision in booth.decisions] == wanted
        assert {decision.header.frame_id for _, decision in booth.decisions} == {'booth'}
        for thing, (at_s, decision) in zip(things, booth.decisions, strict=True):
            crosses_s = (LINE[3] - thing.at_m[0]) / 0.4
            assert crosses_s - LEAD_S - 0.3 < at_s < crosses_s, 'when the item reaches the line'
            assert decision.size.x == pytest.approx(0.3)
    lines = booth.told()
    assert len(lines) == 2 * len(wanted)
    assert 'DIVERT, crush 20 mm deep, 20 cm2: picked in' in lines[1]
    assert 'at (0.60, 0.03, 0.05) m, fingers 0.20 m apart' in lines[1]
    assert lines[0].endswith('PASS, no damage found: goes on')


def test_a_camera_that_falls_silent_lets_nothing_pass_and_is_named(booth: Booth) -> None:
    booth.crawl(until=Verdict.PASS)
    booth.run(booth.things([Verdict.PASS, Verdict.DIVERT]), 2.0, ['left'])
    said = [(decision.decision, decision.reason) for _, decision in booth.decisions]
    assert {verdict for verdict, _ in said} == {Verdict.UNKNOWN}
    assert any('/right/damage/report has been silent for' in reason for _, reason in said)
    assert booth.heartbeats[-1].decision == Verdict.UNKNOWN
    assert '/right/damage/report has been silent for' in booth.heartbeats[-1].reason


def test_a_divert_node_that_is_killed_decides_no_item_again(booth: Booth) -> None:
    booth.crawl(until=Verdict.PASS)
    things = booth.things([Verdict.PASS, Verdict.DIVERT])
    booth.run(things, 2.0, until=lambda: len(booth.decisions) == 2)
    booth.processes[0].kill()
    booth.processes[0].wait(10.0)
    booth.processes[0] = subprocess.Popen(booth.node, cwd='/')
    booth.heartbeats.clear()
    booth.crawl(until=Verdict.PASS, things=things)
    booth.run(things, 2.0)
    assert [decision.decision for _, decision in booth.decisions] == [Verdict.PASS, Verdict.DIVERT]


def test_extrinsics_that_are_missing_are_refused_in_a_sentence(domain: int) -> None:
    left = 'booth.extrinsics.left:=[0, 0, 1, 0, 0, 0, 1]'  # whole numbers only
    given = ['-p', 'booth.cameras:=[left, right]', '-p', left]
    process = subprocess.Popen(
        [*NODE, '--ros-args', *given], cwd='/', stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stderr is not None
        line = next(line for line in process.stderr if 'could not become' in line)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(10.0)
    assert 'booth.extrinsics.right is missing; give x, y, z' in line
