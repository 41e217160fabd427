"""The streams that the synchroniser is measured on, and what it makes of them."""

from __future__ import annotations

import functools

import pytest

pytest.importorskip('builtin_interfaces', reason='ROS 2 is not installed')

from damage_perception.cli import synchronizer_trials as trials
from damage_perception.errors import CallError

run_ours = functools.partial(trials.run_ours, 0.02)


@pytest.mark.parametrize(
    ('name', 'pairs', 'skew_ms'),
    [
        ('steady', 300, 4.0),
        ('jittered', 300, 8.0),
        ('half rate', 150, 15.4),
        ('time going back', 150, 15.4),
        ('raising consumer', 300, 4.0),
    ],
)
def test_no_pair_is_lost_and_none_is_further_than_it_must_be(
    name: str, pairs: int, skew_ms: float
) -> None:
    trial = trials.measure(run_ours, name, 300, seed=1)
    assert trial.pairs == pairs
    assert trial.skew_ms <= skew_ms


def test_dropped_frames_cost_only_their_own_pairs() -> None:
    arrivals = trials.make_streams('dropped frames', 300, seed=1)
    complete = sum(n == 2 for n in _partners(arrivals).values())
    assert trials.measure(run_ours, 'dropped frames', 300, seed=1).pairs == complete


def test_a_folder_without_message_filters_is_refused(tmp_path) -> None:
    with pytest.raises(CallError, match='no checkout of message_filters'):
        trials.load_field(tmp_path)


def _partners(arrivals: list[trials.Arrival]) -> dict[int, int]:
    """Count the streams that have a frame at each period."""
    counts: dict[int, int] = {}
    for arrival in arrivals:
        period = round(arrival.at_s // trials.PERIOD_S)
        counts[period] = counts.get(period, 0) + 1
    return counts
