"""Judge a recording: frames in, a report a frame and a decision an item out; no ROS, no clock."""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from damage_perception.frame import RgbdFrame
from damage_perception.perception.decision.decision import CUT_SHORT, DecisionMaker
from damage_perception.perception.decision.policy_file import load_policy
from damage_perception.pipeline import DamagePipeline, unknown_report
from damage_perception.recording.frames import Entry, TimeJump
from damage_perception.report import DamageReport, Decision
from damage_perception.settings import Settings


@dataclass(frozen=True)
class Judgement:
    """What one step gave: a report where a frame came, the decisions that it made due."""

    report: DamageReport | None = None
    frame: RgbdFrame | None = None  # None where the images could not be read or paired
    decisions: Sequence[Decision] = field(default_factory=list)
    failure: str = ''  # the trace of a mistake of ours that made the report UNKNOWN


def judge(entries: Iterable[Entry], settings: Settings | None = None) -> Iterator[Judgement]:
    """Run pipeline and decision over a stream as the nodes do; decide on all at its end."""
    settings = settings or Settings()
    pipeline = DamagePipeline(settings)
    maker = DecisionMaker(settings.decision, load_policy(settings.decision.policy_file))
    for entry in entries:
        if isinstance(entry, TimeJump):
            pipeline.reset()
            yield Judgement(decisions=maker.flush(CUT_SHORT))
        elif isinstance(entry, DamageReport):
            report = pipeline.signed(entry)
            yield Judgement(report, decisions=maker.update(report))
        else:
            report, failure = _process(pipeline, entry)
            yield Judgement(report, entry, maker.update(report), failure)
    yield Judgement(decisions=maker.flush(CUT_SHORT))


def _process(pipeline: DamagePipeline, frame: RgbdFrame) -> tuple[DamageReport, str]:
    """Judge a frame; one that the pipeline fails on is UNKNOWN, as in the node."""
    try:
        return pipeline.process(frame), ''
    except Exception as error:  # one bad frame must not end a shift
        reason = str(error) or type(error).__name__
        return pipeline.signed(unknown_report(frame, reason)), traceback.format_exc()
