"""What the nodes say on `/diagnostics`."""

from __future__ import annotations

from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.lifecycle import LifecycleNode

from damage_perception.ros.frame_source import FrameSource

OK, WARN, ERROR, STALE = (
    DiagnosticStatus.OK,
    DiagnosticStatus.WARN,
    DiagnosticStatus.ERROR,
    DiagnosticStatus.STALE,
)


class Diagnostics:
    """Publish one status of a node; call `publish` once a second and when its state changes."""

    def __init__(self, node: LifecycleNode) -> None:
        self._node = node
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', 10)
        self._name = node.get_fully_qualified_name().lstrip('/')

    def publish(self, level: bytes, message: str, values: Mapping[str, object]) -> None:
        """Say how the node is.

        Args:
            level: `OK`, `WARN`, `ERROR` or `STALE`.
            message: one sentence.
            values: figures; floats are rounded.
        """
        status = DiagnosticStatus(
            level=level,
            name=self._name,
            message=message,
            hardware_id='damage_perception',
            values=[KeyValue(key=key, value=_text(value)) for key, value in values.items()],
        )
        array = DiagnosticArray(status=[status])
        array.header.stamp = self._node.get_clock().now().to_msg()
        self._publisher.publish(array)

    def destroy(self) -> None:
        """Give the publisher back."""
        self._node.destroy_publisher(self._publisher)


def source_values(source: FrameSource, now_s: float) -> dict[str, object]:
    """Give the figures of the inputs: rate, age and drops by topic, share matched, skew."""
    values: dict[str, object] = {}
    for name, watch in source.watches.items():
        values[f'{name} rate (Hz)'] = watch.rate_hz(now_s)
        values[f'{name} age (s)'] = watch.age_s(now_s)
    for name, stream in source.sync.streams.items():
        values[f'{name} matched'] = stream.counts.matched
        values[f'{name} dropped'] = stream.counts.dropped
    values['skew (ms)'] = source.skew_ns / 1e6
    values['jumps back in time'] = source.sync.jumps
    return values


def _text(value: object) -> str:
    return f'{value:.3g}' if isinstance(value, float) else str(value)
