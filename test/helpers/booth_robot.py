"""What a robot gets from a booth of two cameras: each item decided once, and in time?

    python test/helpers/booth_robot.py OUT [--items 16] [--seed 2] [--rates 1 5] \
        [--lead 0.5] [--wait-for-reports]

A rendered belt (`booth_belt.py`) is played into two segmentation nodes, a divert node and
`examples/divert_robot.py`, each a process of its own, over real DDS in the domain of
`ROS_DOMAIN_ID`. What the robot prints is kept in OUT/robot_RATE.txt. An item is due at a line
0.2 m beyond the middle of the belt and asked for `--lead` seconds before; the margin is how long
before the line its decision was heard, on the clock of the recording, latency included.
`--wait-for-reports` lets the belt stand until a picture is judged, for machines that are too slow
for two cameras: then the margins are those of a fast one.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
import yaml
from booth_belt import START_NS, make_booth, write_booth
from rclpy.executors import SingleThreadedExecutor
from rosgraph_msgs.msg import Clock

from damage_perception import msg
from damage_perception.report import Verdict
from damage_perception.ros import qos
from damage_perception.synthesis.moving import Belt

ROOT = Path(__file__).parents[2]
NODES = 'from damage_perception.nodes.{0} import main; main()'
CAMERAS = ('left', 'right')
LINE_M = 0.2  # along the belt, beyond the middle
NEAR_M = 0.1  # a decision is about the item whose middle is so near


@dataclass(frozen=True)
class Heard:
    """A decision, and when it was heard, seconds of the clock of the recording."""

    decision: Any
    at_s: float


class Listener:
    """Hear decisions, reports and the clock."""

    def __init__(self) -> None:
        self.clock_s, self.heard, self.reports = 0.0, [], dict.fromkeys(CAMERAS, 0)
        self.beats: list[Any] = []
        self._node = rclpy.create_node('booth_listener')
        self._node.create_subscription(Clock, '/clock', self._tick, 10)
        listen = self._node.create_subscription
        listen(msg.DivertDecision, 'divert/decision', self._hear, qos.DECISION)
        listen(msg.DivertDecision, 'divert/heartbeat', self.beats.append, qos.RESULT)
        for camera in CAMERAS:
            listen(msg.DamageReport, f'{camera}/damage/report', self._count(camera), qos.RESULT)
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._thread = threading.Thread(target=self._executor.spin, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hear no more."""
        self._executor.shutdown(timeout_sec=2.0)
        self._thread.join(2.0)
        self._node.destroy_node()

    def _tick(self, message: Any) -> None:
        self.clock_s = message.clock.sec + message.clock.nanosec * 1e-9

    def _hear(self, message: Any) -> None:
        self.heard.append(Heard(message, self.clock_s))

    def _count(self, camera: str) -> Callable[[Any], None]:
        def count(_: Any) -> None:
            self.reports[camera] += 1

        return count


def parameters(booth_file: Path, out: Path, lead_s: float) -> Path:
    """Write the parameters of the nodes: those of the booth, the line and simulated time."""
    told = yaml.safe_load(booth_file.read_text())
    line = {'line': [1.0, 0.0, 0.0, LINE_M], 'line_lead_s': lead_s}
    told['/**']['ros__parameters'] |= {'use_sim_time': True, 'decision': line}
    file = out / 'parameters.yaml'
    file.write_text(yaml.safe_dump(told))
    return file


def start(params: Path, robot_log: Path) -> list[subprocess.Popen[bytes]]:
    """Start the nodes and the robot."""
    told = ['--ros-args', '--params-file', str(params)]
    segmentation = [sys.executable, '-c', NODES.format('damage_segmentation_node'), *told]
    calls = [[*segmentation, '-r', f'__ns:=/{camera}'] for camera in CAMERAS]
    calls.append([sys.executable, '-c', NODES.format('divert_node'), *told])
    robot = [sys.executable, str(ROOT / 'examples' / 'divert_robot.py')]
    robot += ['--ros-args', '-p', 'use_sim_time:=true']
    running = [subprocess.Popen(call, cwd='/') for call in calls]
    return [*running, subprocess.Popen(robot, cwd='/', stdout=robot_log.open('wb'))]


