"""Major damage found at few false alarms: one picture, ten fused, ten fused and a reference.

    python test/helpers/station_recall.py OUT [--sound 3000] [--damaged 300] [--pictures 10] \
        [--seed 61001] [--workers 2]

Fresh products are rendered, seen in some pictures at places of their own and judged by the shipped
weights as `training_view` makes their views. What was judged is kept in OUT, so an
interrupted call goes on. An item whose damage no view shows is left out.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from damage_perception.learning.metrics.ranking import auroc
from damage_perception.learning.processes import each_in_order
from damage_perception.learning.training.evidence_rows import Rows
from damage_perception.learning.training.network_evaluation import Judge
from damage_perception.learning.training.stored_view import StoredView, encode
from damage_perception.learning.training.training_view import training_view
from damage_perception.network.backends import open_backend
from damage_perception.network.network_settings import SHIPPED
from damage_perception.perception.evidence.evidence import EvidenceModel, load_evidence
from damage_perception.proportions import interval
from damage_perception.report import DamageType
from damage_perception.synthesis.noise import stream
from damage_perception.synthesis.render import render_sample
from damage_perception.synthesis.sample import Sample
from damage_perception.synthesis.spec import SynthesisSpec

WAYS = ('one', 'fused', 'reference')


@dataclass(frozen=True)
class Task:
    """One item to render and judge."""

    seed: int
    index: int
    pictures: int
    damaged: bool


def judged(task: Task) -> dict[str, Any] | None:
    """Render an item and score it each way; None where nothing can be said of it."""
    chance = float(task.damaged)
    spec = SynthesisSpec(damaged=chance, major=1.0, copies=1)
    sample = render_sample(spec, task.seed + task.damaged, task.index, 1, task.pictures)
    single = _row(replace(sample, more=(), references=()), task)
    fused = _row(sample, task)
    if single is None or fused is None:
        return None
    types = sorted({DamageType(damage['type']).name for damage in fused[1]})
    if bool(types) != task.damaged:
        return None
    _, model = _judge()
    scores = model.scores([single[0].alone[0], fused[0].alone[0], fused[0].paired[0]])
    return dict(zip(WAYS, map(float, scores), strict=True)) | {'types': types}


def _row(sample: Sample, task: Task) -> tuple[Rows, list[dict[str, Any]]] | None:
    view = training_view(sample, stream(task.seed, 0x57A7, task.index))
    if view is None:
        return None
    rows = Rows()
    rows.add(StoredView(encode(view), view.facts), _judge()[0])
    return rows, view.facts['damages']


@lru_cache(maxsize=1)
def _judge() -> tuple[Judge, EvidenceModel]:
    return open_backend(SHIPPED, 'auto', 1).predict, load_evidence(SHIPPED)


def keep(tasks: Sequence[Task], path: Path, workers: int) -> list[Mapping[str, Any]]:
    """Judge what the file lacks, a line an item."""
    known = path.read_text().splitlines() if path.is_file() else []
    missing = tasks[len(known) :]
    todo: Iterable[Any] = (
        map(judged, missing) if workers == 1 else each_in_order(judged, missing, workers, 4)
    )
    with path.open('a') as file:
        for said in todo:
            file.write(json.dumps(said) + '\n')
            file.flush()
    return [row for line in path.read_text().splitlines() if (row := json.loads(line))]


def table(sound: Sequence[Mapping[str, Any]], damaged: Sequence[Mapping[str, Any]]) -> str:
    """Write what is found of all and of each type at 1 % and at 0.1 % of false alarms."""
    lines = [f'{len(sound)} sound, {len(damaged)} damaged | ' + ' | '.join(WAYS)]
    kinds = ['', *sorted({kind for row in damaged for kind in row['types']})]
    for share in (0.01, 0.001):
        allowed = math.floor(share * len(sound))
        for kind in kinds:
            group = [row for row in damaged if not kind or kind in row['types']]
            cells = [_found(sound, group, way, allowed) for way in WAYS]
            lines.append(f'{share:.1%}, {kind or "all"}, {len(group)} | ' + ' | '.join(cells))
    truth = np.r_[np.zeros(len(sound), bool), np.ones(len(damaged), bool)]
    areas = [auroc(truth, np.array([row[way] for row in (*sound, *damaged)])) for way in WAYS]
    return '\n'.join([*lines, 'AUROC | ' + ' | '.join(f'{area:.3f}' for area in areas)])


def _found(
    sound: Sequence[Mapping[str, Any]], group: Sequence[Mapping[str, Any]], way: str, allowed: int
) -> str:
    limit = sorted((row[way] for row in sound), reverse=True)[allowed]
    found = sum(row[way] > limit for row in group)
    low, high = interval(found, len(group))
    return f'{found / len(group):.2f} ({low:.2f} to {high:.2f})'


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('out', type=Path)
    parser.add_argument('--sound', type=int, default=3000)
    parser.add_argument('--damaged', type=int, default=300)
    parser.add_argument('--pictures', type=int, default=10)
    parser.add_argument('--seed', type=int, default=61001)
    parser.add_argument('--workers', type=int, default=2)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    rows = {}
    for name, count in (('damaged', given.damaged), ('sound', given.sound)):
        tasks = [
            Task(given.seed, index, given.pictures, name == 'damaged') for index in range(count)
        ]
        rows[name] = keep(tasks, given.out / f'{name}.jsonl', given.workers)
    print(table(rows['sound'], rows['damaged']))


if __name__ == '__main__':
    main()
