"""Find which topics of a recording hold colour, depth, calibration and identity."""

from __future__ import annotations

import os.path
from dataclasses import dataclass

from damage_perception.errors import CallError
from damage_perception.recording.reader import Recording
from damage_perception.recording.storage import RecordingError
from damage_perception.recording.types import CAMERA_INFO, IDENTITY, IMAGE, typestore

DEPTH_ENCODINGS = ('16UC1', '32FC1', 'mono16')
REGISTERED = ('aligned', 'regist', 'rect')  # parts of the names of depth that fits colour


@dataclass(frozen=True)
class Topics:
    """Names of the topics that a stream of frames is made of; identity '' = none."""

    rgb: str
    depth: str
    camera_info: str
    identity: str = ''

    @property
    def names(self) -> tuple[str, ...]:
        """All that are used."""
        return tuple(
            name for name in (self.rgb, self.depth, self.camera_info, self.identity) if name
        )


def find_topics(
    recording: Recording, rgb: str = '', depth: str = '', camera_info: str = '', identity: str = ''
) -> Topics:
    """Find the topics by their type and encoding; a name that is given is taken as it is.

    Raises:
        CallError: if a given name is not in the recording or has another type, or if several fit.
        RecordingError: if a needed topic is missing.
    """
    given = {
        'rgb': (rgb, IMAGE),
        'depth': (depth, IMAGE),
        'camera-info': (camera_info, CAMERA_INFO),
    }
    for option, (name, msgtype) in {**given, 'identity': (identity, IDENTITY)}.items():
        if name:
            _check_given(recording, option, name, msgtype)
    if not (rgb and depth):
        encodings = _encodings(recording)
        colours = [name for name, code in encodings.items() if code not in DEPTH_ENCODINGS]
        depths = [name for name, code in encodings.items() if code in DEPTH_ENCODINGS]
        rgb = rgb or _only_one(recording, _coloured(colours, encodings), 'colour', 'rgb')
        depth = depth or _only_one(recording, _registered(depths), 'depth', 'depth')
    infos = _of_type(recording, CAMERA_INFO)
    camera_info = camera_info or _only_one(
        recording, _nearest(infos, rgb), 'camera info', 'camera-info'
    )
    identities = _of_type(recording, IDENTITY)
    return Topics(rgb, depth, camera_info, identity or (identities[0] if identities else ''))


def list_topics(recording: Recording) -> str:
    """Say in one line what a recording holds."""
    held = [f'{topic.name} ({topic.msgtype})' for topic in recording.topics.values()]
    return ', '.join(sorted(held)) or 'no topic at all'


def unknown_types(recording: Recording) -> list[str]:
    """List the topics whose message type nobody here knows; they are skipped."""
    known = typestore().fielddefs
    return sorted(t.name for t in recording.topics.values() if t.msgtype not in known)


def _check_given(recording: Recording, option: str, name: str, msgtype: str) -> None:
    topic = recording.topics.get(name)
    if topic is None:
        raise CallError(
            f'--{option}-topic {name} is not in {recording.path}, which holds '
            f'{list_topics(recording)}'
        )
    if topic.msgtype != msgtype:
        raise CallError(f'--{option}-topic {name} is a {topic.msgtype}, expected {msgtype}')


def _of_type(recording: Recording, msgtype: str) -> list[str]:
    return sorted(t.name for t in recording.topics.values() if t.msgtype == msgtype and t.count)


def _encodings(recording: Recording) -> dict[str, str]:
    """Read the encoding of the first message of each image topic."""
    waiting = set(_of_type(recording, IMAGE))
    found: dict[str, str] = {}
    for message in recording.messages(waiting) if waiting else ():
        if message.topic in waiting:
            try:
                image = typestore().deserialize_cdr(message.data, IMAGE)
            except Exception:  # a broken message: the next one may be whole
                continue
            found[message.topic] = image.encoding
            waiting.discard(message.topic)
        if not waiting:
            break
    return found


def _coloured(names: list[str], encodings: dict[str, str]) -> list[str]:
    """Prefer colour to grey, as of an infrared camera beside it."""
    colours = [name for name in names if not encodings[name].startswith('mono')]
    return colours or names


def _registered(names: list[str]) -> list[str]:
    """Prefer depth that is registered to colour."""
    for mark in REGISTERED:
        marked = [name for name in names if mark in name]
        if marked:
            return marked
    return names


def _nearest(names: list[str], rgb: str) -> list[str]:
    """Prefer the calibration that stands beside the colour image."""
    beside = [name for name in names if os.path.dirname(name) == os.path.dirname(rgb)]
    return beside or names


def _only_one(recording: Recording, names: list[str], kind: str, option: str) -> str:
    if not names:
        raise RecordingError(
            f'{recording.path} has no {kind} topic; it holds {list_topics(recording)}'
        )
    if len(names) > 1:
        raise CallError(
            f'{recording.path} has several {kind} topics ({", ".join(sorted(names))}); '
            f'choose one with --{option}-topic'
        )
    return names[0]
