"""What every node of the package shares: a logged life cycle, its clock and its start."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable

from rclpy.clock import Clock, ClockType
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.timer import Timer

from damage_perception.ros.throttle import Throttle


class ManagedNode(LifecycleNode):
    """A lifecycle node; subclasses fill in `configure`, `activate`, `deactivate` and `cleanup`.

    A transition that raises is logged with its trace and leaves the node unconfigured, so that
    it can be configured again.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.warn = Throttle(self.get_logger().warning)

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

    def now_s(self) -> float:
        """Seconds on a clock that goes on when simulated time stands still or jumps."""
        return time.monotonic()

    def every(self, period_s: float, callback: Callable[[], None]) -> Timer:
        """Call back by that clock."""
        return self.create_timer(period_s, callback, clock=Clock(clock_type=ClockType.STEADY_TIME))

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

    def _transition(
        self, reached: str, steps: list[Callable[[], object]]
    ) -> TransitionCallbackReturn:
        try:
            for step in steps:
                step()
        except Exception:
            self.get_logger().error(f'could not become {reached}:\n{traceback.format_exc()}')
            return TransitionCallbackReturn.ERROR
        self.get_logger().info(f'now {reached}')
        return TransitionCallbackReturn.SUCCESS
