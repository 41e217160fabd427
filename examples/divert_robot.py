#!/usr/bin/env python3
"""How a robot consumes decisions: act once an item and in time, and tell silence from safety.

    source scripts/env.sh
    damage-perception run &
    python3 examples/divert_robot.py

It prints a line an item. A real robot moves its arm where this one prints. Decisions look the same
whether one camera or a booth of several made them; only their frame differs: that of the camera,
or that of the booth. `belt_m_s` and `pick_line` are told in that frame:

    python3 examples/divert_robot.py --ros-args -p belt_m_s:='[0.4, 0.0, 0.0]' \
        -p pick_line:='[1.0, 0.0, 0.0, 0.6]'
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import rclpy
from damage_perception.msg import DivertDecision
from rclpy.clock import Clock, ClockType
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.time import Time

# Decisions are sent once and reliably. A queue as deep as the publisher's keeps a burst whole.
DECISIONS = QoSProfile(depth=100, reliability=ReliabilityPolicy.RELIABLE)
HEARTBEATS = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)

SILENT_AFTER_S = 1.0  # five heartbeats missed: whoever decides is gone
WHAT = {0: 'UNKNOWN', 1: 'PASS', 2: 'DIVERT', 3: 'INSPECT'}


@dataclass(frozen=True)
class Pick:
    """Where and when an item can be taken.

    Attributes:
        place_m: (3,) its centre when it crosses the line, in the frame of the decision.
        opening_m: how far the fingers must open: its narrower side. NaN = not known.
        left_s: seconds until then; below 0 it has gone by.
    """

    place_m: np.ndarray
    opening_m: float
    left_s: float


def plan(
    message: DivertDecision, belt_m_s: np.ndarray, line: np.ndarray, now_s: float
) -> Pick | None:
    """Plan a pick at the line; None where it is not known where the item is or ever will be.

    Args:
        message: the decision; its pose holds for its stamp, not for now.
        belt_m_s: (3,) velocity of the belt in the frame of the decision, as of an encoder.
        line: (4,) plane x, y, z, d where the arm reaches items, metres, in that frame.
        now_s: the time, of the clock that made the stamp.
    """
    position = message.pose.position
    seen_m = np.array([position.x, position.y, position.z])
    towards = float(belt_m_s @ line[:3])
    if not np.isfinite(seen_m).all() or towards <= 0.0:
        return None
    ride_s = (line[3] - float(seen_m @ line[:3])) / towards
    stamp_s = message.header.stamp.sec + message.header.stamp.nanosec * 1e-9
    opening = min(message.size.x, message.size.y)
    return Pick(seen_m + belt_m_s * ride_s, opening, stamp_s + ride_s - now_s)


class DivertRobot(Node):
    """Stops when nobody vouches for what passes; otherwise acts on each item once."""

    def __init__(self) -> None:
        super().__init__('divert_robot')
        self._belt_m_s = np.array(self.declare_parameter('belt_m_s', [0.4, 0.0, 0.0]).value)
        self._line = np.array(self.declare_parameter('pick_line', [1.0, 0.0, 0.0, 0.6]).value)
        self._done: set[tuple[int, int]] = set()
        self._heard_s = time.monotonic()
        self._running: bool | None = None
        self.create_subscription(DivertDecision, 'divert/decision', self.on_decision, DECISIONS)
        self.create_subscription(DivertDecision, 'divert/heartbeat', self.on_heartbeat, HEARTBEATS)
        # By the steady clock: simulated time stands still when a recording ends, and a watchdog
        # that stands still with it would never bark.
        self.create_timer(0.1, self.watch, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def on_decision(self, message: DivertDecision) -> None:
        """Act on an item, once: only PASS lets it go on; UNKNOWN is never sound."""
        # A track id is unique while the perception runs and starts anew with it, so the stamp
        # belongs to the key.
        key = (message.track_id, message.header.stamp.sec)
        if key in self._done:
            return
        self._done.add(key)
        act = 'goes on'
        if message.decision != DivertDecision.PASS:
            act = self.take_out(message)
        print(
            f'item {message.track_id} {WHAT[message.decision]}, {message.reason}: {act}', flush=True
        )

    def take_out(self, message: DivertDecision) -> str:
        """Take an item out, the place for your arm; tells what is done."""
        pick = plan(message, self._belt_m_s, self._line, self.now_s(message))
        if pick is None:
            return 'the belt stops for a person, since nobody knows where it is'
        if pick.left_s < 0.0:
            return f'the belt stops for a person, {-pick.left_s:.2f} s too late to pick it'
        x, y, z = pick.place_m
        opening = '' if math.isnan(pick.opening_m) else f', fingers {pick.opening_m:.2f} m apart'
        return f'picked in {pick.left_s:.2f} s at ({x:.2f}, {y:.2f}, {z:.2f}) m{opening}'

    def now_s(self, message: DivertDecision) -> float:
        """Give the time: of this node's clock, or of the decision where that has none yet."""
        now = self.get_clock().now().nanoseconds or (
            Time.from_msg(message.header.stamp).nanoseconds + round(message.age * 1e9)
        )
        return now * 1e-9

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
