"""Reports in, one decision an item out, and a heartbeat that tells silence from safety."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import damage_perception.msg as msg
from damage_perception import __version__
from damage_perception.perception.booth.decision import BoothDecisionMaker
from damage_perception.perception.decision.decision import CUT_SHORT, DecisionMaker, JudgedDecision
from damage_perception.perception.decision.policy_file import load_policy
from damage_perception.report import Decision, Health, Pose, Verdict
from damage_perception.ros import diagnostics, qos
from damage_perception.ros.alive import watch_sign
from damage_perception.ros.booth_parameters import read_extrinsics
from damage_perception.ros.decision_log import DecisionLog
from damage_perception.ros.managed_node import ManagedNode
from damage_perception.ros.messages import decision_to_message, report_from_message
from damage_perception.ros.node_settings import DivertNodeSettings
from damage_perception.ros.parameters import LiveSettings
from damage_perception.ros.report_stream import ReportStream
from damage_perception.ros.spinning import spin
from damage_perception.ros.station_health import StationHealth
from damage_perception.srv import ReviewItem

DIAGNOSE_PERIOD_S = 1.0
NO_POSE = Pose((math.nan,) * 3, (math.nan,) * 4)


class DivertNode(ManagedNode):
    """A shell around `DecisionMaker`, or `BoothDecisionMaker` where there are several cameras."""

    def __init__(self) -> None:
        super().__init__('divert_node')
        self.settings = LiveSettings(self, DivertNodeSettings())
        self._policy = load_policy(self.settings.value.decision.policy_file)
        self._timer: Any = None

    def configure(self) -> None:
        """Make what the node speaks through."""
        self._extrinsics = read_extrinsics(self, self.settings.value.booth)
        self._decisions = self._make_publisher('divert/decision', qos.DECISION)
        self._heartbeat = self._make_publisher('divert/heartbeat', qos.RESULT)
        self._diagnostics = diagnostics.Diagnostics(self)
        versions = {'damage_perception': __version__, 'policy': self._policy.version or 'shipped'}
        self._log = DecisionLog(self.settings.value.journal, versions, self.warn)
        self._review = self.create_service(ReviewItem, 'divert/review_item', self._log.review)
        self._station = StationHealth(self.settings.value.watch)

    def activate(self) -> None:
        """Listen to reports and let the heart beat."""
        self._maker = self._make_maker()
        topics = {name: f'{name}/damage/report' for name in self._extrinsics}
        topics = topics or {'': 'damage/report'}  # one camera
        self._streams = {
            camera: ReportStream(self.resolve_topic_name(topic), self._publisher_ids, self.now_s())
            for camera, topic in topics.items()
        }
        self._diagnosed_s = -1e9
        self._alive, self._decided = False, 0
        for camera, topic in topics.items():
            self.listen(msg.DamageReport, topic, partial(self._on_report, camera), qos.RESULT)
            alive = topic.replace('damage/report', 'damage/alive')
            watch_sign(self, alive, partial(self._on_sign, camera))
        self._timer = self.every(self.settings.value.heartbeat.period_s, self._beat)

    def deactivate(self) -> None:
        """Stop to listen."""
        self.stop_listening()
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None

    def cleanup(self) -> None:
        """Give the publishers back."""
        if hasattr(self, '_diagnostics'):
            self.destroy_lifecycle_publisher(self._decisions)
            self.destroy_lifecycle_publisher(self._heartbeat)
            self.destroy_service(self._review)
            self._log.close()
            self._diagnostics.destroy()
            del self._diagnostics

    def _make_publisher(self, topic: str, profile: Any) -> Any:
        events = qos.publisher_events(self.resolve_topic_name(topic), self.warn)
        return self.create_lifecycle_publisher(
            msg.DivertDecision, topic, profile, event_callbacks=events
        )

    def _make_maker(self) -> DecisionMaker:
        settings = self.settings.value
        if not self._extrinsics:
            return DecisionMaker(settings.decision, self._policy)
        return BoothDecisionMaker(self._extrinsics, settings.booth, settings.decision, self._policy)

    def _publisher_ids(self, topic: str) -> Iterable[str]:
        return [bytes(info.endpoint_gid).hex() for info in self.get_publishers_info_by_topic(topic)]

    def _begin_anew(self, camera: str, source: str) -> None:
        """Start anew with a segmentation node that was started anew: it counts tracks from 1."""
        self._send(self._maker.restart(camera, self._log.decided(source)))
        self._streams[camera].begin_anew(source)

    def _on_report(self, camera: str, message: Any) -> None:
        report = report_from_message(message)
        stream = self._streams[camera]
        if source := stream.newcomer():
            self._begin_anew(camera, source)
        went_back = stream.take(report, self.now_s())
        if report.stamp_ns == 0:
            return
        if went_back:
            self.get_logger().warning('time went back; all open items are decided')
            self._send(self._maker.go_back(camera, report.stamp_ns, CUT_SHORT))
        self._maker.settings = self.settings.value.decision
        self._send(self._maker.update(report, camera))

    def _on_sign(self, camera: str, alive: bool) -> None:
        """Tell at once that a segmentation node has ended: what it last said is worth nothing."""
        self._streams[camera].gone = not alive
        if not alive:
            self._beat()

    def _beat(self) -> None:
        now, limit = self.now_s(), self.settings.value.heartbeat.stale_after_s
        if all(stream.is_blind(now, limit) for stream in self._streams.values()):
            self._send(self._maker.flush(CUT_SHORT))  # simulated time may have ended
        silent = {
            camera: reason for camera, stream in self._streams.items()
            if (reason := stream.why_unknown(now, limit))
        }  # fmt: skip
        if isinstance(self._maker, BoothDecisionMaker):
            self._maker.silent, self._maker.booth = silent, self.settings.value.booth
        reason = ' and '.join(silent.values())
        self._station.hear(stream.newest for stream in self._streams.values())
        if bool(reason) == self._alive:
            log = self.get_logger()
            log.warning(f'nothing is vouched for: {reason}') if reason else log.info('vouching')
        self._alive = not reason
        age = max(stream.age_s(now) for stream in self._streams.values())
        self._heartbeat.publish(decision_to_message(self._state(reason, age)))
        self._diagnose(reason, age)

    def _state(self, reason: str, age: float) -> Decision:
        """Give the heartbeat: UNKNOWN with a reason, or PASS when all is well; no item."""
        reports = [stream.newest for stream in self._streams.values() if stream.newest is not None]
        newest = max(reports, key=lambda report: report.stamp_ns, default=None)
        stamp, frame_id = (newest.stamp_ns, newest.frame_id) if newest else (0, '')
        return Decision(
            stamp, frame_id, 0, '', Verdict.UNKNOWN if reason else Verdict.PASS, math.nan,
            self._maker.threshold, 0, reason, NO_POSE, age,
            Health.UNKNOWN if reason else self._station.health,
        )  # fmt: skip

    def _source_of(self, track_id: int) -> str:
        """Who first reported an item: ids of a booth go round its cameras."""
        streams = list(self._streams.values())
        return streams[(track_id - 1) % len(streams)].source

    def _send(self, decisions: Sequence[JudgedDecision]) -> None:
        now_ns = self.get_clock().now().nanoseconds
        for decision in decisions:
            # Kept before it is sent: after a crash in between an item has no decision, not two.
            if not self._log.keep(self._source_of(decision.track_id), decision):
                continue
            self._station.take(decision, self.settings.value.watch)
            said = dataclasses.replace(
                decision,
                age=max(now_ns - decision.stamp_ns, 0) / 1e9,
                health=max(decision.health, self._station.health),
            )
            self._decisions.publish(decision_to_message(said))
            self._decided += 1

    def _diagnose(self, reason: str, age: float) -> None:
        now = self.now_s()
        if now - self._diagnosed_s < DIAGNOSE_PERIOD_S:
            return
        self._diagnosed_s = now
        warnings = [reason] if reason else self._station.warnings()
        level = diagnostics.WARN if warnings else diagnostics.OK
        values = {'report age (s)': age, 'decisions': self._decided}
        self._diagnostics.publish(level, '; '.join(warnings) or 'deciding', values)


def main() -> None:
    """Run the node."""
    sys.exit(spin([DivertNode]))


if __name__ == '__main__':
    main()
