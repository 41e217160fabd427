"""The divert node in a process of its own, sent reports of items of which one is due with each."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.errors import UserError

NODE = 'from damage_perception.nodes.divert_node import main; main()'
_PITCH_M = 0.1  # between items, and what the belt moves from report to report
_START_S = 30.0


def run_trial(reports: int, tracks: int, rate_hz: float, journal: Path | None) -> dict[str, Any]:
    """Send reports of `tracks` items; the first of them crosses the line with each.

    Returns:
        `median_ms`, `p95_ms` and `longest_ms` from sending a report to having its decision;
        `decided`, items that were decided, and `twice`, those that were decided again.

    Raises:
        UserError: if the node does not start or leaves items without decision.
    """
    import rclpy

    # Its own domain on this machine only: a benchmark must not speak into a running plant.
    os.environ.setdefault('ROS_DOMAIN_ID', str(1 + os.getpid() % 100))
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    call = [sys.executable, '-c', NODE, '--ros-args', '-p', 'decision.line:=[1.0,0.0,0.0,0.0]']
    if journal is not None:
        call += ['-p', f'journal.file:={journal.resolve()}']
    # From another folder, because the source tree must not hide the built package.
    process = subprocess.Popen(call, cwd='/', stderr=subprocess.DEVNULL)
    rclpy.init()
    try:
        sent_s, said = _Sender(tracks).run(reports, rate_hz, process)
    finally:
        process.terminate()
        process.wait()
        rclpy.try_shutdown()
    counts = Counter(track for track, _ in said)
    first = dict(reversed(said))  # the first decision on each
    delays = [1e3 * (first[track] - at_s) for track, at_s in sent_s.items() if track in first]
    if len(delays) < reports:
        raise UserError(f'{reports - len(delays)} of {reports} items got no decision; try again')
    return {
        'tracks': tracks,
        'median_ms': float(np.median(delays)),
        'p95_ms': float(np.percentile(delays, 95)),
        'longest_ms': max(delays),
        'decided': len(delays),
        'twice': sum(count > 1 for count in counts.values()),
    }


class _Sender:
    """Sends reports and notes when which decision comes."""

    def __init__(self, tracks: int) -> None:
        import rclpy
        from rclpy.executors import SingleThreadedExecutor

        import damage_perception.msg as msg
        from damage_perception.ros import qos

        self._tracks = tracks
        self._node = rclpy.create_node('decision_benchmark')
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(self._node)
        self._publisher = self._node.create_publisher(msg.DamageReport, 'damage/report', qos.RESULT)
        self._said: list[tuple[int, float]] = []
        self._node.create_subscription(
            msg.DivertDecision, 'divert/decision', self._note, qos.DECISION
        )

    def run(
        self, reports: int, rate_hz: float, process: subprocess.Popen[bytes]
    ) -> tuple[dict[int, float], list[tuple[int, float]]]:
        """Give when the report was sent that made each track due, and the decisions that came."""
        self._wait(process)
        sent_s: dict[int, float] = {}
        began = time.monotonic()
        for number in range(reports):
            report = self._report(number)
            sent_s[number + 1] = time.perf_counter()
            self._publisher.publish(report)
            self._spin_until(began + (number + 1) / rate_hz)
        self._spin_until(time.monotonic() + 1.0)
        return sent_s, self._said

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + _START_S
        while not (
            self._publisher.get_subscription_count()
            and self._node.count_publishers('divert/decision')
        ):
            if process.poll() is not None or time.monotonic() > end:
                raise UserError('the divert node did not start; try `damage-perception run`')
            self._executor.spin_once(timeout_sec=0.05)
        self._spin_until(time.monotonic() + 1.0)

    def _spin_until(self, end_s: float) -> None:
        while (left := end_s - time.monotonic()) > 0.0:
            self._executor.spin_once(timeout_sec=left)

    def _note(self, decision: Any) -> None:
        self._said.append((decision.track_id, time.perf_counter()))

    def _report(self, number: int) -> Any:
        """Items from the line backwards; the first of them has just reached it."""
        from geometry_msgs.msg import Point, Pose

        import damage_perception.msg as msg
        from damage_perception.ros.messages import header

        items = [
            msg.ItemReport(
                track_id=number + 1 + ahead, confidence=0.1, frames=5, sku='A',
                pose=Pose(position=Point(x=-_PITCH_M * ahead + 0.001, z=1.0)),
            )
            for ahead in range(self._tracks)
        ]  # fmt: skip
        return msg.DamageReport(
            header=header(time.time_ns(), 'camera'), health=msg.DamageReport.OK, items=items
        )
