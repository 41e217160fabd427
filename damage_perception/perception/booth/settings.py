"""Which cameras a booth has, and how far apart is one item."""

from __future__ import annotations

import re
from dataclasses import dataclass

from damage_perception.setting import check_ranges, setting


@dataclass(frozen=True)
class BoothSettings:
    """Which cameras look at the items, and how their tracks become one."""

    cameras: tuple[str, ...] = setting(
        (), 'Names of the cameras of a booth, each the namespace of its `damage/report`, with '
        'their poses in `booth.extrinsics.NAME`; empty = one camera.', live=False,
    )  # fmt: skip
    frame_id: str = setting(
        'booth', 'Frame of the booth, in which its cameras stand and decisions give poses.',
        live=False,
    )  # fmt: skip
    gate_m: float = setting(
        0.1, 'Metres that the middle of an item may lie apart as two cameras see it.',
        low=0.005, high=2.0,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_ranges(self)
        named = all(re.fullmatch(r'[A-Za-z]\w*', camera) for camera in self.cameras)
        if len(set(self.cameras)) != len(self.cameras) or not named:
            raise ValueError(
                f'cameras must be different names that a topic can have, got {list(self.cameras)}'
            )
