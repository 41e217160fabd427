#!/usr/bin/env python3
"""How a robot consumes decisions: act once an item, and tell silence from safety.

    source scripts/env.sh
    damage-perception run &
    python3 examples/divert_robot.py

A real robot puts its arm or pusher where this one logs.
"""

from __future__ import annotations

import time

import rclpy
from damage_perception.msg import DivertDecision
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

# Decisions are sent once and reliably. A queue as deep as the publisher's keeps a burst whole.
DECISIONS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
HEARTBEATS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)

SILENT_AFTER_S = 1.0  # five heartbeats missed: whoever decides is gone


class DivertRobot(Node):
    """Stops when nobody vouches for what passes; otherwise acts on each item once."""

    def __init__(self) -> None:
        super().__init__('divert_robot')
        self._done: set[tuple[int, int]] = set()
        self._heard_s = time.monotonic()
        self._running: bool | None = None
        self.create_subscription(DivertDecision, 'divert/decision', self.on_decision, DECISIONS)
        self.create_subscription(DivertDecision, 'divert/heartbeat', self.on_heartbeat, HEARTBEATS)
        # By the steady clock: simulated time stands still when a recording ends, and a watchdog
        # that stands still with it would never bark.
        self.create_timer(0.1, self.watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_decision(self, message: DivertDecision) -> None:
        """Act on an item, once."""
        # A track id is unique while the perception runs and starts anew with it, so the stamp
        # belongs to the key.
        key = (message.track_id, message.header.stamp.sec)
        if key in self._done:
            return
        self._done.add(key)
        # `pose` is where the item was at header.stamp, in the frame of the camera. By now it has
        # moved on by the belt's speed times `age`; transform to the robot's frame with tf2.
        where = message.pose.position
        place = f'({where.x:.2f}, {where.y:.2f}, {where.z:.2f}) m, {message.age:.2f} s ago'
        if message.decision == DivertDecision.DIVERT:
            self.push_out(message, place)
        elif message.decision == DivertDecision.PASS:
            self.get_logger().info(f'item {message.track_id} passes')
        else:  # INSPECT and UNKNOWN: not known to be sound, so never let it pass as sound
            self.set_aside(message, place)

    def on_heartbeat(self, message: DivertDecision) -> None:
        """Run only while the perception vouches for itself."""
        self._heard_s = time.monotonic()
        sound = message.decision == DivertDecision.PASS
        self.set_running(sound, message.reason)

    def watch(self) -> None:
        """Stop when the heartbeat itself is silent; a missing message is no good news."""
        silent_s = time.monotonic() - self._heard_s
        if silent_s > SILENT_AFTER_S:
            self.set_running(False, f'no heartbeat for {silent_s:.1f} s')

    def push_out(self, message: DivertDecision, place: str) -> None:
        """Take a damaged item out; the place for your actuator."""
        self.get_logger().info(
            f'item {message.track_id} is DIVERTED at {place}: {message.reason} '
            f'(P = {message.confidence:.2f}, threshold {message.threshold:.2f})'
        )

    def set_aside(self, message: DivertDecision, place: str) -> None:
        """Lead an item to a person."""
        self.get_logger().info(
            f'item {message.track_id} at {place} needs a person: {message.reason}'
        )

    def set_running(self, running: bool, reason: str) -> None:
        """Start or stop the belt, and say so when that changes."""
        if running != self._running:
            self._running = running
            text = 'the belt runs' if running else f'the belt stops: {reason}'
            self.get_logger().info(text)


def main() -> None:
    """Run the robot until Ctrl-C."""
    rclpy.init()
    robot = DivertRobot()
    try:
        rclpy.spin(robot)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        robot.destroy_node()
        rclpy.try_shutdown()


if __name__ == '__main__':
    main()
