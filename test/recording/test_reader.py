"""Whole recordings, and what is refused with a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from small_recordings import DEPTH, INFO, RGB, image, write_small

from damage_perception.errors import CallError, UserError
from damage_perception.recording.reader import Recording
from damage_perception.recording.storage import RecordingError
from damage_perception.recording.topics import find_topics, unknown_types
from damage_perception.recording.types import IMAGE, build_message, typestore
from damage_perception.recording.writer import RecordingWriter


def contents(path: Path) -> list[tuple[str, int, bytes]]:
    """Read everything, and check that nothing is said to be lost."""
    recording = Recording(path)
    messages = [(m.topic, m.time_ns, bytes(m.data)) for m in recording.messages()]
    assert recording.loss == ''
    return messages


@pytest.fixture
def bag(tmp_path: Path) -> Path:
    return write_small(tmp_path / 'bag')


def test_folder_and_bare_file_hold_the_same(bag: Path) -> None:
    messages = contents(bag)
    assert len(messages) == 36
    assert messages == contents(bag / 'bag.mcap')


def test_metadata_may_be_missing(bag: Path) -> None:
    expected = contents(bag)
    (bag / 'metadata.yaml').unlink()
    assert contents(bag) == expected


def test_broken_metadata_costs_nothing(bag: Path) -> None:
    expected = contents(bag)
    (bag / 'metadata.yaml').write_text('rosbag2_bagfile_information: {version: nine')
    assert contents(bag) == expected


@pytest.mark.parametrize('plugin', [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize(
    'mode', [CompressionMode.NONE, CompressionMode.FILE, CompressionMode.MESSAGE]
)
def test_recordings_of_others(tmp_path: Path, plugin: StoragePlugin, mode: CompressionMode) -> None:
    bag = tmp_path / 'other'
    writer = Writer(bag, version=9, storage_plugin=plugin)
    if mode is not CompressionMode.NONE:
        writer.set_compression(mode, CompressionFormat.ZSTD)
    with writer:
        link = writer.add_connection('/colour', IMAGE, typestore=typestore())
        for index in range(3):
            message = build_message(IMAGE, image(index, 'rgb8', index))
            writer.write(link, index, typestore().serialize_cdr(message, IMAGE))
    recording = Recording(bag)
    assert [m.time_ns for m in recording.messages(['/colour'])] == [0, 1, 2]
    assert recording.topics['/colour'].msgtype == IMAGE
    assert recording.loss == ''


def test_bare_sqlite_file(tmp_path: Path) -> None:
    with Writer(tmp_path / 'b', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        link = writer.add_connection('/colour', IMAGE, typestore=typestore())
        message = build_message(IMAGE, image(7, 'rgb8'))
        writer.write(link, 7, typestore().serialize_cdr(message, IMAGE))
    assert len(contents(tmp_path / 'b' / 'b.db3')) == 1


def test_only_the_wanted_topics_are_read(bag: Path) -> None:
    assert {m.topic for m in Recording(bag).messages([RGB])} == {RGB}


def test_topics_are_found_by_type_and_encoding(bag: Path) -> None:
    topics = find_topics(Recording(bag))
    assert (topics.rgb, topics.depth, topics.camera_info) == (RGB, DEPTH, INFO)


@pytest.mark.parametrize(
    ('name', 'content', 'words'),
    [
        ('absent', None, 'does not exist'),
        ('notes.txt', b'hello', 'is not a recording'),
        ('empty.mcap', b'', 'is empty'),
        ('picture.mcap', b'\x89PNG\r\n\x1a\n' + bytes(64), 'no message that can be read'),
        ('picture.db3', b'\x89PNG\r\n\x1a\n' + bytes(64), 'no message that can be read'),
        ('zeros.mcap', bytes(4096), 'no message that can be read'),
    ],
)
def test_other_files_are_refused_by_name(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RecordingError, match=words) as caught:
        Recording(path)
    assert str(path) in str(caught.value)


def test_a_folder_without_recording_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r'holds no \.mcap and no \.db3'):
        Recording(tmp_path)


def test_a_recording_without_messages_is_refused_by_its_topics(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / 'none'):
        pass
    with pytest.raises(RecordingError, match='no colour topic; it holds no topic at all'):
        find_topics(Recording(tmp_path / 'none'))


def test_a_missing_topic_lists_those_that_are_there(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.write(RGB, IMAGE, image(0, 'rgb8'), 0)
    with pytest.raises(RecordingError, match=f'no depth topic; it holds {RGB}') as caught:
        find_topics(Recording(tmp_path / 'bag'))
    assert isinstance(caught.value, UserError)


def test_a_wrong_name_lists_those_that_are_there(bag: Path) -> None:
    with pytest.raises(CallError, match=f'--rgb-topic /nope .*{DEPTH}'):
        find_topics(Recording(bag), rgb='/nope')


def test_a_name_of_another_type_is_refused(bag: Path) -> None:
    with pytest.raises(CallError, match='expected sensor_msgs/msg/Image'):
        find_topics(Recording(bag), rgb=INFO)


def test_several_colour_topics_need_a_choice(tmp_path: Path) -> None:
    with RecordingWriter(tmp_path / 'bag') as writer:
        for topic in ('/left', '/right'):
            writer.write(topic, IMAGE, image(0, 'rgb8'), 0)
        writer.write(DEPTH, IMAGE, image(0, '16UC1'), 0)
    with pytest.raises(CallError, match=r'/left, /right.*--rgb-topic'):
        find_topics(Recording(tmp_path / 'bag'))


def test_grey_and_unregistered_images_give_way(tmp_path: Path) -> None:
    from small_recordings import camera_info

    from damage_perception.recording.types import CAMERA_INFO

    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.write('/cam/infra/image', IMAGE, image(0, 'mono8'), 0)
        writer.write('/cam/depth/image', IMAGE, image(0, '16UC1'), 0)
        writer.write('/cam/infra/camera_info', CAMERA_INFO, camera_info(0), 0)
        writer.write(DEPTH, IMAGE, image(0, '16UC1'), 0)
        writer.write(RGB, IMAGE, image(0, 'rgb8'), 0)
        writer.write(INFO, CAMERA_INFO, camera_info(0), 0)
    topics = find_topics(Recording(tmp_path / 'bag'))
    assert (topics.rgb, topics.depth, topics.camera_info) == (RGB, DEPTH, INFO)


def test_unknown_types_are_named_and_skipped(bag: Path, tmp_path: Path) -> None:
    from mcap.writer import Writer as McapWriter

    path = tmp_path / 'strange.mcap'
    known = list(Recording(bag).messages())
    with path.open('wb') as stream:
        writer = McapWriter(stream)
        writer.start(profile='ros2')
        channels = {}
        for message in [*known, known[0]]:
            strange = message is known[0]
            topic = '/strange' if strange else message.topic
            if topic not in channels:
                kind = 'their_msgs/msg/Thing' if strange else message.msgtype
                schema = writer.register_schema(kind, 'ros2msg', b'float32 x')
                channels[topic] = writer.register_channel(topic, 'cdr', schema)
            writer.add_message(channels[topic], message.time_ns, message.data, message.time_ns)
        writer.finish()
    recording = Recording(path)
    assert unknown_types(recording) == ['/strange']
    assert find_topics(recording).rgb == RGB


def test_a_split_recording_keeps_its_order(bag: Path, tmp_path: Path) -> None:
    expected = contents(bag)
    split = tmp_path / 'split'
    split.mkdir()
    later = write_small(tmp_path / 'later', frames=2)
    shutil.copy(bag / 'bag.mcap', split / 'split_0.mcap')
    shutil.copy(later / 'later.mcap', split / 'split_1.mcap')
    assert contents(split)[: len(expected)] == expected
