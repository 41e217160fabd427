"""Frames from messages: pairs, faults said in place, time that goes back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from small_recordings import (
    DEPTH,
    INFO,
    PERIOD_NS,
    RGB,
    START_NS,
    WIDTH,
    camera_info,
    image,
    write_small,
)

from damage_perception.frame import RgbdFrame
from damage_perception.recording.frames import FrameReader, TimeJump
from damage_perception.recording.judging import judge
from damage_perception.recording.outputs import ResultBag
from damage_perception.recording.reader import Recording
from damage_perception.recording.topics import Topics
from damage_perception.recording.types import CAMERA_INFO, IDENTITY, IMAGE
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import DamageReport, Health, header_dict

TOPICS = Topics(RGB, DEPTH, INFO, '/identity')


def entries_of(bag: Path) -> list[Any]:
    return list(FrameReader(Recording(bag), TOPICS))


def one_frame(
    folder: Path, rgb: dict[str, Any], depth: dict[str, Any], info: dict[str, Any] | None
) -> DamageReport | RgbdFrame:
    """Write one frame and read it back."""
    with RecordingWriter(folder) as writer:
        if info is not None:
            writer.write(INFO, CAMERA_INFO, info, START_NS)
        writer.write(RGB, IMAGE, rgb, START_NS)
        writer.write(DEPTH, IMAGE, depth, START_NS + 1)
    (entry,) = entries_of(folder)
    return entry


def test_every_pair_becomes_a_frame(tmp_path: Path) -> None:
    entries = entries_of(write_small(tmp_path / 'bag', frames=12))
    assert [entry.stamp_ns for entry in entries] == [
        START_NS + index * PERIOD_NS for index in range(12)
    ]
    assert all(isinstance(entry, RgbdFrame) and entry.camera for entry in entries[1:])


def test_a_second_reading_gives_the_same(tmp_path: Path) -> None:
    reader = FrameReader(Recording(write_small(tmp_path / 'bag', frames=3)), TOPICS)
    assert [e.stamp_ns for e in reader] == [e.stamp_ns for e in reader]


GOOD_RGB, GOOD_DEPTH = image(START_NS, 'rgb8'), image(START_NS, '16UC1')


@pytest.mark.parametrize(
    ('rgb', 'depth', 'info', 'words'),
    [
        (GOOD_RGB, GOOD_DEPTH, camera_info(START_NS, focal=0.0), 'not calibrated'),
        (GOOD_RGB, GOOD_DEPTH, camera_info(START_NS) | {'width': 99}, 'camera info is for'),
        (image(START_NS, 'yuv422'), GOOD_DEPTH, camera_info(START_NS), 'cv_bridge'),
        (GOOD_RGB, image(START_NS, 'mono8'), camera_info(START_NS), 'depth encoding'),
        (GOOD_RGB | {'step': 5}, GOOD_DEPTH, camera_info(START_NS), 'step must be'),
        (GOOD_RGB, GOOD_DEPTH | {'height': 6}, camera_info(START_NS), 'image data must be'),
        (GOOD_RGB | {'width': 2**31}, GOOD_DEPTH, camera_info(START_NS), 'image size must be'),
        (GOOD_RGB, image(START_NS, '16UC1', frame_id='x'), camera_info(START_NS), "in frame 'x'"),
        (
            GOOD_RGB,
            GOOD_DEPTH | {'height': 6, 'data': GOOD_DEPTH['data'][:192]},
            camera_info(START_NS),
            'depth must be',
        ),
    ],
)
def test_a_bad_frame_is_unknown_with_its_reason(
    tmp_path: Path, rgb: dict[str, Any], depth: dict[str, Any], info: Any, words: str
) -> None:
    entry = one_frame(tmp_path / 'bag', rgb, depth, info)
    assert isinstance(entry, DamageReport)
    assert entry.health is Health.UNKNOWN
    assert entry.items == ()
    assert words in entry.reason
    assert entry.stamp_ns == START_NS


def test_without_calibration_there_is_a_frame_without_camera(tmp_path: Path) -> None:
    entry = one_frame(tmp_path / 'bag', GOOD_RGB, GOOD_DEPTH, None)
    assert isinstance(entry, RgbdFrame)
    assert entry.camera is None


def written(folder: Path, steps: Callable[[RecordingWriter], None]) -> list[Any]:
    with RecordingWriter(folder) as writer:
        writer.write(INFO, CAMERA_INFO, camera_info(START_NS), START_NS)
        steps(writer)
    return entries_of(folder)


def put(writer: RecordingWriter, topic: str, stamp: int, received: int) -> None:
    encoding = 'rgb8' if topic == RGB else '16UC1'
    writer.write(topic, IMAGE, image(stamp, encoding), received)


def test_images_without_depth_are_reported_in_order(tmp_path: Path) -> None:
    def steps(writer: RecordingWriter) -> None:
        for index in range(30):
            stamp = START_NS + index * PERIOD_NS
            put(writer, RGB, stamp, stamp)
            if not 5 <= index < 25:
                put(writer, DEPTH, stamp, stamp)

    entries = written(tmp_path / 'bag', steps)
    assert [isinstance(entry, RgbdFrame) for entry in entries] == [
        not 5 <= index < 25 for index in range(30)
    ]
    assert 'no depth' in entries[10].reason
    assert [entry.stamp_ns for entry in entries] == sorted(entry.stamp_ns for entry in entries)


def test_frames_that_cannot_be_used_are_signed_and_have_no_masks(tmp_path: Path) -> None:
    """Such as the first, from which the latched message would tell of no threshold."""

    def steps(writer: RecordingWriter) -> None:
        put(writer, RGB, START_NS, START_NS)
        for index in range(1, 4):
            stamp = START_NS + index * PERIOD_NS
            writer.write(INFO, CAMERA_INFO, camera_info(stamp), stamp)
            put(writer, RGB, stamp, stamp)
            put(writer, DEPTH, stamp, stamp)

    judgements = list(judge(written(tmp_path / 'bag', steps)))
    with ResultBag(tmp_path / 'out') as bag:
        for judgement in judgements:
            bag.take(judgement)
    reports = [one.report for one in judgements if one.report is not None]
    assert 'no depth has arrived' in reports[0].reason
    assert [report.width for report in reports] == [0, *[WIDTH] * 3]
    assert all(report.threshold > 0 and report.detector for report in reports)
    topics = Recording(tmp_path / 'out').topics
    assert topics['/damage/report'].count == 4
    assert topics['/damage/mask'].count == 3
    assert topics['/damage/label_info'].count == 1


def test_time_going_back_is_said_once_and_nothing_is_mixed(tmp_path: Path) -> None:
    def steps(writer: RecordingWriter) -> None:
        for index in range(20):
            received = START_NS + index * PERIOD_NS
            stamp = received - (PERIOD_NS * 10 if index >= 10 else 0)
            put(writer, RGB, stamp, received)
            put(writer, DEPTH, stamp, received)

    entries = written(tmp_path / 'bag', steps)
    assert [isinstance(entry, TimeJump) for entry in entries] == [i == 10 for i in range(21)]


def test_identity_holds_until_it_is_replaced(tmp_path: Path) -> None:
    def steps(writer: RecordingWriter) -> None:
        for index in range(4):
            stamp = START_NS + index * PERIOD_NS
            if index == 2:
                header = header_dict(stamp, 'optical')
                said = {'header': header, 'sku': 'cup', 'confidence': 0.75, 'source': 'barcode'}
                writer.write('/identity', IDENTITY, said, stamp)
            put(writer, RGB, stamp, stamp)
            put(writer, DEPTH, stamp, stamp)

    entries = written(tmp_path / 'bag', steps)
    assert [entry.identity and entry.identity.sku for entry in entries] == [
        None,
        None,
        'cup',
        'cup',
    ]


def test_messages_that_make_no_sense_are_counted(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.write(INFO, CAMERA_INFO, camera_info(START_NS), START_NS)
        writer.write_raw(RGB, IMAGE, b'\x00\x01\x00\x00nonsense', START_NS)
        put(writer, RGB, START_NS + 1, START_NS + 1)
        put(writer, DEPTH, START_NS + 1, START_NS + 2)
    reader = FrameReader(Recording(tmp_path / 'bag'), TOPICS)
    assert len(list(reader)) == 1
    assert reader.unreadable == 1
