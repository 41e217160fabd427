"""A recording through the real commands `run` and `play`, beside what `replay` makes of it."""

from __future__ import annotations

import math
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from ros_graph import Graph, wait_for
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image

from damage_perception import msg
from damage_perception.recording.frames import FrameReader
from damage_perception.recording.judging import judge
from damage_perception.recording.reader import Recording
from damage_perception.recording.topics import find_topics
from damage_perception.ros import qos
from damage_perception.ros.frame_source import DEPTH, RGB
from damage_perception.ros.image_conversion import stamp_ns

COMMAND = [sys.executable, '-m', 'damage_perception.cli.main']


@dataclass
class Played:
    """What the nodes sent, and when, in seconds of the time that is played."""

    clock_s: float = 0.0
    reports: list[Any] = field(default_factory=list)
    decisions: list[Any] = field(default_factory=list)
    diagnostics: list[tuple[float, Any]] = field(default_factory=list)
    healths: list[tuple[float, int]] = field(default_factory=list)
    depths: list[float] = field(default_factory=list)  # arrivals of depth images

    def figure(self, key: str) -> int:
        """Give the newest value of a figure of the segmentation node's diagnostics."""
        status = [s for _, s in self.diagnostics if s.name.endswith('segmentation_node')][-1]
        return int(next(pair.value for pair in status.values if pair.key == key))

    @property
    def pairs(self) -> tuple[int, int]:
        """Colour and depth images that were matched."""
        return self.figure(f'{RGB} matched'), self.figure(f'{DEPTH} matched')

    @property
    def dropped(self) -> int:
        """Colour images without a partner."""
        return self.figure(f'{RGB} dropped')


def play(graph: Graph, recording: Path, rate: float, loop: int) -> Played:
    """Play a recording into the nodes, as fast as they judge, and listen until all is decided."""
    played = Played()

    def hear(report: Any) -> None:
        played.reports.append(report)
        played.healths.append((played.clock_s, report.health))

    def tick(message: Any) -> None:
        played.clock_s = message.clock.sec + message.clock.nanosec / 1e9

    graph.node.create_subscription(Clock, '/clock', tick, 100)
    graph.node.create_subscription(msg.DamageReport, 'damage/report', hear, qos.DECISION)
    graph.node.create_subscription(
        Image, DEPTH, lambda image: played.depths.append(played.clock_s), qos.SENSOR
    )
    graph.node.create_subscription(
        msg.DivertDecision, 'divert/decision', played.decisions.append, qos.DECISION
    )
    graph.node.create_subscription(
        DiagnosticArray, '/diagnostics',
        lambda array: played.diagnostics.extend((played.clock_s, s) for s in array.status), 50,
    )  # fmt: skip
    nodes = subprocess.Popen([*COMMAND, 'run', '--sim-time'], cwd='/', stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: played.reports, 30.0, 'the nodes')
        options = ['--wait-for-reports', '--rate', str(rate), '--loop', str(loop)]
        player = [*COMMAND, 'play', str(recording), *options]
        subprocess.run(player, cwd='/', check=True, capture_output=True, timeout=240)
        heard = len(played.diagnostics)
        time.sleep(2.5)  # the heartbeat decides what is open; diagnostics come once a second
        wait_for(lambda: len(played.diagnostics) > heard + 2, 5.0, 'new diagnostics')
    finally:
        nodes.send_signal(signal.SIGINT)
        nodes.wait(10.0)
    return played


def replay(recording: Path) -> tuple[list[Any], list[Any]]:
    """Give the reports and decisions of a replay."""
    opened = Recording(recording)
    judgements = list(judge(FrameReader(opened, find_topics(opened))))
    reports = [judgement.report for judgement in judgements if judgement.report is not None]
    return reports, [decision for judgement in judgements for decision in judgement.decisions]


def told(decision: Any) -> tuple[Any, ...]:
    """Give what a decision says, of a message or of a replay; ids differ from run to run."""
    stamp = decision.stamp_ns if hasattr(decision, 'stamp_ns') else stamp_ns(decision)
    confidence = decision.confidence
    rounded = None if math.isnan(confidence) else round(confidence, 4)
    return stamp, int(decision.decision), decision.reason, decision.frames, rounded
