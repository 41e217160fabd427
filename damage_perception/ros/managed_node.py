"""What every node of the package shares: a logged life cycle, its clock and its start."""

from __future__ import annotations

import math
import traceback
from collections.abc import Callable
from typing import Any

from rclpy._rclpy_pybind11 import RCLError
from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile
from rclpy.timer import Timer

from damage_perception.errors import CallError, UserError
from damage_perception.ros import qos
from damage_perception.ros.throttle import Throttle
from damage_perception.ros.watch_clock import WatchClock


class ManagedNode(LifecycleNode):
    """A lifecycle node; subclasses fill in `configure`, `activate`, `deactivate` and `cleanup`.

    A transition that raises is logged with its trace and leaves the node unconfigured, so that
    it can be configured again.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._change_state = self._service_change_state.callback
        self._service_change_state.callback = self._change_state_safely
        self._listening: list[Any] = []
        self.warn = Throttle(self.get_logger().warning)
        self.once = Throttle(self.get_logger().warning, math.inf)
        self.now_s = WatchClock(self._simulated_ns)

    def configure(self) -> None:
        """Make what lives as long as the node is configured."""

    def activate(self) -> None:
        """Begin to listen; the publishers work already."""

    def deactivate(self) -> None:
        """Stop to listen."""

    def cleanup(self) -> None:
        """Give back what `configure` made."""

    def start(self, autostart: bool) -> None:
        """Configure and activate without waiting for a lifecycle manager, if so wished."""
        if autostart and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def every(self, period_s: float, callback: Callable[[], None]) -> Timer:
        """Call back by a clock that goes on when simulated time stands still."""
        return self.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))

    def listen(
        self,
        kind: Any,
        topic: str,
        callback: Callable[[Any], object],
        profile: QoSProfile,
        matched: Callable[[Any], None] | None = None,
        liveliness: Callable[[Any], None] | None = None,
    ) -> None:
        """Subscribe until `stop_listening`; a callback that raises is logged, and that is all."""

        def safely(message: Any) -> None:
            try:
                callback(message)
            except Exception as error:  # rclpy would end the process
                self.warn(f'{topic}: a message could not be used: {error!r}', kind=topic)

        events = qos.subscription_events(self.resolve_topic_name(topic), self.warn)
        events.matched, events.liveliness = matched, liveliness
        self._listening.append(
            self.create_subscription(kind, topic, safely, profile, event_callbacks=events)
        )

    def stop_listening(self) -> None:
        """End all subscriptions that `listen` made."""
        for subscription in self._listening:
            self.destroy_subscription(subscription)
        self._listening.clear()

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Handle the transition of that name, like those below."""
        return self._transition('configured', [self.configure])

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Enable the publishers, then listen."""
        enable = super().on_activate
        return self._transition('active', [lambda: enable(state), self.activate])

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop to listen, then disable the publishers."""
        disable = super().on_deactivate
        return self._transition('inactive', [self.deactivate, lambda: disable(state)])

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Go back to where the node was before it was configured."""
        return self._transition('unconfigured', [self.cleanup])

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop for good, from any state."""
        return self._transition('finalized', [self.deactivate, self.cleanup])

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Clean up after a transition that failed."""
        return self._transition('unconfigured after an error', [self.deactivate, self.cleanup])

    def _simulated_ns(self) -> int | None:
        clock = self.get_clock()
        return clock.now().nanoseconds if clock.ros_time_is_active else None

    def _change_state_safely(self, request: Any, response: Any) -> Any:
        """Refuse a transition that the state does not have; rclpy itself would end the process."""
        try:
            return self._change_state(request, response)
        except RCLError as error:
            self.get_logger().warning(f'transition refused: {error}')
            response.success = False
            return response

    def _transition(
        self, reached: str, steps: list[Callable[[], object]]
    ) -> TransitionCallbackReturn:
        try:
            for step in steps:
                step()
        except (CallError, UserError) as error:  # a person can mend it: a sentence is enough
            self.get_logger().error(f'could not become {reached}: {error}')
            return TransitionCallbackReturn.ERROR
        except Exception:
            self.get_logger().error(f'could not become {reached}:\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR
        self.get_logger().info(f'now {reached}')
        return TransitionCallbackReturn.SUCCESS
