"""The divert node as a process with a journal: killed, reviewed, warned, on a disk that is full."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ros_graph import FRAME, Graph, wait_for

from damage_perception import msg, srv
from damage_perception.journal.entries import read_entries
from damage_perception.ros import qos
from damage_perception.ros.messages import header

S = 1_000_000_000
CODE = 'from damage_perception.nodes.divert_node import main; main()'
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(domain: int) -> Iterator[Start]:
    """Start the node away from the source folder, which would hide the built package."""
    started: list[subprocess.Popen[str]] = []

    def launch(**parameters: object) -> subprocess.Popen[str]:
        call = [sys.executable, '-c', CODE, '--ros-args']
        for name, value in parameters.items():
            call += ['-p', f'{name.replace("__", ".")}:={value}']
        started.append(subprocess.Popen(call, stderr=subprocess.PIPE, text=True, cwd='/'))
        return started[-1]

    yield launch
    for process in started:
        process.kill()
        process.wait()


class Belt:
    """A segmentation node that lives through it all: items of 0.5 s, four a second."""

    def __init__(self, graph: Graph) -> None:
        self.decisions = graph.listen(msg.DivertDecision, 'divert/decision', qos.DECISION)
        self.heartbeats = graph.listen(msg.DivertDecision, 'divert/heartbeat')
        self._publisher = graph.node.create_publisher(msg.DamageReport, 'damage/report', qos.RESULT)
        self.tick = 0

    def stand_still_until_heard(self) -> None:
        """Send one report again and again until a node that was just started vouches for it."""
        self.heartbeats.clear()
        self.tick -= 1

        def heard() -> bool:
            self.step()
            self.tick -= 1
            return any(beat.decision == msg.DivertDecision.PASS for beat in self.heartbeats)

        wait_for(heard, 20.0, 'a sound heartbeat')
        self.tick += 1

    def step(self, confidence: float = 0.1) -> None:
        """Send the next report, 0.05 s of the belt in 0.01 s."""
        self.tick += 1
        newest = self.tick // 5
        items = [
            msg.ItemReport(track_id=track, sku='A', confidence=confidence, frames=1)
            for track in (newest - 1, newest)
            if track > 0
        ]
        self._publisher.publish(
            msg.DamageReport(
                header=header(self.tick * S // 20, FRAME), health=msg.DamageReport.OK, items=items
            )
        )
        time.sleep(0.01)

    def run_until(self, condition: Callable[[], Any], what: str, confidence: float = 0.1) -> Any:
        """Keep the belt moving until a condition holds."""

        def moved() -> Any:
            self.step(confidence)
            return condition()

        return wait_for(moved, 20.0, what)


def test_a_killed_node_decides_no_item_twice_and_its_journal_is_whole(
    graph: Graph, start: Start, tmp_path: Path
) -> None:
    belt, file = Belt(graph), tmp_path / 'journal.sqlite'
    for _ in range(2):
        process = start(journal__file=file)
        belt.tick = max(belt.tick - 30, 1)  # what was decided last is still there, or again
        belt.stand_still_until_heard()
        before = len(belt.decisions)
        belt.run_until(lambda enough=before + 8: len(belt.decisions) >= enough, 'eight decisions')
        process.kill()
        process.wait()
    time.sleep(0.3)
    said = Counter(decision.track_id for decision in belt.decisions)
    assert max(said.values()) == 1
    kept = {entry['track_id'] for entry in read_entries(file)}
    assert set(said) <= kept
    assert len(kept - set(said)) <= 2  # at most the one that each kill caught between the two
    with sqlite3.connect(file) as connection:
        assert connection.execute('PRAGMA integrity_check').fetchone() == ('ok',)


def _review(graph: Graph, **fields: Any) -> Any:
    client = graph.node.create_client(srv.ReviewItem, 'divert/review_item')
    assert client.wait_for_service(5.0)
    future = client.call_async(srv.ReviewItem.Request(**fields))
    wait_for(future.done, 5.0, 'the answer')
    return future.result()


def test_a_review_is_kept_and_a_wrong_one_refused(
    graph: Graph, start: Start, tmp_path: Path
) -> None:
    belt, file = Belt(graph), tmp_path / 'journal.sqlite'
    start(journal__file=file)
    belt.run_until(lambda: belt.decisions, 'a decision')
    decision = belt.decisions[0]
    of = {'header': decision.header, 'track_id': decision.track_id}
    answer = _review(graph, **of, found=srv.ReviewItem.Request.DAMAGED, damage_type=2, minor=True)
    assert (answer.success, answer.message) == (True, '')
    entry = next(e for e in read_entries(file) if e['track_id'] == decision.track_id)
    assert (entry['found'], entry['found_type'], entry['found_minor']) == ('damaged', 'tear', 1)
    assert 'found must be SOUND (1) or DAMAGED (2), got 0' in _review(graph, **of).message
    assert 'got 77' in _review(graph, **of, found=1, damage_type=77).message
    assert 'no decision on track 9999' in _review(graph, track_id=9999, found=1).message


def test_a_journal_that_cannot_be_written_stops_no_decision(
    graph: Graph, start: Start, tmp_path: Path
) -> None:
    (tmp_path / 'file').write_text('')
    belt = Belt(graph)
    process = start(journal__file=tmp_path / 'file' / 'journal.sqlite')
    belt.run_until(lambda: len(belt.decisions) > 5, 'decisions')
    process.terminate()
    said = process.communicate(timeout=10.0)[1]
    assert process.returncode == 0
    assert said.count('cannot be used') == 1
    assert 'Traceback' not in said


def test_too_many_diverts_are_a_warning_in_the_diagnostics(graph: Graph, start: Start) -> None:
    from diagnostic_msgs.msg import DiagnosticArray

    belt = Belt(graph)
    told = graph.listen(DiagnosticArray, '/diagnostics')
    start()

    def warnings() -> list[str]:
        statuses = [status for array in told for status in array.status]
        return [s.message for s in statuses if 'diverted or inspected' in s.message]

    belt.run_until(lambda: len(belt.decisions) >= 4, 'decisions')
    assert not warnings()
    (sentence, *_) = belt.run_until(warnings, 'the warning', confidence=0.95)
    assert 'more than 1.000% of the items' in sentence
    assert {decision.threshold for decision in belt.decisions} == {0.5}


def test_a_wrong_policy_is_refused_at_the_start(start: Start, tmp_path: Path) -> None:
    policy = tmp_path / 'policy.yaml'
    policy.write_text('format: damage_perception/policy 1\nrules: [{damage: dent}]\n')
    process = start(decision__policy_file=policy)
    said = process.communicate(timeout=20.0)[1]
    assert process.returncode == 2
    assert 'policy.yaml: rules[0].action is missing' in said
    assert 'Traceback' not in said
