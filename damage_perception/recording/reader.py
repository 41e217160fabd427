"""Read recordings, whole or damaged: rosbag2 folders, bare `.mcap` and `.db3` files.

Whole ones are read by `rosbags`. Where that fails, what is left of an MCAP file is recovered
(`salvage`), and what was lost is said; nothing that fails a checksum is ever given out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from damage_perception.recording import salvage
from damage_perception.recording.storage import RecordingError, listed_files, storage_files

if TYPE_CHECKING:
    from rosbags.rosbag2 import Reader


@dataclass(frozen=True)
class Topic:
    """A topic of a recording; `count` is what its index promises, 0 where the index is lost."""

    name: str
    msgtype: str
    count: int


@dataclass(frozen=True)
class RawMessage:
    """A message as it was recorded; `data` is CDR, `time_ns` the time of reception."""

    topic: str
    msgtype: str
    time_ns: int
    data: bytes


class Recording:
    """A recording that is read from start to end, in order of reception, any number of times.

    `loss` is one sentence on what could not be read, '' while nothing is known to be lost; it is
    complete once `messages()` has run to its end.

    Raises:
        RecordingError: if nothing of it can be read.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.loss = ''
        self._files = storage_files(self.path)
        self._whole = True
        try:
            with self._open() as reader:
                self.topics = {
                    name: Topic(name, info.msgtype or 'more than one type', info.msgcount)
                    for name, info in reader.topics.items()
                }
        except Exception as error:  # rosbags meets damage with whatever its parsers raise
            self._whole = False
            self._reason = _first_line(error)
            self.topics = self._scan()

    def messages(self, topics: Collection[str] = ()) -> Iterator[RawMessage]:
        """Give the messages of some topics, or of all.

        Raises:
            RecordingError: if the storage fails and nothing of it can be recovered.
        """
        given: Counter[tuple[str, int]] = Counter()
        if self._whole:
            try:
                for message in self._read(topics):
                    given[message.topic, message.time_ns] += 1
                    yield message
                if sum(given.values()) == self._promise(topics):
                    return
                self._reason = 'its index does not fit its data'
            except Exception as error:  # rosbags meets damage with whatever its parsers raise
                self._reason = _first_line(error)
        yield from self._salvage(topics, given)

    def _promise(self, topics: Collection[str]) -> int:
        return sum(
            topic.count for name, topic in self.topics.items() if not topics or name in topics
        )

    def _open(self) -> Reader:
        from rosbags.rosbag2 import Reader

        if not all(salvage.index_is_whole(f) for f in self._files if f.suffix == '.mcap'):
            raise RecordingError('its index does not fit its checksum')
        lone = self.path.is_dir() and not (self.path / 'metadata.yaml').exists()
        return Reader(self._files[0] if lone and len(self._files) == 1 else self.path)

    def _read(self, topics: Collection[str]) -> Iterator[RawMessage]:
        with self._open() as reader:
            wanted = [link for link in reader.connections if not topics or link.topic in topics]
            if not wanted:
                return
            for link, time_ns, data in reader.messages(wanted):
                yield RawMessage(link.topic, link.msgtype, time_ns, data)

    def _salvage(
        self, topics: Collection[str], given: Counter[tuple[str, int]]
    ) -> Iterator[RawMessage]:
        """Give what is whole and was not given yet, then say what is lost."""
        count = sum(given.values())
        tally = salvage.Tally()
        for topic, msgtype, time_ns, data in salvage.messages(self._files, tally):
            if topics and topic not in topics:
                continue
            if given[topic, time_ns] > 0:
                given[topic, time_ns] -= 1
                continue
            count += 1
            yield RawMessage(topic, msgtype, time_ns, data)
        self.loss = self._describe(tally, count, self._promise(topics))

    def _scan(self) -> dict[str, Topic]:
        """List the topics of a recording whose index is lost."""
        tally = salvage.Tally()
        counts: Counter[tuple[str, str]] = Counter(
            (topic, msgtype) for topic, msgtype, _, _ in salvage.messages(self._files, tally)
        )
        if not counts:
            raise RecordingError(
                f'{self.path} holds no message that can be read ({tally.reason or self._reason}); '
                'record or copy it again'
            )
        self.loss = self._describe(tally, sum(counts.values()), 0)
        return {name: Topic(name, kind, count) for (name, kind), count in counts.items()}

    def _describe(self, tally: salvage.Tally, count: int, promised: int) -> str:
        missing = [name for name in listed_files(self.path) if not (self.path / name).exists()]
        if not (tally.damaged or tally.broken_off or missing) and count >= promised:
            return ''  # only the index was unusable: every message is there
        total = f' of {promised}' if promised > count else ''
        lost = tally.describe_lost()
        absent = f'{", ".join(missing)} is missing' if missing else ''
        return (
            f'{self.path} is damaged ({absent or tally.reason or self._reason}): '
            f'{count}{total} messages '
            f'were recovered{", " if lost else ""}{lost}'
        )


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip('.')
