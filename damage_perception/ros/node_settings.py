"""What the nodes can be told beside the settings of the core, in the same style."""

from __future__ import annotations

from dataclasses import dataclass, field

from damage_perception.perception.booth.settings import BoothSettings
from damage_perception.perception.decision.budget_watch import WatchSettings
from damage_perception.perception.decision.decision import DecisionSettings
from damage_perception.setting import check_ranges, setting
from damage_perception.settings import Settings


@dataclass(frozen=True)
class InputSettings:
    """How the input topics are paired and watched."""

    slop_s: float = setting(
        0.02, 'Largest time between colour and depth, s; 0 = equal stamps.',
        low=0.0, high=1.0, live=False,
    )  # fmt: skip
    queue_size: int = setting(
        10, 'Images kept of each topic until their partner comes.', low=1, high=100, live=False
    )
    stale_after_s: float = setting(
        0.8, 'Silence after which a topic counts as missing, s.', low=0.05, high=60.0
    )
    identity_valid_s: float = setting(
        2.0, 'Time around its stamp for which an item identity holds, s.', low=0.0, high=3600.0
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class SegmentationNodeSettings:
    """Parameters of `damage_segmentation_node` beside those of the core."""

    autostart: bool = setting(True, 'Configure and activate at start.', live=False)
    input: InputSettings = field(default_factory=InputSettings)


@dataclass(frozen=True)
class HeartbeatSettings:
    """How the divert node says that it lives."""

    period_s: float = setting(
        0.2, 'Time between two messages on `divert/heartbeat`, s.', low=0.02, high=10.0, live=False
    )
    stale_after_s: float = setting(
        1.0, 'Age of the newest report from which nothing is vouched for, s.', low=0.05, high=60.0
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class JournalSettings:
    """Where decisions are kept."""

    file: str = setting(
        '', 'SQLite file that keeps each decision with its evidence, and knows after a restart '
        'what was decided; empty = none.', live=False,
    )  # fmt: skip
    max_rows: int = setting(
        100_000, 'Decisions kept; older ones go.', low=100, high=100_000_000, live=False
    )

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class DivertNodeSettings:
    """Parameters of `divert_node`."""

    autostart: bool = setting(True, 'Configure and activate at start.', live=False)
    heartbeat: HeartbeatSettings = field(default_factory=HeartbeatSettings)
    booth: BoothSettings = field(default_factory=BoothSettings)
    decision: DecisionSettings = field(default_factory=DecisionSettings)
    watch: WatchSettings = field(default_factory=WatchSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)


# Every parameter of the package, as the YAML file and the README list them.
ALL_SETTINGS = (SegmentationNodeSettings(), DivertNodeSettings(), Settings())
