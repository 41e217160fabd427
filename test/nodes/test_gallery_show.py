"""A product whose own shape looks like damage, through the real nodes, and then its new design."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from played import COMMAND
from ros_graph import Graph, wait_for

from damage_perception import msg, srv
from damage_perception.recording.scenarios import write_scenario
from damage_perception.report import Verdict
from damage_perception.ros import qos

SKU = 'P-100'
BOXES = 6  # of the recording: two of the first design, four of the next


class Operator:
    """Enrols a reference whenever the belt calls for one, and keeps what was decided."""

    def __init__(self, graph: Graph) -> None:
        self.said: list[Any] = []
        self.answers: list[Any] = []
        self._client = graph.node.create_client(srv.EnrollReference, 'gallery/enroll_reference')
        graph.node.create_subscription(
            msg.DivertDecision, 'divert/decision', self._hear, qos.DECISION
        )

    def _hear(self, decision: Any) -> None:
        self.said.append(decision)
        if len(self.said) == 1:
            self._enrol(confirm=True)  # somebody looked: it is the product's own shape
        elif decision.decision == Verdict.INSPECT and len(self.answers) == 1:
            self._enrol(replace=True)  # somebody looked: it is a new design

    def _enrol(self, **how: bool) -> None:
        request = srv.EnrollReference.Request(sku=SKU, timeout=120.0, by='operator', **how)
        self.answers.append(self._client.call_async(request))


def test_references_turn_divert_into_pass_and_a_new_design_into_inspect(
    graph: Graph, tmp_path: Path
) -> None:
    write_scenario('new_design', tmp_path / 'recording')
    operator = Operator(graph)
    reports = graph.listen(msg.DamageReport, 'damage/report', qos.DECISION)
    call = [*COMMAND, 'run', '--sim-time', '--set', f'gallery.path:={tmp_path / "gallery"}']
    call += ['--set', 'network.weights:=none']
    nodes = subprocess.Popen(call, cwd='/', stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: reports, 60.0, 'the nodes')
        player = [*COMMAND, 'play', str(tmp_path / 'recording'), '--wait-for-reports']
        subprocess.run([*player, '--rate', '5'], cwd='/', check=True, capture_output=True)
        wait_for(lambda: len(operator.said) >= BOXES, 30.0, 'the last decision')
        time.sleep(0.2)
    finally:
        nodes.send_signal(signal.SIGINT)
        nodes.wait(10.0)
    verdicts = [Verdict(decision.decision).name for decision in operator.said]
    assert verdicts == ['DIVERT', 'PASS', 'DIVERT', 'DIVERT', 'INSPECT', 'PASS']
    assert 'deviate alike from its references: a new design?' in operator.said[4].reason
    first, second = (answer.result() for answer in operator.answers)
    assert first.success
    assert second.success
    assert second.reference.design.startswith('since ')
