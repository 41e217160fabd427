"""The time of silence, with clocks that are slow, fast, jump or stop."""

from __future__ import annotations

import pytest

from damage_perception.ros.watch_clock import STOPPED_AFTER_S, WatchClock

S = 1_000_000_000


class Clocks:
    """A wall clock and a node clock that are set by hand."""

    def __init__(self, node_ns: int | None) -> None:
        self.wall_s, self.node_ns = 50.0, node_ns
        self.watch = WatchClock(lambda: self.node_ns, lambda: self.wall_s)

    def run(
        self, wall_s: float, rate: float, step_s: float = 0.005, tick_s: float = 0.025
    ) -> float:
        """Let the wall clock go on, the node clock by ticks; give how far the watch went."""
        began, since_tick = self.watch(), 0.0
        for _ in range(round(wall_s / step_s)):
            self.wall_s += step_s
            since_tick += step_s
            if rate and since_tick >= tick_s - 1e-9:
                assert self.node_ns is not None
                self.node_ns += round(since_tick * rate * S)
                since_tick = 0.0
            before = self.watch()
            assert self.watch() >= before
        return self.watch() - began


def test_without_simulated_time_it_is_the_wall_clock() -> None:
    assert Clocks(None).run(2.0, 0.0) == pytest.approx(2.0)


@pytest.mark.parametrize(('rate', 'expected'), [(0.1, 0.2), (0.5, 1.0), (1.0, 2.0), (10.0, 2.0)])
def test_it_follows_a_slow_recording_and_is_not_hurried_by_a_fast_one(
    rate: float, expected: float
) -> None:
    assert Clocks(100 * S).run(2.0, rate) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize('tick_s', [0.001, 0.4])
def test_clocks_that_tick_often_or_seldom_count_alike(tick_s: float) -> None:
    assert Clocks(100 * S).run(2.0, 0.5, tick_s=tick_s) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize('jump_s', [-90.0, 1e9])
def test_a_jump_of_the_clock_counts_for_nothing(jump_s: float) -> None:
    clocks = Clocks(100 * S)
    clocks.run(1.0, 1.0)
    clocks.node_ns += round(jump_s * S)
    assert clocks.run(1.0, 1.0) == pytest.approx(1.0, abs=0.03)


def test_a_clock_that_has_stopped_is_not_waited_for() -> None:
    clocks = Clocks(100 * S)
    clocks.run(1.0, 1.0)
    assert clocks.run(STOPPED_AFTER_S - 0.1, 0.0) == 0.0
    assert clocks.run(1.0, 0.0) == pytest.approx(STOPPED_AFTER_S + 0.9)
    assert clocks.run(1.0, 1.0) == pytest.approx(1.0, abs=0.03)


def test_a_clock_that_never_starts_is_not_waited_for() -> None:
    assert Clocks(0).run(3.0, 0.0) == pytest.approx(3.0)


def test_ticks_that_come_in_bunches_cost_no_time() -> None:
    clocks = Clocks(100 * S)
    began = clocks.watch()
    for step in range(40):  # 50 ms of the wall each; the node clock moves by 25 and 75 in turn
        clocks.wall_s += 0.05
        assert clocks.node_ns is not None
        clocks.node_ns += round((0.025 if step % 2 else 0.075) * S)
        clocks.watch()
    assert clocks.watch() - began == pytest.approx(2.0, abs=0.03)
