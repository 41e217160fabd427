"""What `replay` shows: progress while it works, one summary at its end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

import numpy as np
from rich.console import Console
from rich.progress import track

from damage_perception.frame import RgbdFrame
from damage_perception.recording.judging import Judgement
from damage_perception.recording.reader import Recording
from damage_perception.recording.topics import unknown_types
from damage_perception.report import Verdict

T = TypeVar('T')
console = Console(stderr=True)


def show_progress(entries: Iterable[T], total: int, what: str) -> Iterator[T]:
    """Pass entries on and draw a bar on the terminal."""
    yield from track(entries, what, total=total, console=console, transient=True)


def warn(sentence: str) -> None:
    """Say something that the user must know but that does not end the work."""
    console.print(sentence, style='yellow', markup=False, highlight=False, soft_wrap=True)


def warn_of_unknown_types(recording: Recording) -> None:
    """Name the topics that are skipped because nobody knows their type."""
    for topic in unknown_types(recording):
        warn(f'skipped {topic}: its type {recording.topics[topic].msgtype} is not known here')


class Summary:
    """Counts and times of a replay. Times are for the terminal only, never for the report."""

    def __init__(self) -> None:
        self.frames = self.unknown = self.items = 0
        self.failure = ''
        self.reasons: Counter[str] = Counter()
        self.verdicts: Counter[str] = Counter()
        self._times_ms: list[float] = []
        self._mark = 0.0

    def start(self, entries: Iterator[T]) -> Iterator[T]:
        """Pass entries on; the time from here to `take` is that of judging a frame."""
        for entry in entries:
            self._mark = time.perf_counter() if isinstance(entry, RgbdFrame) else 0.0
            yield entry

    def take(self, judgement: Judgement) -> None:
        """Count what one step gave."""
        if self._mark and judgement.report is not None:
            self._times_ms.append(1e3 * (time.perf_counter() - self._mark))
        self._mark = 0.0
        self.failure = self.failure or judgement.failure
        if judgement.report is not None:
            self.frames += 1
            self.items += len(judgement.report.items)
            if judgement.report.reason:
                self.reasons[judgement.report.reason] += 1
        for decision in judgement.decisions:
            self.verdicts[Verdict(decision.decision).name] += 1

    def lines(self) -> list[str]:
        """Give the summary as sentences."""
        verdicts = ', '.join(f'{count} {name}' for name, count in sorted(self.verdicts.items()))
        lines = [
            f'{self.frames} frames, {self.items} item reports, decisions: {verdicts or "none"}'
        ]
        lines += [f'{count} frames: {reason}' for reason, count in self.reasons.most_common(5)]
        if self._times_ms:
            median, p95 = np.percentile(self._times_ms, (50, 95))
            lines.append(f'time per frame: median {median:.1f} ms, 95 % under {p95:.1f} ms')
        return lines
