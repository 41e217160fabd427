"""Settings from a ROS parameter file, the same file that the nodes take."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from damage_perception.errors import CallError
from damage_perception.ros.node_settings import ALL_SETTINGS, InputSettings
from damage_perception.ros.parameter_docs import parameters_of, with_values
from damage_perception.settings import Settings

ROS_OWN = ('use_sim_time', 'qos_overrides', 'start_type_description_service')


def read_settings(path: Path | None) -> tuple[Settings, InputSettings]:
    """Read what a parameter file says to any node; what it does not name keeps its default.

    Raises:
        CallError: naming the file and the parameter that is wrong.
    """
    if path is None:
        return Settings(), InputSettings()
    values: dict[str, Any] = {}
    for node in _load(path).values():
        if isinstance(node, dict):
            values |= _flatten(node.get('ros__parameters') or {})
    try:
        values = _checked(values)
        return with_values(Settings(), values), with_values(InputSettings(), values, 'input.')
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


def _checked(values: dict[str, Any]) -> dict[str, Any]:
    """Refuse names that nothing listens to and values of another type, as ROS does."""
    defaults = {p.name: p.default for all_of in ALL_SETTINGS for p in parameters_of(all_of)}
    for name, value in values.items():
        if name.split('.')[0] in ROS_OWN:
            continue
        if name not in defaults:
            raise ValueError(f'there is no parameter {name}')
        if type(value) is not type(defaults[name]):
            expected = type(defaults[name]).__name__
            raise TypeError(f'{name} must be {expected}, got {value!r}')
    return values
