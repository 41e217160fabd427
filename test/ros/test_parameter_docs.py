"""Parameters as data: the YAML file, the table of the README and the dataclasses stay equal."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from damage_perception.ros.node_settings import ALL_SETTINGS
from damage_perception.ros.parameter_docs import (
    merged,
    parameters_of,
    parameters_table,
    parameters_yaml,
    with_values,
)
from damage_perception.setting import check_ranges, setting

ROOT = Path(__file__).parents[2]
MARK = '<!-- parameters -->'


@dataclass(frozen=True)
class Inner:
    level: float = setting(0.5, 'A level.', low=0.0, high=1.0)
    sizes: tuple[float, ...] = setting((1.0, 2.0), 'Sizes, m.')

    def __post_init__(self) -> None:
        check_ranges(self)


@dataclass(frozen=True)
class Outer:
    name: str = setting('', 'A name.', live=False)
    inner: Inner = field(default_factory=Inner)


def test_names_are_joined_by_dots() -> None:
    assert [p.name for p in parameters_of(Outer())] == ['name', 'inner.level', 'inner.sizes']


def test_values_are_replaced_and_checked_as_a_whole() -> None:
    changed = with_values(Outer(), {'inner.level': 0.7, 'inner.sizes': [3.0], 'other': 1})
    assert changed == Outer(inner=Inner(0.7, (3.0,)))
    with pytest.raises(ValueError, match=r'^inner\.level must lie in \[0.0, 1.0\], got 2'):
        with_values(Outer(), {'inner.level': 2.0})


def test_yaml_gives_the_defaults_back() -> None:
    tree = yaml.safe_load(parameters_yaml([Outer()]))['/**']['ros__parameters']
    assert tree == {'name': '', 'inner': {'level': 0.5, 'sizes': [1.0, 2.0]}}


def test_every_parameter_has_a_sentence_and_a_default_within_its_range() -> None:
    for parameter in merged(ALL_SETTINGS):
        assert parameter.doc.endswith('.'), parameter.name
        if parameter.low is not None:
            assert parameter.default >= parameter.low, parameter.name
        if parameter.high is not None:
            assert parameter.default <= parameter.high, parameter.name


def test_the_shipped_file_equals_the_settings() -> None:
    shipped = (ROOT / 'config' / 'damage_perception.yaml').read_text(encoding='utf-8')
    assert shipped == parameters_yaml(ALL_SETTINGS), (
        'write it anew: python -m damage_perception.ros.parameter_docs'
    )


def test_the_table_of_the_readme_equals_the_settings() -> None:
    readme = ROOT / 'README.md'
    text = readme.read_text(encoding='utf-8') if readme.exists() else ''
    if text.count(MARK) != 2:
        pytest.skip(f'README.md has no two {MARK} marks yet')
    assert text.split(MARK)[1].strip() == parameters_table(ALL_SETTINGS).strip(), (
        'write it anew: python -m damage_perception.ros.parameter_docs'
    )
