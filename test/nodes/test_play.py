"""The commands `run --sim-time` and `play` over real DDS decide as `replay` does.

The machine must keep up for that: where it overwrites frames, the recording is played slower.
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


def play_whole(graph: Graph, recording: Path, rate: float, loop: int) -> Played:
    """Play at a rate at which every frame is judged."""
    for attempt in range(3):
        played = play(graph, recording, rate / 2**attempt, loop)
        if not played.figure('frames overwritten'):
            return played
    pytest.fail('frames were overwritten at a quarter of the rate')


def check_same(played: Played, recording: Path, loop: int) -> None:
    reports, decisions = replay(recording)
    judged = sum(report.health == Health.OK for report in reports)
    assert played.pairs == (judged * loop, judged * loop)
    assert played.dropped == (len(reports) - judged) * loop
    expected = Counter(map(told, decisions))
    assert Counter(map(told, played.decisions)) == Counter({k: v * loop for k, v in expected.items()})


@pytest.mark.skipif(
    not PARCELS.is_dir(), reason='the real frames are absent; set DAMAGE_PERCEPTION_SHARED_DATA'
)
def test_real_parcels_twice_over(graph: Graph) -> None:
    check_same(play_whole(graph, PARCELS, 0.4, 2), PARCELS, 2)


def test_a_dented_box_twice_over(graph: Graph, tmp_path: Path) -> None:
    write_scenario('dented_box', tmp_path / 'bag')
    check_same(play_whole(graph, tmp_path / 'bag', 0.6, 2), tmp_path / 'bag', 2)


def test_depth_that_drops_out_is_named_within_a_second_and_comes_back(
    graph: Graph, tmp_path: Path
) -> None:
    """Check seconds of the recording; it is played slower."""
    write_scenario('depth_drops_out', tmp_path / 'bag')
    played = play_whole(graph, tmp_path / 'bag', 0.6, 1)
    check_same(played, tmp_path / 'bag', 1)
    left, back = max(pairwise(played.depths), key=lambda pair: pair[1] - pair[0])
    assert (back - left) * played.rate == pytest.approx(2.1, abs=0.1)
    named = [at for at, status in played.diagnostics
             if f'/{DEPTH} has been silent' in status.message and left < at < back]  # fmt: skip
    unknown = [at for at, health in played.healths if not health and left < at < back]
    normal = [at for at, health in played.healths if health == Health.OK and at > back]
    assert (named[0] - left) * played.rate < 1.0
    assert (unknown[0] - left) * played.rate < 1.0
    assert (normal[0] - back) * played.rate < 1.0
