"""Settings of the core from a ROS parameter file, the same file that the nodes take."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from damage_perception.errors import CallError
from damage_perception.settings import Settings


def read_settings(path: Path | None) -> Settings:
    """Read a parameter file; what it does not name keeps its default, None gives the defaults.

    Parameters that only the nodes have, such as `autostart`, are passed over.

    Raises:
        CallError: naming the file and the parameter that is wrong.
    """
    if path is None:
        return Settings()
    values: dict[str, Any] = {}
    for node in _load(path).values():
        if isinstance(node, dict):
            values |= _flatten(node.get('ros__parameters') or {})
    try:
        return _apply(Settings(), values, '')
    except (TypeError, ValueError) as error:
        raise CallError(f'{path}: {error}') from error


def _load(path: Path) -> dict[str, Any]:
    import yaml

    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise CallError(f'{path} cannot be read as YAML ({str(error).splitlines()[0]})') from error
    if not isinstance(content, dict):
        raise CallError(f'{path} is not a ROS parameter file (node: ros__parameters: ...)')
    return content


def _flatten(tree: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f'{prefix}{key}'
        flat |= _flatten(value, f'{name}.') if isinstance(value, dict) else {name: value}
    return flat


def _apply(settings: Any, values: dict[str, Any], prefix: str) -> Any:
    """Replace the fields that are named; a name in a group that has no such field is a mistake."""
    changes: dict[str, Any] = {}
    fields = {field.name for field in dataclasses.fields(settings)}
    for name in fields:
        current = getattr(settings, name)
        if dataclasses.is_dataclass(current):
            changes[name] = _apply(current, values, f'{prefix}{name}.')
        elif f'{prefix}{name}' in values:
            changes[name] = _as_type_of(current, values[f'{prefix}{name}'], f'{prefix}{name}')
    for name in values:
        rest = name.removeprefix(prefix)
        if prefix and name.startswith(prefix) and rest.split('.')[0] not in fields:
            raise ValueError(f'there is no parameter {name}')
    return dataclasses.replace(settings, **changes)


def _as_type_of(current: Any, value: Any, name: str) -> Any:
    if isinstance(current, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(current, tuple) and isinstance(value, list):
        return tuple(value)
    if type(value) is not type(current):
        raise TypeError(f'{name} must be {type(current).__name__}, got {value!r}')
    return value
