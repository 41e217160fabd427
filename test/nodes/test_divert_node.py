"""The divert node over real DDS: one decision an item, and a heartbeat that tells silence."""

from __future__ import annotations

import math
import time
from typing import Any

import pytest
from ros_graph import FRAME, Graph, wait_for

from damage_perception import msg
from damage_perception.nodes.divert_node import DivertNode
from damage_perception.report import Verdict
from damage_perception.ros import qos
from damage_perception.ros.messages import header, report_from_message

S = 1_000_000_000


class Belt:
    """Publishes reports of items that pass."""

    def __init__(self, graph: Graph) -> None:
        self._node = graph.node
        self.decisions = graph.listen(msg.DivertDecision, 'divert/decision', qos.DECISION)
        self.heartbeats = graph.listen(msg.DivertDecision, 'divert/heartbeat')
        self.connect()

    def connect(self) -> None:
        """Be a segmentation node that has just started."""
        self._publisher = self._node.create_publisher(msg.DamageReport, 'damage/report', qos.RESULT)

    def greet(self, stamp_ns: int) -> None:
        """Send empty reports until the heart beats for one: both sides are connected."""

        def heard() -> bool:
            self.report(stamp_ns, {})
            return any(beat.header.stamp.sec == stamp_ns // S for beat in self.heartbeats)

        wait_for(heard, 5.0, 'the divert node')

    def disconnect(self) -> None:
        """End that segmentation node."""
        self._node.destroy_publisher(self._publisher)

    def report(self, stamp_ns: int, confidences: dict[int, float], reason: str = '') -> None:
        """Send one report with these items."""
        health = msg.DamageReport.UNKNOWN if reason else msg.DamageReport.OK
        items = [msg.ItemReport(track_id=i, confidence=c, frames=1) for i, c in confidences.items()]
        self._publisher.publish(
            msg.DamageReport(
                header=header(stamp_ns, FRAME), health=health, items=items, reason=reason
            )
        )

    def pass_by(self, start_ns: int, confidences: dict[int, float]) -> None:
        """Show the items for half a second, then an empty belt for one."""
        for k in range(30):
            self.report(start_ns + k * S // 20, confidences if k < 10 else {})
            time.sleep(0.01)


@pytest.fixture
def belt(graph: Graph) -> Belt:
    graph.add(DivertNode())
    made = Belt(graph)
    wait_for(lambda: made._publisher.get_subscription_count(), 5.0, 'the divert node')
    wait_for(lambda: made.heartbeats, 5.0, 'a heartbeat')
    return made


def test_each_item_is_decided_once(belt: Belt) -> None:
    belt.pass_by(100 * S, {1: 0.01, 2: 0.99})
    wait_for(lambda: len(belt.decisions) >= 2, 2.0, 'two decisions')
    time.sleep(0.3)
    found = {decision.track_id: decision for decision in belt.decisions}
    assert len(belt.decisions) == len(found) == 2
    assert (found[1].decision, found[2].decision) == (Verdict.PASS, Verdict.DIVERT)
    assert found[2].header.frame_id == FRAME
    assert found[2].age > 0.0


def test_open_items_are_decided_when_reports_stop(belt: Belt) -> None:
    for k in range(5):
        belt.report(100 * S + k * S // 30, {7: 0.9})
    wait_for(lambda: belt.decisions, 2.0, 'the decision')
    assert belt.decisions[0].track_id == 7


def test_open_items_are_decided_when_reports_only_say_unknown(belt: Belt) -> None:
    belt.report(100 * S, {7: 0.9})

    def decided() -> list[Any]:
        belt.report(100 * S, {}, reason='no depth')
        time.sleep(0.1)
        return belt.decisions

    assert wait_for(decided, 3.0, 'the decision')[0].track_id == 7


def test_the_heart_says_unknown_at_first_and_again_when_reports_stop(belt: Belt) -> None:
    assert belt.heartbeats[0].decision == Verdict.UNKNOWN
    assert 'has not sent anything yet' in belt.heartbeats[0].reason
    belt.report(100 * S, {})
    wait_for(lambda: belt.heartbeats[-1].decision == Verdict.PASS, 1.0, 'a sound heartbeat')
    wait_for(lambda: belt.heartbeats[-1].decision == Verdict.UNKNOWN, 1.5, 'UNKNOWN')
    assert '/damage/report has been silent' in belt.heartbeats[-1].reason
    assert {beat.track_id for beat in belt.heartbeats} == {0}
    assert all(math.isnan(beat.confidence) for beat in belt.heartbeats)


def test_the_heart_passes_on_why_nothing_is_judged(belt: Belt) -> None:
    belt.report(100 * S, {}, reason='no depth')
    wait_for(lambda: belt.heartbeats[-1].reason == 'no depth', 1.0, 'the reason')
    assert belt.heartbeats[-1].decision == Verdict.UNKNOWN


def test_time_going_back_decides_what_is_open_and_goes_on(belt: Belt) -> None:
    belt.report(200 * S, {1: 0.9})
    belt.report(100 * S, {2: 0.1})
    wait_for(lambda: belt.decisions, 0.8, 'the decision on the first run')
    belt.pass_by(100 * S, {2: 0.1})
    wait_for(lambda: len(belt.decisions) == 2, 2.0, 'the decision on the second run')
    assert [decision.track_id for decision in belt.decisions] == [1, 2]


def test_a_restarted_segmentation_node_may_count_from_one_again(belt: Belt) -> None:
    belt.pass_by(100 * S, {1: 0.9})
    wait_for(lambda: len(belt.decisions) == 1, 2.0, 'the first decision')
    belt.disconnect()
    belt.connect()
    belt.greet(109 * S)
    belt.pass_by(110 * S, {1: 0.1})
    decisions: list[Any] = wait_for(lambda: belt.decisions[1:], 2.0, 'the second decision')
    assert [decision.decision for decision in decisions] == [Verdict.PASS]


def test_a_report_with_an_unknown_number_is_refused_and_the_next_is_taken(belt: Belt) -> None:
    broken = msg.DamageReport(header=header(100 * S, FRAME), health=77)
    belt._publisher.publish(broken)
    belt.report(100 * S, {})
    wait_for(lambda: belt.heartbeats[-1].decision == Verdict.PASS, 1.0, 'a sound heartbeat')


@pytest.mark.parametrize('threshold', [math.nan, -0.1, 7.0])
def test_a_threshold_by_which_damage_could_pass_is_refused(threshold: float) -> None:
    with pytest.raises(ValueError, match='threshold must lie'):
        report_from_message(msg.DamageReport(health=1, threshold=threshold))
