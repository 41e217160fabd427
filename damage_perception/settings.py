"""Every setting of the perception core as data: default, meaning, unit, range.

The ROS parameters, `config/damage_perception.yaml` and the table of the README are made from
these dataclasses (names joined by dots: `items.min_height_m`) and kept equal by a test.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import Any


def setting(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    live: bool = True,
) -> Any:
    """Declare a setting.

    Args:
        default: its value; the type of the field says what else it may be.
        doc: one sentence for people, with the unit.
        low, high: inclusive range of numbers; None = open.
        live: whether it may change while the node is active.
    """
    return field(default=default, metadata={'doc': doc, 'low': low, 'high': high, 'live': live})


def check_ranges(settings: Any) -> None:
    """Refuse a number outside its range.

    Raises:
        ValueError: naming the setting, its range and what came.
    """
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        low, high = item.metadata.get('low'), item.metadata.get('high')
        too_low = low is not None and not value >= low
        too_high = high is not None and not value <= high
        if too_low or too_high:
            raise ValueError(f'{item.name} must lie in [{low}, {high}], got {value}')


@dataclass(frozen=True)
class DecisionSettings:
    """When a judged item is diverted."""

    threshold: float = setting(0.5, 'P(damaged) from which an item is diverted.', low=0.0, high=1.0)
    min_frames: int = setting(1, 'Frames an item must be seen in to be judged.', low=1, high=1000)
    lost_after_s: float = setting(
        0.6, 'Seconds unseen after which an item has left and is decided.', low=0.05, high=60.0
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class Settings:
    """All settings of `DamagePipeline` and of the decision."""

    decision: DecisionSettings = field(default_factory=DecisionSettings)
