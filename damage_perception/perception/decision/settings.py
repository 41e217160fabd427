"""When an item is decided on, and from which P(damaged) it is diverted."""

from __future__ import annotations

import math
from dataclasses import dataclass

from damage_perception.setting import check_ranges, setting


@dataclass(frozen=True)
class DecisionSettings:
    """When a judged item is decided on, and how."""

    threshold: float = setting(
        0.0, 'P(damaged) from which an item counts as damaged; 0 = as the calibration says.',
        low=0.0, high=1.0,
    )  # fmt: skip
    calibration_file: str = setting(
        '', 'calibration.yaml of what judges; empty = the shipped one.', live=False
    )
    min_frames: int = setting(
        1, 'Frames an item must be seen clearly in to be judged.', low=1, high=1000
    )
    lost_after_s: float = setting(
        0.6, 'Seconds unseen after which an item has left and is decided.', low=0.05, high=60.0
    )
    line: tuple[float, ...] = setting(
        (), 'Plane x, y, z, d in the camera frame: an item is decided at the latest when its '
        'centre p has p . (x, y, z) >= d, metres; empty = when it has left.',
    )  # fmt: skip
    line_lead_s: float = setting(
        0.0, 'Seconds before an item reaches the line at which it is decided.', low=0.0, high=10.0
    )
    certain_looks: int = setting(
        0, 'Independent clean looks in a row, all far from the threshold on one side, after which '
        'an item is decided early; 0 = never.', low=0, high=1000,
    )  # fmt: skip
    certain_margin: float = setting(
        0.8, 'How far is far: share of the way from the threshold to 1 or 0.', low=0.0, high=1.0
    )
    independent_m: float = setting(
        0.015, 'Metres an item must move for its next look to be independent.', low=0.0, high=1.0
    )
    policy_file: str = setting(
        '', 'YAML file with what to do about which damage; empty = as config/policy.yaml.',
        live=False,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_ranges(self)
        line = self.line
        if line and not (len(line) == 4 and all(map(math.isfinite, line)) and any(line[:3])):
            raise ValueError(f'line must be empty or x, y, z, d with a direction, got {list(line)}')
