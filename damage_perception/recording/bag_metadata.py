"""The metadata.yaml of a recording, as rosbag2 of Jazzy writes it (version 9)."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from damage_perception.recording.types import typestore

LATCHED = """- history: keep_last
  depth: 1
  reliability: reliable
  durability: transient_local
  deadline: {sec: 9223372036, nsec: 854775807}
  lifespan: {sec: 9223372036, nsec: 854775807}
  liveliness: automatic
  liveliness_lease_duration: {sec: 9223372036, nsec: 854775807}
  avoid_ros_namespace_conventions: false
"""


@dataclass(frozen=True)
class Channel:
    """A topic of an MCAP file: its number, its type, the QoS it was offered with (YAML)."""

    id: int
    msgtype: str
    qos: str


def metadata_yaml(
    file: str, channels: Mapping[str, Channel], counts: Mapping[str, int], span: tuple[int, int]
) -> str:
    """Make the text.

    Args:
        file: name of the MCAP file.
        channels: topic -> channel, in order of appearance.
        counts: topic -> messages.
        span: first and last time of reception, nanoseconds.
    """
    import yaml

    totals = {
        'duration': {'nanoseconds': span[1] - span[0]},
        'starting_time': {'nanoseconds_since_epoch': span[0]},
        'message_count': sum(counts.values()),
    }
    information = {
        'version': 9,
        'storage_identifier': 'mcap',
        **totals,
        'topics_with_message_count': [
            {'topic_metadata': _topic(name, channel), 'message_count': counts[name]}
            for name, channel in channels.items()
        ],
        'compression_format': '',
        'compression_mode': '',
        'relative_file_paths': [file],
        'files': [{'path': file, **copy.deepcopy(totals)}],  # a copy: no anchors in the YAML
        'custom_data': None,
        'ros_distro': 'jazzy',
    }
    return str(yaml.safe_dump({'rosbag2_bagfile_information': information}, sort_keys=False))


def _topic(name: str, channel: Channel) -> dict[str, Any]:
    import yaml

    return {
        'name': name,
        'type': channel.msgtype,
        'serialization_format': 'cdr',
        'offered_qos_profiles': yaml.safe_load(channel.qos) if channel.qos else [],
        'type_description_hash': typestore().hash_rihs01(channel.msgtype),
    }