def play(recording: Path, rate: float, wait_for_reports: bool) -> float:
    """Play the recording; gives how many seconds that took."""
    call = [sys.executable, '-m', 'damage_perception.cli.main', 'play', str(recording)]
    call += ['--rate', str(rate), '--wait', '60']
    call += [part for camera in CAMERAS for part in ('--camera', camera)]
    began = time.monotonic()
    subprocess.run([*call, *['--wait-for-reports'] * wait_for_reports], cwd='/', check=True)
    return time.monotonic() - began


def owner(belt: Belt, decision: Any) -> int | None:
    """Give the item that a decision is about; None = none lies there."""
    stamp = decision.header.stamp
    time_s = stamp.sec + stamp.nanosec * 1e-9 - START_NS * 1e-9
    at = decision.pose.position
    off = [math.hypot(item.start + belt.speed * time_s - at.x, item.across - at.y)
           for item in belt.items]  # fmt: skip
    nearest = min(range(len(off)), key=off.__getitem__)
    return nearest if off[nearest] < NEAR_M else None


def table(belt: Belt, heard: Sequence[Heard]) -> str:
    """Write a line an item and a line in all."""
    by_item: dict[int | None, list[Heard]] = {}
    for one in heard:
        by_item.setdefault(owner(belt, one.decision), []).append(one)
    lines, margins = [], []
    for k, item in enumerate(belt.items):
        due_s = START_NS * 1e-9 + (LINE_M - item.start) / belt.speed
        mine = by_item.get(k, [])
        margins += [due_s - one.at_s for one in mine]
        told = ', '.join(_told(one.decision, due_s - one.at_s) for one in mine)
        truth = 'damaged' if item.patch.damages else 'sound'
        lines.append(f'{k:3d} {truth:8s} {told or "no decision"}')
    lines += [f'nothing {_told(one.decision, math.nan)}' for one in by_item.get(None, [])]
    counts = [len(by_item.get(k, [])) for k in range(len(belt.items))]
    lines.append(
        f'of {len(counts)} items decided once {counts.count(1)}, never {counts.count(0)}, more '
        f'often {sum(count > 1 for count in counts)}; late {sum(m < 0 for m in margins)}; margin '
        f'{min(margins, default=math.nan):.2f} to {max(margins, default=math.nan):.2f} s; '
        f'decisions on nothing {len(by_item.get(None, []))}'
    )
    return '\n'.join(lines)


def _told(decision: Any, margin_s: float) -> str:
    size = decision.size
    return (
        f'{Verdict(decision.decision).name} ({decision.reason}) {margin_s:.2f} s before, '
        f'{decision.frames} frames, {size.x:.2f} x {size.y:.2f} x {size.z:.2f} m'
    )


def main() -> None:
    """Render, play, and print the tables."""
    parser = argparse.ArgumentParser(description='Two cameras, real nodes, the example robot.')
    parser.add_argument('out', type=Path)
    parser.add_argument('--items', type=int, default=16)
    parser.add_argument('--seed', type=int, default=2)
    parser.add_argument('--rates', type=float, nargs='+', default=[1.0, 5.0])
    parser.add_argument('--lead', type=float, default=0.5, help='decision.line_lead_s')
    parser.add_argument('--wait-for-reports', action='store_true')
    given = parser.parse_args()
    out = given.out.resolve()
    booth = make_booth(given.seed, given.items)
    recording = out / f'belt_{given.items}_{given.seed}'
    if not (recording / 'booth.yaml').exists():
        write_booth(booth, recording)
    params = parameters(recording / 'booth.yaml', out, given.lead)
    rclpy.init()
    for rate in given.rates:
        listener = Listener()
        running = start(params, out / f'robot_{rate:g}.txt')
        try:
            seconds = play(recording / 'belt', rate, given.wait_for_reports)
            time.sleep(3.0)
        finally:
            for process in running:
                process.send_signal(signal.SIGINT)
            for process in running:
                process.wait(20.0)
            listener.close()
        how = f'played in {seconds:.1f} s, load {os.getloadavg()[0]:.1f}'
        print(f'rate {rate:g}: {how}, reports {listener.reports}')
        print(table(booth.belt, listener.heard), flush=True)
    rclpy.try_shutdown()


if __name__ == '__main__':
    main()
