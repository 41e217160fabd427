"""Pairs, counts and recovery of the synchroniser, driven with fake stamps and a fake clock."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.ros.synchronizer import Match, Synchronizer

MS = 1_000_000


def feed(sync: Synchronizer, events: list[tuple[str, float]]) -> list[Match]:
    """Give (stream, stamp in ms) in order, the fake clock following the newest stamp."""
    matches, now_s = [], 0.0
    for stream, ms in events:
        now_s = max(now_s, ms / 1e3)
        matches += sync.add(stream, round(ms * MS), (stream, ms), now_s)
    return matches


def pairs(matches: list[Match]) -> list[tuple[float, ...]]:
    """Give the stamps in ms of each match."""
    return [tuple(message[1] for message in match.messages.values()) for match in matches]


def steady(period: float, count: int, *offsets: float) -> list[tuple[str, float]]:
    """Give streams a, b, c... at one rate, each with an offset, in order of time."""
    names = 'abcdef'
    events = [(names[i], k * period + o) for k in range(count) for i, o in enumerate(offsets)]
    return sorted(events, key=lambda event: event[1])


@pytest.mark.parametrize('slop_s', [0.0, 0.02])
def test_equal_stamps_match_at_once(slop_s: float) -> None:
    sync = Synchronizer(['a', 'b'], slop_s)
    assert sync.add('a', 5, 'x', 0.0) == []
    assert sync.add('b', 5, 'y', 0.0) == [Match(5, {'a': 'x', 'b': 'y'}, 0)]


def test_exact_means_exact() -> None:
    sync = Synchronizer(['a', 'b'])
    assert feed(sync, steady(33, 20, 0, 1)) + sync.flush() == []


def test_nearest_wins_over_first_come() -> None:
    sync = Synchronizer(['a', 'b'], 0.02)
    matches = feed(sync, [('b', 0), ('a', 15), ('b', 16), ('a', 60), ('b', 61)])
    assert pairs(matches + sync.flush()) == [(15, 16), (60, 61)]


def test_a_later_leading_message_with_a_better_claim_wins() -> None:
    sync = Synchronizer(['a', 'b'], 0.02)
    matches = feed(sync, [('a', 0), ('b', 18), ('a', 19), ('a', 100), ('b', 100)])
    assert pairs(matches) == [(19, 18), (100, 100)]


def test_a_lost_claim_leaves_the_second_nearest() -> None:
    sync = Synchronizer(['a', 'b'], 0.02)
    matches = feed(sync, [('b', 0), ('a', 10), ('b', 18), ('a', 20), ('a', 60), ('b', 60)])
    assert pairs(matches) == [(10, 0), (20, 18), (60, 60)]


def test_known_intervals_save_the_wait_for_proof() -> None:
    sync = Synchronizer(['a', 'b'], 0.02)
    feed(sync, steady(33, 20, 0, 3))
    late = [sync.add('a', 660 * MS, 1, 0.66), sync.add('b', 663 * MS, 1, 0.663)]
    assert [len(matches) for matches in late] == [0, 1]


def test_the_wait_for_a_closer_message_is_bounded() -> None:
    sync = Synchronizer(['a', 'b'], 0.02)
    feed(sync, [('a', 0), ('b', 5)])
    assert sync.poll(0.024) == []
    assert len(sync.poll(0.0251)) == 1


def test_four_cameras_match_and_a_missing_one_spoils_only_its_own_instant() -> None:
    events = [e for e in steady(33, 10, 0, 2, 1, 3) if e != ('c', 4 * 33 + 1)]
    sync = Synchronizer('abcd', 0.01)
    matches = feed(sync, events) + sync.flush()
    assert len(matches) == 9
    assert all(match.skew_ns == 3 * MS for match in matches)
    assert [s.counts.unmatched for s in sync.streams.values()] == [1, 1, 0, 1]


def test_time_going_back_clears_once_and_goes_on() -> None:
    run = steady(33, 60, 0, 0)
    sync = Synchronizer(['a', 'b'])
    assert len(feed(sync, [*run, ('a', 60 * 33), *run])) == 120
    assert sync.jumps == 1


def test_a_loop_of_half_a_second_or_a_slow_stream_is_noticed_too() -> None:
    sync = Synchronizer(['a', 'b'])
    assert len(feed(sync, steady(33, 10, 0, 0) * 3)) == 10 + 8 + 8
    sync = Synchronizer(['a', 'b'])
    assert len(feed(sync, steady(500, 15, 0, 0) * 3)) == 45


def test_a_slow_stream_out_of_order_does_not_count_as_a_jump() -> None:
    sync = Synchronizer(['a', 'b'])
    feed(sync, [*steady(500, 5, 0, 0), ('a', 3000), ('a', 2500)])
    assert sync.jumps == 0


def test_messages_under_way_at_the_jump_do_not_count_as_a_second_one() -> None:
    sync = Synchronizer(['a', 'b'])
    feed(sync, steady(33, 60, 0, 0))
    interleaved = [('a', 0), ('b', 60 * 33), ('a', 33), ('b', 61 * 33), ('b', 0), ('b', 33)]
    assert pairs(feed(sync, interleaved)) == [(0, 0), (33, 33)]
    assert sync.jumps == 1
    assert sync.streams['b'].counts.late == 2


def test_one_stray_old_stamp_does_not_stop_the_streams() -> None:
    sync = Synchronizer(['a', 'b'])
    feed(sync, steady(33, 60, 0, 0))
    stray = [('a', 100)] + [(s, ms + 60 * 33) for s, ms in steady(33, 5, 0, 0)]
    assert len(feed(sync, stray)) == 5


def test_out_of_order_is_sorted_in_or_counted_late() -> None:
    sync = Synchronizer(['a', 'b'])
    assert pairs(feed(sync, [('a', 33), ('a', 0), ('b', 0), ('b', 33)])) == [(0, 0), (33, 33)]
    feed(sync, [('a', 99), ('b', 99), ('a', 66)])
    assert (sync.jumps, sync.streams['a'].counts.late) == (0, 1)


def test_duplicates_are_dropped_before_and_after_their_use() -> None:
    sync = Synchronizer(['a', 'b'], 0.02)
    assert len(feed(sync, [('a', 0), ('a', 0), ('b', 0), ('a', 0), ('b', 0)])) == 1
    assert [s.counts.duplicate for s in sync.streams.values()] == [2, 1]


def test_queues_stay_bounded_and_every_message_is_accounted_for() -> None:
    sync = Synchronizer(['a', 'b'], 0.0, queue_size=4)
    feed(sync, steady(33, 50, 0, 7))
    for stream in sync.streams.values():
        counts = stream.counts
        assert len(stream.queue) == 4
        assert counts.received == counts.matched + counts.dropped + len(stream.queue)


def test_lag_names_the_stream_that_is_behind() -> None:
    sync = Synchronizer(['rgb', 'depth'], 0.01)
    feed(sync, [('rgb', 500), ('depth', 360)])
    assert sync.lags_s() == pytest.approx({'depth': 0.14})


@pytest.mark.parametrize('names', [['a'], ['a', 'a']])
def test_wrong_streams_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match='two or more different names'):
        Synchronizer(names)


stamps = st.lists(st.integers(0, 2_000), max_size=40, unique=True)


@given(a=stamps, b=stamps, slop=st.integers(0, 60))
def test_matches_are_ordered_disjoint_and_within_slop(a: list, b: list, slop: int) -> None:
    events = sorted([('a', t) for t in a] + [('b', t) for t in b], key=lambda event: event[1])
    sync = Synchronizer(['a', 'b'], slop / 1e3, queue_size=100)
    found = pairs(feed(sync, events) + sync.flush())
    assert all(abs(x - y) <= slop for x, y in found)
    assert all(p[0] < q[0] and p[1] < q[1] for p, q in pairwise(found))
    assert {t for t in a if t in set(b)} == {x for x, y in found if x == y}


@given(jitter=st.lists(st.floats(-8, 8), min_size=60, max_size=60))
def test_jitter_below_half_a_period_loses_nothing(jitter: list[float]) -> None:
    events = [('a', 100 * k + 50) for k in range(60)]
    events += [('b', 100 * k + 50 + j) for k, j in enumerate(jitter)]
    sync = Synchronizer(['a', 'b'], 0.02)
    assert len(feed(sync, sorted(events, key=lambda e: e[1])) + sync.flush()) == 60
