"""Settings from a ROS parameter file, the same file that the nodes take."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from damage_perception.errors import CallError
from damage_perception.ros.node_settings import ALL_SETTINGS, InputSettings
from damage_perception.ros.parameter_docs import merged, with_values
from damage_perception.settings import Settings

ROS_OWN = ('use_sim_time', 'qos_overrides', 'start_type_description_service')
PARAMETERS = 'ros__parameters'
EXTRINSICS = 'booth.extrinsics.'  # poses of cameras, by names that the file chooses


def read_settings(path: Path | None) -> tuple[Settings, InputSettings]:
    """Read what a parameter file says to any node; what it does not name keeps its default.

    Raises:
        CallError: naming the file and the parameter that is wrong.
    """
    if path is None:
        return Settings(), InputSettings()
    try:
        values = _values(_load(path))
        _check(values)
        for each in ALL_SETTINGS:  # those of the nodes too: a wrong file is wrong here already
            with_values(each, values)
        if values.get('booth.cameras'):
            typer.echo(f'{path}: booth.* is for the nodes, one camera is judged here', err=True)
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
        raise CallError(f'{path} is not a ROS parameter file (node: {PARAMETERS}: ...)')
    return content


def _values(content: dict[str, Any]) -> dict[str, Any]:
    """Join the parameters of all nodes.

    Raises:
        ValueError: if there is no node, or something that is not one.
    """
    nodes = list(_parameters(content))
    if not nodes:
        raise ValueError(f'there is no {PARAMETERS} in it (node: {PARAMETERS}: ...)')
    values: dict[str, Any] = {}
    for parameters in nodes:
        values |= _flatten(parameters)
    return values


def _parameters(tree: dict[str, Any], place: str = '') -> Iterator[dict[str, Any]]:
    """Give the parameters of each node, however many namespaces it lies in."""
    for name, branch in tree.items():
        inside = {} if branch is None else branch
        if name == PARAMETERS:
            if not isinstance(inside, dict):
                raise ValueError(f'{place}{name} must be a mapping of parameters, got {inside!r}')
            yield inside
        elif isinstance(inside, dict):
            yield from _parameters(inside, f'{place}{name}: ')
        else:
            raise ValueError(f'{place}{name} lies in no {PARAMETERS} (node: {PARAMETERS}: ...)')


def _flatten(tree: dict[str, Any], prefix: str = '') -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in tree.items():
        name = f'{prefix}{key}'
        flat |= _flatten(value, f'{name}.') if isinstance(value, dict) else {name: value}
    return flat


def _check(values: dict[str, Any]) -> None:
    """Refuse names that nothing listens to and values of another type, as ROS does."""
    known = {parameter.name: parameter for parameter in merged(ALL_SETTINGS)}
    for name, value in values.items():
        if name.split('.')[0] in ROS_OWN or name.startswith(EXTRINSICS):
            continue
        if name not in known:
            raise ValueError(f'there is no parameter {name}')
        default = known[name].default
        if isinstance(default, list):
            _check_list(name, value, str if known[name].texts else float)
        elif type(value) is not type(default):
            raise TypeError(_expected(name, type(default), value))


def _check_list(name: str, values: Any, element: type) -> None:
    if not isinstance(values, list):
        raise TypeError(_expected(name, list, values))
    for value in values:
        if type(value) is not element:
            raise TypeError(_expected(f'each element of {name}', element, value))


def _expected(name: str, wanted: type, value: Any) -> str:
    hint = f'; write {value}.0' if wanted is float and type(value) is int else ''
    return f'{name} must be {wanted.__name__}, got {value!r}{hint}'
