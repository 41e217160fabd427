"""Write a rosbag2 recording (MCAP with checksums) that `ros2 bag info` and `play` take."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Any

from damage_perception.errors import CallError, UserError
from damage_perception.recording.bag_metadata import LATCHED, Channel, metadata_yaml
from damage_perception.recording.types import build_message, typestore


class RecordingWriter:
    """Write messages into a new folder; it appears under its name only once it is whole.

    The same messages give the same bytes. Use it as a context manager: leaving it by an exception
    leaves nothing behind. A damaged chunk of `chunk_bytes` is what a flipped bit costs.

    Raises:
        CallError: if the folder exists already.
        UserError: if it cannot be written.
    """

    def __init__(self, folder: str | Path, chunk_bytes: int = 1 << 20) -> None:
        from mcap.writer import CompressionType, Writer

        self.folder = Path(folder)
        if self.folder.exists():
            raise CallError(f'{self.folder} exists already; remove it or give another name')
        self._part = self.folder.with_name(f'.{self.folder.name}.part')
        self._file = f'{self.folder.name}.mcap'
        self._channels: dict[str, Channel] = {}
        self._schemas: dict[str, int] = {}
        self._counts: Counter[str] = Counter()
        self._span: tuple[int, int] | None = None
        try:
            shutil.rmtree(self._part, ignore_errors=True)
            self._part.mkdir(parents=True)
            self._stream = (self._part / self._file).open('wb')
            self._writer = Writer(
                self._stream, chunk_size=chunk_bytes, compression=CompressionType.ZSTD
            )
            self._writer.start(profile='ros2', library='damage_perception')
        except OSError as error:
            raise self._cannot_write(error) from error

    def write(
        self, topic: str, msgtype: str, fields: dict[str, Any], time_ns: int, latched: bool = False
    ) -> None:
        """Write a message given as nested dicts that name every field of its type."""
        data = typestore().serialize_cdr(build_message(msgtype, fields), msgtype)
        self.write_raw(topic, msgtype, bytes(data), time_ns, latched)

    def write_raw(
        self, topic: str, msgtype: str, data: bytes, time_ns: int, latched: bool = False
    ) -> None:
        """Write a message that is serialised already (CDR)."""
        try:
            if topic not in self._channels:
                self._add_channel(topic, msgtype, LATCHED if latched else '')
            channel = self._channels[topic].id
            self._writer.add_message(
                channel, log_time=time_ns, data=data, publish_time=time_ns,
                sequence=self._counts[topic],
            )  # fmt: skip
        except OSError as error:
            raise self._cannot_write(error) from error
        self._counts[topic] += 1
        first, last = self._span or (time_ns, time_ns)
        self._span = min(first, time_ns), max(last, time_ns)

    def __enter__(self) -> RecordingWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._writer.finish()
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            text = metadata_yaml(self._file, self._channels, self._counts, self._span or (0, 0))
            (self._part / 'metadata.yaml').write_text(text, encoding='utf-8')
            self._part.rename(self.folder)
        except OSError as failure:
            raise self._cannot_write(failure) from failure

    def _add_channel(self, topic: str, msgtype: str, qos: str) -> None:
        if msgtype not in self._schemas:
            text, _ = typestore().generate_msgdef(msgtype, ros_version=2)
            self._schemas[msgtype] = self._writer.register_schema(msgtype, 'ros2msg', text.encode())
        channel = self._writer.register_channel(
            topic, 'cdr', self._schemas[msgtype], {'offered_qos_profiles': qos}
        )
        self._channels[topic] = Channel(channel, msgtype, qos)

    def _cannot_write(self, error: OSError) -> UserError:
        self._discard()
        return UserError(
            f'{self.folder} cannot be written ({error.strerror or error}); '
            'free space there or give another folder'
        )

    def _discard(self) -> None:
        stream = getattr(self, '_stream', None)
        if stream is not None:
            with contextlib.suppress(OSError):  # a full disk: the buffer is lost as it shall be
                stream.close()
        shutil.rmtree(self._part, ignore_errors=True)
