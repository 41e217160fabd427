"""Reports in, one decision an item out, and a heartbeat that tells silence from safety."""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import damage_perception.msg as msg
from damage_perception import __version__
from damage_perception.perception.budget_watch import OutcomeWatch
from damage_perception.perception.decision import CUT_SHORT, DecisionMaker, JudgedDecision
from damage_perception.perception.policy_file import load_policy
from damage_perception.report import DamageReport, Decision, Health, Pose, Verdict
from damage_perception.ros import diagnostics, qos
from damage_perception.ros.decision_log import DecisionLog
from damage_perception.ros.managed_node import ManagedNode
from damage_perception.ros.messages import decision_to_message, report_from_message
from damage_perception.ros.node_settings import DivertNodeSettings
from damage_perception.ros.parameters import LiveSettings
from damage_perception.ros.report_source import ReportSource
from damage_perception.ros.spinning import spin
from damage_perception.ros.stamp_order import StampOrder
from damage_perception.srv import ReviewItem

DIAGNOSE_PERIOD_S = 1.0
NO_POSE = Pose((math.nan,) * 3, (math.nan,) * 4)


class DivertNode(ManagedNode):
    """A shell around `DecisionMaker`."""

    def __init__(self) -> None:
        super().__init__('divert_node')
        self.settings = LiveSettings(self, DivertNodeSettings())
        self._policy = load_policy(self.settings.value.decision.policy_file)
        self._timer: Any = None

    def configure(self) -> None:
        """Make what the node speaks through."""
        self._decisions = self._make_publisher('divert/decision', qos.DECISION)
        self._heartbeat = self._make_publisher('divert/heartbeat', qos.RESULT)
        self._diagnostics = diagnostics.Diagnostics(self)
        versions = {'damage_perception': __version__, 'policy': self._policy.version or 'shipped'}
        self._log = DecisionLog(self.settings.value.journal, versions, self.warn)
        self._review = self.create_service(ReviewItem, 'divert/review_item', self._log.review)
        self._watch = OutcomeWatch(self.settings.value.watch)

    def activate(self) -> None:
        """Listen to reports and let the heart beat."""
        self._maker = DecisionMaker(self.settings.value.decision, self._policy)
        self._newest: DamageReport | None = None
        self._order = StampOrder()
        self._reporters, self._source = ReportSource(self._reporter_ids), uuid4().hex
        self._arrived_s = self._judged_s = self.now_s()
        self._diagnosed_s = -1e9
        self._alive, self._decided = False, 0
        self.listen(msg.DamageReport, 'damage/report', self._on_report, qos.RESULT)
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

    def _reporter_ids(self) -> list[str]:
        found = self.get_publishers_info_by_topic(self.resolve_topic_name('damage/report'))
        return [bytes(info.endpoint_gid).hex() for info in found]

    def _begin_anew(self, source: str) -> None:
        """Start anew with a segmentation node that was started anew: it counts tracks from 1."""
        self._send(self._maker.flush('the reports began anew while it was in view'))
        self._source, self._order = source, StampOrder()
        self._maker = DecisionMaker(
            self.settings.value.decision, self._policy, self._log.decided(source)
        )

    def _on_report(self, message: Any) -> None:
        report = report_from_message(message)
        self._arrived_s = self.now_s()
        if source := self._reporters.newcomer():
            self._begin_anew(source)
        if report.stamp_ns == 0:  # no image has come yet
            self._newest = self._newest or report
            return
        if self._order.goes_back(report.stamp_ns):
            self._order = StampOrder()
            self._order.goes_back(report.stamp_ns)
            self.get_logger().warning('time went back; all open items are decided')
            self._send(self._maker.flush(CUT_SHORT))
        self._newest = report
        if report.health != Health.UNKNOWN:
            self._judged_s = self._arrived_s
        self._maker.settings = self.settings.value.decision
        self._send(self._maker.update(report))

    def _beat(self) -> None:
        age = self.now_s() - self._arrived_s
        limit = self.settings.value.heartbeat.stale_after_s
        stale = self._newest is None or age > limit
        if self.now_s() - self._judged_s > limit:  # by this clock: simulated time may have ended
            self._send(self._maker.flush(CUT_SHORT))
        reason = self._why_unknown(stale, age)
        if bool(reason) == self._alive:
            log = self.get_logger()
            log.warning(f'nothing is vouched for: {reason}') if reason else log.info('vouching')
        self._alive = not reason
        self._heartbeat.publish(decision_to_message(self._state(reason, age)))
        self._diagnose(reason, age)

    def _why_unknown(self, stale: bool, age: float) -> str:
        topic = self.resolve_topic_name('damage/report')
        if self._newest is None:
            return f'{topic} has not sent anything yet'
        if stale:
            return f'{topic} has been silent for {age:.1f} s'
        return self._newest.reason if self._newest.health == Health.UNKNOWN else ''

    def _state(self, reason: str, age: float) -> Decision:
        """Give the heartbeat: UNKNOWN with a reason, or PASS when all is well; no item."""
        stamp, frame_id = 0, ''
        if self._newest is not None:
            stamp, frame_id = self._newest.stamp_ns, self._newest.frame_id
        return Decision(
            stamp, frame_id, 0, '', Verdict.UNKNOWN if reason else Verdict.PASS, math.nan,
            self._maker.threshold, 0, reason, NO_POSE, age,
        )  # fmt: skip

    def _send(self, decisions: Sequence[JudgedDecision]) -> None:
        now_ns = self.get_clock().now().nanoseconds
        self._watch.settings = self.settings.value.watch
        for decision in decisions:
            # Kept before it is sent: after a crash in between an item has no decision, not two.
            if not self._log.keep(self._source, decision):
                continue
            age = max(now_ns - decision.stamp_ns, 0) / 1e9
            self._decisions.publish(decision_to_message(dataclasses.replace(decision, age=age)))
            self._decided += 1
            self._watch.take(decision.decision)

    def _diagnose(self, reason: str, age: float) -> None:
        now = self.now_s()
        if now - self._diagnosed_s < DIAGNOSE_PERIOD_S:
            return
        self._diagnosed_s = now
        warnings = [reason] if reason else self._watch.warnings()
        level = diagnostics.WARN if warnings else diagnostics.OK
        values = {'report age (s)': age, 'decisions': self._decided}
        self._diagnostics.publish(level, '; '.join(warnings) or 'deciding', values)


def main() -> None:
    """Run the node."""
    sys.exit(spin([DivertNode]))


if __name__ == '__main__':
    main()
