"""Each test gets a DDS domain of its own."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator
from typing import Any

import pytest

_domains = itertools.count(os.getpid() * 11)


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> int:
    """Give a DDS domain that no other test uses."""
    number = 1 + next(_domains) % 100
    monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
    return number


@pytest.fixture
def graph(domain: int) -> Iterator[Any]:
    """Give a running graph."""
    import rclpy
    from ros_graph import Graph

    rclpy.init(args=[], domain_id=domain)
    made = Graph()
    yield made
    made.close()
    rclpy.try_shutdown()
