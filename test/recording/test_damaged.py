"""Damaged recordings: what is whole is used, what is lost is said, nothing wrong is given out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_recordings import write_small

from damage_perception.recording.reader import Recording
from damage_perception.recording.storage import RecordingError

Message = tuple[str, int, bytes]


@pytest.fixture(scope='module')
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, list[Message]]:
    """Give the bytes of a recording and the messages in it."""
    bag = write_small(tmp_path_factory.mktemp('whole') / 'bag')
    return (bag / 'bag.mcap').read_bytes(), read(bag)[0]


def read(path: Path) -> tuple[list[Message], str]:
    """Give the messages and what is said to be lost."""
    recording = Recording(path)
    messages = [(m.topic, m.time_ns, bytes(m.data)) for m in recording.messages()]
    return messages, recording.loss


def test_truncated_anywhere(whole: tuple[bytes, list[Message]], tmp_path: Path) -> None:
    data, messages = whole
    path = tmp_path / 'cut.mcap'
    refused = 0
    for size in np.linspace(0, len(data) - 1, 120).astype(int):
        path.write_bytes(data[:size])
        try:
            found, loss = read(path)
        except RecordingError:
            refused += 1
            continue
        assert found == messages[: len(found)]
        if len(found) < len(messages):
            assert f'{len(found)} messages were recovered' in loss
            assert 'lost' in loss
    assert refused < 24  # the first chunk is whole long before the end


def test_flipped_bits_never_change_a_message(
    whole: tuple[bytes, list[Message]], tmp_path: Path
) -> None:
    data, messages = whole
    rng = np.random.default_rng(5)
    path = tmp_path / 'flipped.mcap'
    said = 0
    for _ in range(250):
        spoilt = bytearray(data)
        spoilt[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(spoilt)
        try:
            found, loss = read(path)
        except RecordingError:
            continue
        payload = {(time_ns, content) for _, time_ns, content in found}
        assert payload <= {(time_ns, content) for _, time_ns, content in messages}
        if len(found) < len(messages):
            assert loss, 'messages are missing and nobody says so'
            said += 1
    assert said > 100  # most flips hit a chunk, so the test has looked at what it is about


def test_a_bad_chunk_costs_only_itself(whole: tuple[bytes, list[Message]], tmp_path: Path) -> None:
    data, messages = whole
    spoilt = bytearray(data)
    spoilt[len(data) // 3] ^= 0x10
    path = tmp_path / 'one.mcap'
    path.write_bytes(spoilt)
    found, loss = read(path)
    assert len(messages) - 4 <= len(found) < len(messages)
    assert f'{len(found)} of {len(messages)} messages were recovered' in loss
    assert ' s are lost' in loss


def test_a_truncated_folder_is_recovered(
    whole: tuple[bytes, list[Message]], tmp_path: Path
) -> None:
    data, messages = whole
    bag = write_small(tmp_path / 'bag')
    (bag / 'bag.mcap').write_bytes(data[: len(data) // 2])
    found, loss = read(bag)
    assert 0 < len(found) < len(messages)
    assert 'it ends too early' in loss


def test_a_missing_part_of_a_split_recording_is_said(tmp_path: Path) -> None:
    bag = write_small(tmp_path / 'bag')
    metadata = bag / 'metadata.yaml'
    text = metadata.read_text()
    metadata.write_text(text.replace('- bag.mcap', '- bag.mcap\n  - bag_1.mcap'))
    found, loss = read(bag)
    assert len(found) == 36
    assert 'bag_1.mcap' in loss


def test_truncated_sqlite(tmp_path: Path) -> None:
    from rosbags.rosbag2 import StoragePlugin, Writer
    from small_recordings import image

    from damage_perception.recording.types import IMAGE, build_message, typestore

    with Writer(tmp_path / 'b', version=9, storage_plugin=StoragePlugin.SQLITE3) as writer:
        link = writer.add_connection('/colour', IMAGE, typestore=typestore())
        for index in range(200):
            message = build_message(IMAGE, image(index, 'rgb8', index))
            writer.write(link, index, typestore().serialize_cdr(message, IMAGE))
    whole, _ = read(tmp_path / 'b')
    data = (tmp_path / 'b' / 'b.db3').read_bytes()
    path = tmp_path / 'cut.db3'
    for share in (0.05, 0.3, 0.6, 0.95):
        path.write_bytes(data[: int(share * len(data))])
        try:
            found, loss = read(path)
        except RecordingError:
            continue
        assert set(found) <= set(whole)
        assert len(found) == len(whole) or 'damaged' in loss
