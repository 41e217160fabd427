"""Message types without ROS: those of Jazzy and those of this package, from its `.msg` files."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from damage_perception.installed import PACKAGE, shared_file

if TYPE_CHECKING:
    from rosbags.typesys.store import Typestore

IMAGE = 'sensor_msgs/msg/Image'
CAMERA_INFO = 'sensor_msgs/msg/CameraInfo'
IDENTITY = f'{PACKAGE}/msg/ItemIdentity'
REPORT = f'{PACKAGE}/msg/DamageReport'
LABELS = f'{PACKAGE}/msg/LabelInfo'
DECISION = f'{PACKAGE}/msg/DivertDecision'


@lru_cache(maxsize=1)
def typestore() -> Typestore:
    """Give the types of ROS 2 Jazzy plus those of this package."""
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    types: dict[str, Any] = {}
    for file in sorted(shared_file('msg/DamageReport.msg').parent.glob('*.msg')):
        types.update(get_types_from_msg(file.read_text(), f'{PACKAGE}/msg/{file.stem}'))
    store.register({name: fields for name, fields in types.items() if name not in store.fielddefs})
    return store


def build_message(msgtype: str, fields: dict[str, Any]) -> Any:
    """Make a message of the typestore from nested dicts that name every field.

    Args:
        msgtype: as in `damage_perception/msg/DamageReport`.
        fields: field name -> value; a nested message is a dict, a list of them a sequence of dicts.

    Raises:
        KeyError: if a field is missing, so that messages and dicts cannot drift apart unseen.
    """
    store = typestore()
    values = {name: _build_field(kind, fields[name]) for name, kind in store.fielddefs[msgtype][1]}
    return store.types[msgtype](**values)


def _build_field(description: Any, value: Any) -> Any:
    """Make the value of one field from its description in the typestore."""
    from rosbags.interfaces import Nodetype

    kind, detail = description
    if kind == Nodetype.NAME:
        return build_message(detail, value)
    if kind == Nodetype.BASE:
        return value
    element_kind, element = detail[0]
    if element_kind == Nodetype.NAME:
        return [build_message(element, entry) for entry in value]
    if element[0] == 'string':
        return list(value)
    return np.asarray(value, element[0])
