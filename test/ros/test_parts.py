"""The small parts of the ROS side that need no ROS: worker, throttle, watches, frame source."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from damage_perception.frame import FrameError
from damage_perception.ros.frame_source import DEPTH, INFO, RGB, FrameSource, Job
from damage_perception.ros.image_conversion import fill_image
from damage_perception.ros.node_settings import InputSettings
from damage_perception.ros.throttle import Throttle
from damage_perception.ros.topic_watch import TopicWatch
from damage_perception.ros.worker import NewestWorker

S = 1_000_000_000
TOPICS = {RGB: '/cam/rgb', DEPTH: '/cam/depth', INFO: '/cam/info'}


def message(stamp_ns: int, frame_id: str = 'camera', **fields: Any) -> SimpleNamespace:
    """Make a message with a header."""
    stamp = SimpleNamespace(sec=stamp_ns // S, nanosec=stamp_ns % S)
    header = SimpleNamespace(stamp=stamp, frame_id=frame_id)
    return SimpleNamespace(header=header, **fields)


def image(stamp_ns: int, shape: tuple[int, ...], encoding: str, frame_id: str = 'camera') -> Any:
    """Make an empty image message."""
    dtype = np.float32 if encoding == '32FC1' else np.uint8
    return fill_image(message(stamp_ns, frame_id), np.zeros(shape, dtype), encoding)


def test_the_worker_takes_the_newest_job_and_counts_the_others() -> None:
    gate, done = threading.Event(), []

    def work(job: int) -> int:
        gate.wait(5.0)
        return 10 * job

    worker = NewestWorker(work, done.append, lambda job, error: None, 'test')
    worker.submit(1)
    time.sleep(0.05)
    for job in (2, 3, 4):
        worker.submit(job)
    gate.set()
    time.sleep(0.1)
    assert (done, worker.overwritten) == ([10, 40], 2)
    assert worker.stop()


def test_the_worker_is_busy_until_a_result_is_delivered() -> None:
    working, delivering = threading.Event(), threading.Event()
    gates = [threading.Event(), threading.Event()]

    def work(job: int) -> int:
        working.set()
        gates[0].wait(5.0)
        return job

    def done(result: int) -> None:
        delivering.set()
        gates[1].wait(5.0)

    worker = NewestWorker(work, done, lambda job, error: None, 'test')
    assert not worker.busy
    worker.submit(1)
    assert worker.busy
    for reached, gate in zip([working, delivering], gates, strict=True):
        assert reached.wait(5.0)
        assert worker.busy
        gate.set()
    end = time.monotonic() + 5.0
    while worker.busy and time.monotonic() < end:
        time.sleep(0.001)
    assert not worker.busy
    assert worker.stop()


@pytest.mark.parametrize('fault', ['work', 'done'])
def test_a_job_that_raises_is_reported_and_the_next_one_is_done(fault: str) -> None:
    failures: list[str] = []
    steps = {'work': (lambda job: 1 // job, lambda result: None),
             'done': (lambda job: job, lambda result: 1 // result)}[fault]  # fmt: skip
    worker = NewestWorker(*steps, lambda job, e: failures.append(str(e)), 'test')
    for job in (0, 1, 0):
        worker.submit(job)
        time.sleep(0.05)
    assert len(failures) == 2
    assert worker.stop()


@pytest.mark.parametrize('fault', [False, True])
def test_nothing_is_delivered_after_a_stop_that_could_not_wait(fault: bool) -> None:
    gate, heard = threading.Event(), []

    def work(job: int) -> int:
        gate.wait(5.0)
        return 1 // 0 if fault else job

    worker = NewestWorker(work, heard.append, lambda job, error: heard.append(job), 'test')
    worker.submit(1)
    time.sleep(0.05)
    assert not worker.stop(0.05)
    gate.set()
    worker._thread.join(2.0)
    assert heard == []


def test_the_same_text_is_kept_back_for_a_while() -> None:
    said: list[str] = []
    now = [0.0]
    say = Throttle(said.append, 10.0, lambda: now[0])
    for at, text in [(0, 'a'), (1, 'a'), (2, 'b'), (9.9, 'a'), (10, 'a')]:
        now[0] = at
        say(text)
    assert said == ['a', 'b', 'a']
    say('late by 3 ms', kind='late')
    say('late by 4 ms', kind='late')
    assert said[3:] == ['late by 3 ms']


def test_rate_falls_and_age_grows_in_silence() -> None:
    watch = TopicWatch('/rgb', 0.0)
    assert (watch.rate_hz(1.0), watch.age_s(1.0)) == (0.0, 1.0)
    for k in range(31):
        watch.note(k, k / 30)
    assert watch.rate_hz(1.0) == pytest.approx(30.0)
    assert watch.age_s(3.0) == pytest.approx(2.0)
    assert watch.rate_hz(3.0) < 11.0


def source() -> FrameSource:
    return FrameSource(InputSettings(slop_s=0.02, stale_after_s=0.8), 0.0, TOPICS)


@pytest.mark.parametrize(
    ('streams', 'sentence'),
    [
        ([], '/cam/rgb, /cam/depth and /cam/info have not sent anything yet'),
        ([RGB, INFO], '/cam/depth has not sent anything yet'),
        ([RGB, DEPTH], ''),
    ],
)
def test_silence_names_the_topics(streams: list[str], sentence: str) -> None:
    src = source()
    for k in range(40):
        for name in streams:
            if name == INFO:
                src.add_info(message(k * S // 30), k / 30)
            else:
                src.add_image(name, message(k * S // 30), k / 30)
    assert src.silence(40 / 30) == sentence


def test_silence_after_speech_says_for_how_long() -> None:
    src = source()
    for k in range(90):
        src.add_image(RGB, message(k * S // 30), k / 30)
        if k < 30:
            src.add_image(DEPTH, message(k * S // 30), k / 30)
    src.add_info(message(0), 0.0)
    assert src.silence(3.0) == '/cam/depth has been silent for 2.0 s'


def test_streams_that_never_match_are_named_with_their_distance() -> None:
    src = source()
    src.add_info(message(0), 0.0)
    for k in range(10, 60):
        src.add_image(RGB, message(k * S // 10), k / 10)
        src.add_image(DEPTH, message(k * S // 10 - S // 25), k / 10)
    assert src.silence(6.0) == '/cam/depth is 40 ms behind /cam/rgb, more than slop_s allows'


def test_stamps_that_stand_still_are_named() -> None:
    src = source()
    src.add_info(message(0), 0.0)
    for k in range(60):
        src.add_image(RGB, message(0), k / 10)
        src.add_image(DEPTH, message(0), k / 10)
    assert 'the stamps of /cam/rgb and /cam/depth do not advance' in src.silence(6.0)


def test_an_identity_holds_around_its_stamp_only() -> None:
    src = source()
    src.add_identity(message(10 * S, sku='tea', confidence=0.9, source='barcode'))
    found = []
    for second in (9, 11, 20):
        src.add_image(RGB, message(second * S), 0.0)
        found += src.add_image(DEPTH, message(second * S), 0.0)
    assert [job.identity and job.identity.sku for job in found] == ['tea', 'tea', None]


def test_an_identity_without_a_stamp_is_said_now() -> None:
    src = source()
    for second, sku in ((20, None), (21, 'tea'), (23, None)):
        src.add_image(RGB, message(second * S), 0.0)
        (job,) = src.add_image(DEPTH, message(second * S), 0.0)
        assert (job.identity and job.identity.sku) == sku
        if second == 20:
            src.add_identity(message(0, sku='tea', confidence=0.9, source='operator'))


@pytest.mark.parametrize(
    ('depth_shape', 'depth_frame', 'sentence'),
    [((4, 6), 'depth_frame', "depth is in frame 'depth_frame'"), ((2, 3), 'camera', 'like rgb')],
)
def test_depth_that_is_not_registered_is_refused(
    depth_shape: tuple[int, int], depth_frame: str, sentence: str
) -> None:
    rgb, depth = image(0, (4, 6, 3), 'rgb8'), image(0, depth_shape, '32FC1', depth_frame)
    with pytest.raises(FrameError, match=sentence):
        Job(rgb, depth, None, None, 0).frame()
