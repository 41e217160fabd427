"""Judge a recording: frames in, a report a frame and a decision an item out; no ROS, no clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from damage_perception.frame import RgbdFrame
from damage_perception.perception.decision import DecisionMaker
from damage_perception.pipeline import DamagePipeline
from damage_perception.recording.frames import Entry, TimeJump
from damage_perception.report import DamageReport, Decision
from damage_perception.settings import Settings


@dataclass(frozen=True)
class Judgement:
    """What one step gave: a report where a frame came, the decisions that it made due."""

    report: DamageReport | None = None
    frame: RgbdFrame | None = None  # None where the images could not be read or paired
    decisions: list[Decision] = field(default_factory=list)


def judge(
    entries: Iterable[Entry], settings: Settings | None = None
) -> Iterator[Judgement]:
    """Run pipeline and decision over a stream as the nodes do; decide on all at its end."""
    settings = settings or Settings()
    pipeline = DamagePipeline(settings)
    maker = DecisionMaker(settings.decision)
    for entry in entries:
        if isinstance(entry, TimeJump):
            pipeline.reset()
            yield Judgement(decisions=maker.flush())
            continue
        frame = entry if isinstance(entry, RgbdFrame) else None
        report = entry if isinstance(entry, DamageReport) else pipeline.process(entry)
        yield Judgement(report, frame, maker.update(report))
    yield Judgement(decisions=maker.flush())
