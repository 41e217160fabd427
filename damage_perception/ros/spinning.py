"""Run nodes in this process until it is told to stop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence

import rclpy
from rclpy._rclpy_pybind11 import RCLError, UnknownROSArgsError
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from damage_perception.ros.managed_node import ManagedNode

LOOK_FOR_SIGNALS_S = 0.1


def clean_shared_memory() -> None:
    """Remove the shared memory that killed processes left, where Fast DDS brings its tool."""
    tool = shutil.which('fastdds')
    if tool is not None:
        subprocess.run([tool, 'shm', 'clean'], capture_output=True, timeout=10.0, check=False)


def spin(factories: Sequence[Callable[[], ManagedNode]], args: Sequence[str] | None = None) -> int:
    """Make nodes, start them and serve them until SIGINT or SIGTERM.

    The nodes are deactivated before the context ends, so that nothing publishes into a dead one.

    Args:
        factories: what makes each node.
        args: command line, with ROS arguments; None = that of the process.

    Returns:
        Exit status: 0, or 2 if a parameter or another ROS argument was refused.
    """
    stop = _stop_on_signals()
    clean_shared_memory()
    try:
        rclpy.init(
            args=list(args) if args is not None else None,
            signal_handler_options=SignalHandlerOptions.NO,
        )
    except (RCLError, UnknownROSArgsError) as error:
        print(f'the ROS arguments were refused: {str(error).splitlines()[0]}', file=sys.stderr)
        return 2
    executor = SingleThreadedExecutor()
    nodes: list[ManagedNode] = []
    try:
        for make in factories:
            nodes.append(make())
            executor.add_node(nodes[-1])
        for node in nodes:
            if not stop.is_set():
                node.start(bool(node.get_parameter('autostart').value))
        while not stop.is_set() and rclpy.ok():
            executor.spin_once(timeout_sec=LOOK_FOR_SIGNALS_S)
    except (ValueError, InvalidParameterTypeException, InvalidParameterValueException) as error:
        print(f'a parameter was refused: {error}', file=sys.stderr)
        return 2
    finally:
        for node in nodes:
            node.deactivate()
            node.cleanup()
            node.destroy_node()
        executor.shutdown(timeout_sec=1.0)
        rclpy.try_shutdown()
    _leave_at_once_if_busy()
    return 0


def _stop_on_signals() -> threading.Event:
    """Give an event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _leave_at_once_if_busy() -> None:
    """End the process if a frame is still being judged: an interpreter that ends spoils it."""
    if threading.active_count() > 1:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)
