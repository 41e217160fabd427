"""Quality of service, one named profile a purpose, and mismatches reported by topic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.duration import Duration
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSPolicyKind,
    QoSProfile,
    ReliabilityPolicy,
)


def _profile(
    reliability: ReliabilityPolicy,
    depth: int,
    durability: DurabilityPolicy = DurabilityPolicy.VOLATILE,
) -> QoSProfile:
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability,
        durability=durability,
    )


SENSOR = _profile(ReliabilityPolicy.BEST_EFFORT, 5)  # images: a lost one is never waited for
RESULT = _profile(ReliabilityPolicy.RELIABLE, 10)  # what robots act on
DECISION = _profile(ReliabilityPolicy.RELIABLE, 100)  # one an item: none may be overwritten
LATCHED = _profile(ReliabilityPolicy.RELIABLE, 1, DurabilityPolicy.TRANSIENT_LOCAL)

# Of a node whose end is noticed within the lease; DDS itself renews it, two thirds in.
ALIVE = QoSProfile(
    depth=1,
    liveliness=LivelinessPolicy.AUTOMATIC,
    liveliness_lease_duration=Duration(seconds=0.4),
)

Report = Callable[[str], None]


def subscription_events(topic: str, report: Report) -> SubscriptionEventCallbacks:
    """Say in one sentence that a publisher of a topic offers less than we ask for."""
    return SubscriptionEventCallbacks(
        incompatible_qos=lambda info: report(_sentence(topic, 'publisher offers', info)),
        use_default_callbacks=False,
    )


def publisher_events(topic: str, report: Report) -> PublisherEventCallbacks:
    """Say in one sentence that a subscriber of a topic asks for more than we offer."""
    return PublisherEventCallbacks(
        incompatible_qos=lambda info: report(_sentence(topic, 'subscriber asks for', info)),
        use_default_callbacks=False,
    )


def _sentence(topic: str, who: str, info: Any) -> str:
    policy = QoSPolicyKind(info.last_policy_kind).name.lower()
    return f'{topic}: a {who} another {policy}, so no message passes; set both to the same'
