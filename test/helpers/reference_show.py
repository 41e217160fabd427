"""A product whose own print and shape look like damage, through the real nodes; its new design.

    python test/helpers/reference_show.py

plays the recording `new_design` of `scripts/make_scenarios.py` into `damage-perception run`, with
the shipped weights, calibration and policy, and prints what was decided. Whoever looks after the
line enrols the second box over the service after the first DIVERT, since nothing is wrong with it,
and one more in place of it when a new design is suspected. Nothing is started anew. The third and
the last box are the ones to look at: their references are other copies.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from played import COMMAND
from ros_graph import Graph, wait_for

from damage_perception import msg, srv
from damage_perception.recording.scenarios import write_scenario
from damage_perception.report import Verdict
from damage_perception.ros import qos

SKU = 'P-100'
BOXES = 8  # of the recording: three of the first design, five of the next


@dataclass(frozen=True)
class Shown:
    """What the nodes decided, in order, and what they answered to who enrolled references."""

    decisions: list[Any]
    answers: list[Any]

    @property
    def verdicts(self) -> list[str]:
        """Name what was decided of each box."""
        return [Verdict(decision.decision).name for decision in self.decisions]


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


def show(graph: Graph, folder: Path, options: Sequence[str] = ()) -> Shown:
    """Play the recording; `folder` gets it and the gallery, `options` go to the nodes."""
    write_scenario('new_design', folder / 'recording')
    operator = Operator(graph)
    reports = graph.listen(msg.DamageReport, 'damage/report', qos.DECISION)
    call = [*COMMAND, 'run', '--sim-time', '--set', f'gallery.path:={folder / "gallery"}']
    nodes = subprocess.Popen([*call, *options], cwd='/', stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: reports, 240.0, 'the nodes')
        player = [*COMMAND, 'play', str(folder / 'recording'), '--wait-for-reports']
        subprocess.run([*player, '--rate', '5'], cwd='/', check=True, capture_output=True)
        wait_for(lambda: len(operator.said) >= BOXES, 30.0, 'the last decision')
        time.sleep(0.2)
    finally:
        nodes.send_signal(signal.SIGINT)
        nodes.wait(10.0)
    return Shown(operator.said, [answer.result() for answer in operator.answers])


def main() -> None:
    domain = 1 + os.getpid() % 100
    os.environ['ROS_DOMAIN_ID'] = str(domain)
    rclpy.init(args=[], domain_id=domain)
    graph = Graph()
    try:
        with tempfile.TemporaryDirectory() as folder:
            shown = show(graph, Path(folder))
    finally:
        graph.close()
        rclpy.try_shutdown()
    print('| box | decision | P | reason |\n|---|---|---|---|')
    for number, (said, verdict) in enumerate(
        zip(shown.decisions, shown.verdicts, strict=True), start=1
    ):
        print(f'| {number} | {verdict} | {said.confidence:.3f} | {said.reason} |')
    for answer in shown.answers:
        kept = answer.reference
        print(f'enrolled: {answer.success}, reference {kept.reference} {kept.design}'.rstrip())


if __name__ == '__main__':
    sys.exit(main())
