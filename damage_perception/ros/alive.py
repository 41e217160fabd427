"""A sign of life that DDS gives for a node, so that its end is told from an idle belt.

Nothing is ever sent on the topic. DDS vouches for its publisher from a thread of its own, also
while a frame is judged for long, and tells within the lease when nobody does any more: the process
was killed, its machine or its network went.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from std_msgs.msg import Empty

from damage_perception.ros import qos
from damage_perception.ros.managed_node import ManagedNode


def give_sign(node: Node, topic: str) -> Any:
    """Make the publisher that is alive as long as its node is."""
    return node.create_publisher(Empty, topic, qos.ALIVE)


def watch_sign(node: ManagedNode, topic: str, changed: Callable[[bool], None]) -> None:
    """Call back when the last publisher of a topic has gone (False) or one has come (True)."""

    def on_change(status: Any) -> None:
        changed(status.alive_count > 0)

    node.listen(Empty, topic, lambda message: None, qos.ALIVE, liveliness=on_change)
