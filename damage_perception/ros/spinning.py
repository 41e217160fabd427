"""Run nodes in this process until it is told to stop."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence

import rclpy
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

from damage_perception.ros.managed_node import ManagedNode


def clean_shared_memory() -> None:
    """Remove the shared memory that killed processes left, where Fast DDS brings its tool."""
    tool = shutil.which('fastdds')
    if tool is not None:
        subprocess.run([tool, 'shm', 'clean'], capture_output=True, timeout=10.0, check=False)


def spin(factories: Sequence[Callable[[], ManagedNode]], args: Sequence[str] | None = None) -> int:
    """Make nodes, start them and serve them until SIGINT or SIGTERM.

    Args:
        factories: what makes each node.
        args: command line, with ROS arguments; None = that of the process.

    Returns:
        Exit status: 0, or 2 if a parameter was refused.
    """
    clean_shared_memory()
    rclpy.init(args=list(args) if args is not None else None)
    executor = SingleThreadedExecutor()
    nodes: list[ManagedNode] = []
    try:
        for make in factories:
            nodes.append(make())
            executor.add_node(nodes[-1])
        for node in nodes:
            node.start(bool(node.get_parameter('autostart').value))
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except (ValueError, InvalidParameterTypeException, InvalidParameterValueException) as error:
        print(f'a parameter was refused: {error}', file=sys.stderr)
        return 2
    finally:
        executor.shutdown(timeout_sec=1.0)
        for node in nodes:
            node.deactivate()
            node.cleanup()
            node.destroy_node()
        rclpy.try_shutdown()
    return 0
