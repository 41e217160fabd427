"""The commands `run --sim-time` and `play` over real DDS decide as `replay` does.

Every pair is waited for: a machine that is slower than the recording would leave some out.
"""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import pytest
from played import Played, play, replay, told
from real_faces import DATA
from ros_graph import Graph

from damage_perception.recording.scenarios import write_scenario
from damage_perception.report import Health
from damage_perception.ros.frame_source import DEPTH

PARCELS = DATA / 'conveyor_parcels_bag'


def check_same(played: Played, recording: Path, loop: int) -> None:
    reports, decisions = replay(recording)
    judged = sum(report.health == Health.OK for report in reports)
    assert played.figure('frames overwritten') == 0
    assert played.pairs == (judged * loop, judged * loop)
    assert played.dropped == (len(reports) - judged) * loop
    assert Counter(map(told, played.decisions)) == Counter([*map(told, decisions)] * loop)


@pytest.mark.skipif(
    not PARCELS.is_dir(), reason='the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA'
)
def test_real_parcels_twice_over(graph: Graph) -> None:
    check_same(play(graph, PARCELS, 2.0, 2), PARCELS, 2)


def test_a_dented_box_twice_over(graph: Graph, tmp_path: Path) -> None:
    write_scenario('dented_box', tmp_path / 'bag')
    check_same(play(graph, tmp_path / 'bag', 1.0, 2), tmp_path / 'bag', 2)


def test_depth_that_drops_out_is_named_within_a_second_and_comes_back(
    graph: Graph, tmp_path: Path
) -> None:
    write_scenario('depth_drops_out', tmp_path / 'bag')
    played = play(graph, tmp_path / 'bag', 1.0, 1)
    check_same(played, tmp_path / 'bag', 1)
    left, back = max(pairwise(played.depths), key=lambda pair: pair[1] - pair[0])
    assert back - left == pytest.approx(2.1, abs=0.1)
    named = [at for at, status in played.diagnostics
             if f'/{DEPTH} has been silent' in status.message and left < at < back]  # fmt: skip
    unknown = [at for at, health in played.healths if not health and left < at < back]
    normal = [at for at, health in played.healths if health == Health.OK and at > back]
    assert (named[0] - left) < 1.0
    assert (unknown[0] - left) < 1.0
    assert (normal[0] - back) < 1.0
