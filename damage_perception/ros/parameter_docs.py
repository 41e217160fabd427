"""Every parameter as data, and from it the YAML file and the table of the README."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

T = TypeVar('T')

MARK = '<!-- parameters -->'
YAML_HEAD = '# Made from the settings dataclasses; a test keeps them equal.\n'


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One parameter: a field of a settings dataclass, its name joined by dots.

    `texts` tells a list of texts, which an empty default cannot.
    """

    name: str
    default: Any
    doc: str
    low: float | None
    high: float | None
    live: bool
    texts: bool = False


def parameters_of(settings: Any, prefix: str = '') -> Iterator[Parameter]:
    """List the fields of a settings dataclass, nested ones in place."""
    for item in dataclasses.fields(settings):
        name, value, meta = prefix + item.name, getattr(settings, item.name), item.metadata
        if dataclasses.is_dataclass(value):
            yield from parameters_of(value, f'{name}.')
        else:
            default = list(value) if isinstance(value, tuple) else value
            texts = item.type == 'tuple[str, ...]'
            yield Parameter(
                name, default, meta['doc'], meta['low'], meta['high'], meta['live'], texts
            )


def with_values(settings: T, values: Mapping[str, Any], prefix: str = '') -> T:
    """Give a copy of settings with some values replaced, checked as a whole.

    Raises:
        ValueError: if a setting refuses its value; names it.
    """
    changes: dict[str, Any] = {}
    for item in dataclasses.fields(settings):  # type: ignore[arg-type]
        name, value = prefix + item.name, getattr(settings, item.name)
        if dataclasses.is_dataclass(value):
            changes[item.name] = with_values(value, values, f'{name}.')
        elif name in values:
            new = values[name]
            changes[item.name] = tuple(new) if isinstance(value, tuple) else new
    try:
        return dataclasses.replace(settings, **changes)  # type: ignore[type-var]
    except ValueError as error:
        raise ValueError(f'{prefix}{error}') from error


def merged(all_settings: Sequence[Any]) -> list[Parameter]:
    """List the parameters of several dataclasses, each name once."""
    by_name: dict[str, Parameter] = {}
    for settings in all_settings:
        for parameter in parameters_of(settings):
            by_name.setdefault(parameter.name, parameter)
    return sorted(by_name.values(), key=lambda p: ('.' in p.name, p.name.split('.')[0]))


def parameters_yaml(all_settings: Sequence[Any]) -> str:
    """Write a ROS parameter file with every default, for all nodes of the package."""
    lines = [YAML_HEAD + '/**:', '  ros__parameters:']
    group: list[str] = []
    for parameter in merged(all_settings):
        *parents, leaf = parameter.name.split('.')
        for depth, name in enumerate(parents):
            if group[: depth + 1] != parents[: depth + 1]:
                lines.append(f'{"  " * (depth + 2)}{name}:')
        group = parents
        indent = '  ' * (len(parents) + 2)
        value = yaml.safe_dump(parameter.default, default_flow_style=True, width=1000)
        lines.append(f'{indent}# {parameter.doc}{_range_note(parameter)}')
        lines.append(f'{indent}{leaf}: {value.splitlines()[0]}')
    return '\n'.join(lines) + '\n'


def parameters_table(all_settings: Sequence[Any]) -> str:
    """Write the parameters as a Markdown table."""
    lines = ['| parameter | default | range | live | meaning |', '|---|---|---|---|---|']
    for p in merged(all_settings):
        live = 'yes' if p.live else 'no'
        default = f'`{p.default}`' if p.default not in ('', []) else 'empty'
        lines.append(f'| `{p.name}` | {default} | {_range(p)} | {live} | {p.doc} |')
    return '\n'.join(lines) + '\n'


def _range(p: Parameter) -> str:
    if p.low is None and p.high is None:
        return ''
    if p.high is None:
        return f'from {p.low}'
    return f'to {p.high}' if p.low is None else f'{p.low} to {p.high}'


def _range_note(p: Parameter) -> str:
    text = _range(p)
    return f' ({text})' if text else ''


def write_docs(root: Path, all_settings: Sequence[Any]) -> None:
    """Write `config/damage_perception.yaml` and the README's table between its two marks."""
    config = root / 'config' / 'damage_perception.yaml'
    config.write_text(parameters_yaml(all_settings), encoding='utf-8')
    readme = root / 'README.md'
    parts = readme.read_text(encoding='utf-8').split(MARK) if readme.exists() else []
    if len(parts) == 3:
        parts[1] = f'\n{parameters_table(all_settings)}'
        readme.write_text(MARK.join(parts), encoding='utf-8')


if __name__ == '__main__':  # in the root of the repository, after a setting has changed
    from damage_perception.ros.node_settings import ALL_SETTINGS

    write_docs(Path.cwd(), ALL_SETTINGS)
