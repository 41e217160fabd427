"""Recordings that are written: same bytes every time, whole or not there."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from small_recordings import RGB, START_NS, image, write_small

from damage_perception.errors import CallError, UserError
from damage_perception.installed import shared_file
from damage_perception.recording.types import IDENTITY, IMAGE, build_message
from damage_perception.recording.writer import RecordingWriter
from damage_perception.report import header_dict


def test_same_messages_same_bytes(tmp_path: Path) -> None:
    first, second = write_small(tmp_path / 'a' / 'bag'), write_small(tmp_path / 'b' / 'bag')
    for name in ('bag.mcap', 'metadata.yaml'):
        assert (first / name).read_bytes() == (second / name).read_bytes()


def test_rosbags_agrees_with_the_metadata(tmp_path: Path) -> None:
    from rosbags.rosbag2 import Reader

    with Reader(write_small(tmp_path / 'bag', frames=3)) as reader:
        assert reader.message_count == 9
        assert reader.start_time == START_NS
        assert {link.topic: link.msgcount for link in reader.connections}[RGB] == 3
        for link, _, data in reader.messages():
            assert link.msgdef.data
            assert len(data) > 0


def test_own_types_come_back(tmp_path: Path) -> None:
    fields = {'header': header_dict(5, 'f'), 'sku': 'box', 'confidence': 0.5, 'source': 'barcode'}
    with RecordingWriter(tmp_path / 'bag') as writer:
        writer.write('/item/identity', IDENTITY, fields, 5)
    from rosbags.highlevel import AnyReader

    with AnyReader([tmp_path / 'bag']) as reader:  # by the definitions in the recording itself
        ((link, _, data),) = reader.messages()
        message = reader.deserialize(data, link.msgtype)
    assert (message.sku, message.confidence, message.source) == ('box', 0.5, 'barcode')


def test_a_field_that_is_left_out_is_noticed() -> None:
    with pytest.raises(KeyError, match='source'):
        build_message(IDENTITY, {'header': header_dict(5, 'f'), 'sku': '', 'confidence': 0.0})


def test_every_own_message_is_known() -> None:
    from damage_perception.recording.types import typestore

    for file in shared_file('msg/DamageReport.msg').parent.glob('*.msg'):
        assert f'damage_perception/msg/{file.stem}' in typestore().fielddefs


def test_an_existing_folder_is_not_touched(tmp_path: Path) -> None:
    bag = write_small(tmp_path / 'bag', frames=1)
    before = (bag / 'bag.mcap').read_bytes()
    with pytest.raises(CallError, match='exists already'):
        RecordingWriter(bag)
    assert (bag / 'bag.mcap').read_bytes() == before


def test_a_failure_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> None:
        with RecordingWriter(tmp_path / 'bag') as writer:
            writer.write(RGB, IMAGE, image(0, 'rgb8'), 0)
            raise RuntimeError('power')

    with pytest.raises(RuntimeError, match='power'):
        fail()
    assert os.listdir(tmp_path) == []


def test_an_unwritable_place_is_named(tmp_path: Path) -> None:
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='file/bag cannot be written'):
        RecordingWriter(tmp_path / 'file' / 'bag')


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = RecordingWriter(tmp_path / 'bag', chunk_bytes=1000)

    monkeypatch.setattr(writer._writer, '_Writer__stream', FullDisk())

    def fill() -> None:
        with writer:
            for index in range(100):
                writer.write(RGB, IMAGE, image(index, 'rgb8', index), index)

    with pytest.raises(UserError, match=r'No space left on device.*free space'):
        fill()
    assert os.listdir(tmp_path) == []


class FullDisk:
    """A stream without room."""

    def tell(self) -> int:
        return 0

    def write(self, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
