"""A segmentation node that is killed is told from an idle belt and from a slow frame."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from ros_graph import Graph, wait_for

from damage_perception import msg
from damage_perception.nodes.divert_node import DivertNode
from damage_perception.report import Health, Verdict
from damage_perception.ros import qos

TOLD_WITHIN_S = 0.5
REAL = 'from damage_perception.nodes.damage_segmentation_node import main; main()'
# Reports of one item, each after 0.3 s of work that lets no other Python thread run for long.
SLOW = """
import time
import rclpy
from damage_perception import msg
from damage_perception.ros import qos
from damage_perception.ros.alive import give_sign
from damage_perception.ros.messages import header

rclpy.init()
node = rclpy.create_node('slow')
sign = give_sign(node, 'damage/alive')
publisher = node.create_publisher(msg.DamageReport, 'damage/report', qos.RESULT)
item = msg.ItemReport(track_id=1, confidence=0.1, frames=1)
while True:
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        sum(range(10_000))
    stamp = header(time.time_ns(), 'camera')
    publisher.publish(msg.DamageReport(header=stamp, health=msg.DamageReport.OK, items=[item]))
"""


class Station:
    """The divert node with a segmentation node in a process of its own."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.decisions = graph.listen(msg.DivertDecision, 'divert/decision', qos.DECISION)
        self.heartbeats = graph.listen(msg.DivertDecision, 'divert/heartbeat')
        self.reports = graph.listen(msg.DamageReport, 'damage/report')
        graph.add(DivertNode())
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, code: str) -> None:
        self.process = subprocess.Popen([sys.executable, '-c', code], cwd='/')

    def kill(self) -> float:
        """Kill it; give when."""
        assert self.process is not None
        self.heartbeats.clear()
        self.process.kill()
        now = time.monotonic()
        self.process.wait()
        return now

    def ended(self) -> list[Any]:
        return [beat for beat in self.heartbeats if 'has ended' in beat.reason]


@pytest.fixture
def station(graph: Graph) -> Iterator[Station]:
    made = Station(graph)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()


def test_slow_frames_are_no_end_and_a_kill_makes_the_open_item_unknown(station: Station) -> None:
    station.start(SLOW)
    wait_for(lambda: len(station.reports) > 3, 20.0, 'reports')
    station.heartbeats.clear()
    time.sleep(3.0)
    assert not station.ended()
    assert not station.decisions
    killed = station.kill()
    (decision, *others) = wait_for(lambda: station.decisions, TOLD_WITHIN_S, 'the decision')
    assert time.monotonic() - killed <= TOLD_WITHIN_S
    assert (decision.track_id, decision.decision) == (1, Verdict.UNKNOWN)
    assert not others
    beat = wait_for(station.ended, TOLD_WITHIN_S, 'UNKNOWN')[0]
    assert (beat.decision, beat.health) == (Verdict.UNKNOWN, Health.UNKNOWN)
    assert 'the node that sends /damage/report has ended' in beat.reason


def test_the_real_node_is_missed_at_once_and_welcome_again(station: Station) -> None:
    for _ in range(2):
        station.start(REAL)
        station.graph.stream(
            lambda: station.heartbeats[-1:] and station.heartbeats[-1].decision == Verdict.PASS,
            30.0,
        )
        settled_s = time.monotonic() + 1.0  # DDS finds its sign of life after its reports
        station.graph.stream(lambda at=settled_s: time.monotonic() > at, 5.0)
        station.kill()
        wait_for(station.ended, TOLD_WITHIN_S, 'UNKNOWN')
