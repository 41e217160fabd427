"""Recover the whole messages of a damaged MCAP file, chunk by chunk, checksums on."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

FOOTER_BYTES = 37  # opcode 1, length 8, two offsets of 8, checksum 4, magic 8

if TYPE_CHECKING:
    from mcap.records import Channel, Chunk, McapRecord, Schema


@dataclass
class Tally:
    """What could not be recovered."""

    damaged: list[tuple[int, int]] = field(default_factory=list)  # (first, last) ns of bad chunks
    broken_off: bool = False
    reason: str = ''

    def describe_lost(self) -> str:
        """Say when messages are missing."""
        parts = [
            f'those from {first / 1e9:.3f} s to {last / 1e9:.3f} s are lost'
            for first, last in self.damaged
        ]
        if self.broken_off:
            parts.append('everything after that place is lost')
        return ' and '.join(parts[:3])


RawTuple = tuple[str, str, int, bytes]  # topic, message type, time of reception in ns, CDR


def messages(files: Sequence[Path], tally: Tally) -> Iterator[RawTuple]:
    """Give the whole messages of the MCAP files among `files`; fill `tally` on the way."""
    for file in files:
        if file.suffix == '.mcap':
            yield from _file_messages(file, tally)
        else:
            tally.broken_off = True


def index_is_whole(file: Path) -> bool:
    """Tell whether the index at the end of an MCAP file fits its checksum, where it has one.

    The readers check only the chunks, so a spoilt index would hide messages and say nothing.
    """
    with file.open('rb') as stream:
        stream.seek(max(0, file.stat().st_size - FOOTER_BYTES))
        footer = stream.read(FOOTER_BYTES)
        if len(footer) < FOOTER_BYTES:
            return False
        start, _, expected = struct.unpack('<QQI', footer[9:29])
        if expected == 0 or start == 0:
            return True
        stream.seek(start)
        index = stream.read()
        return bool(
            zlib.crc32(index[: len(index) - 12]) == expected
        )  # before the sum and the magic


def _file_messages(file: Path, tally: Tally) -> Iterator[RawTuple]:
    from mcap.records import Channel, Message, Schema

    schemas: dict[int, Schema] = {}
    channels: dict[int, Channel] = {}
    for record in _records(file, tally):
        if isinstance(record, Schema):
            schemas[record.id] = record
        elif isinstance(record, Channel):
            channels[record.id] = record
        elif isinstance(record, Message) and record.channel_id in channels:
            channel = channels[record.channel_id]
            schema = schemas.get(channel.schema_id)
            if schema is not None:
                yield channel.topic, schema.name, record.log_time, record.data


def _records(file: Path, tally: Tally) -> Iterator[McapRecord]:
    """Give records in file order, those of whole chunks included, until the file makes no sense."""
    from mcap.records import Chunk, DataEnd
    from mcap.stream_reader import StreamReader

    with file.open('rb') as stream:
        limit = file.stat().st_size
        reader = StreamReader(stream, emit_chunks=True, record_size_limit=limit)
        records = reader.records
        while True:
            try:
                record = next(records)
            except StopIteration:
                return
            except Exception as error:  # a parser of damaged bytes may raise anything
                tally.broken_off = True
                tally.reason = tally.reason or _explain(error)
                return
            if isinstance(record, DataEnd):
                return  # only the index follows
            if isinstance(record, Chunk):
                yield from _chunk_records(record, tally)
            else:
                yield record


def _chunk_records(chunk: Chunk, tally: Tally) -> list[McapRecord]:
    from mcap.stream_reader import breakup_chunk

    try:
        records: list[McapRecord] = breakup_chunk(chunk, validate_crc=True)
    except Exception as error:
        tally.damaged.append((chunk.message_start_time, chunk.message_end_time))
        tally.reason = tally.reason or _explain(error)
        return []
    return records


def _explain(error: Exception) -> str:
    from mcap.exceptions import EndOfFile, InvalidMagic
    from mcap.stream_reader import CRCValidationError

    if isinstance(error, CRCValidationError):
        return 'a checksum does not fit its data'
    if isinstance(error, InvalidMagic):
        return 'it does not begin and end like an MCAP file'
    if isinstance(error, (EndOfFile, EOFError)):
        return 'it ends too early'
    return 'its records make no sense'
