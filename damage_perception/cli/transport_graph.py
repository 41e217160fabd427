"""Where the processes of a transport trial meet, and what their listener heard."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

PROFILES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')


@dataclass(frozen=True)
class Graph:
    """Where the processes of one trial meet."""

    domain: int
    profile: str | None  # path of a Fast DDS profile; None = the defaults of Fast DDS
    pairs: int
    results: Any  # queue
    stop: Any  # event

    def enter(self) -> None:
        """Join it; before rclpy starts."""
        for name in PROFILES:
            os.environ.pop(name, None)
            if self.profile is not None:
                os.environ[name] = self.profile
        import rclpy

        rclpy.init(args=[], domain_id=self.domain)


@dataclass
class Received:
    """What a listener heard: seconds from stamp to arrival by stamp, and what the node matched."""

    latency_s: dict[int, float] = field(default_factory=dict)
    matched: int = 0
    compute_ms: list[float] = field(default_factory=list)  # of the frames that the node tells
