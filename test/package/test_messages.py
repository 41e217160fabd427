"""The messages say what they mean and equal the types of the core, without ROS."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from damage_perception import report
from damage_perception.frame import ItemIdentity

FOLDER = Path(__file__).resolve().parents[2] / 'msg'
MESSAGES = sorted(file.stem for file in FOLDER.glob('*.msg'))
CONSTANT = re.compile(r'^\w+ ([A-Z_0-9]+)=(\d+)')
FIELD = re.compile(r'^[\w/]+(?:\[\])? ([a-z_0-9]+)$')

# What the core needs to paint or to say it, and the message carries otherwise or not at all.
NOT_IN_MESSAGE = {'mask', 'confidence_map', 'width', 'height', 'timings_ms'}
IN_HEADER = {'stamp_ns', 'frame_id'}


def lines(name: str) -> list[str]:
    return (FOLDER / f'{name}.msg').read_text().splitlines()


def constants(name: str, prefix: str = '') -> dict[str, int]:
    found = dict(match.groups() for line in lines(name) if (match := CONSTANT.match(line)))
    return {key.removeprefix(prefix): int(value) for key, value in found.items()}


def fields(name: str) -> list[str]:
    return [match[1] for line in lines(name) if (match := FIELD.match(line))]


@pytest.mark.parametrize(
    ('message', 'enum', 'prefix'),
    [
        ('DamageInstance', report.DamageType, ''),
        ('DamageInstance', report.Severity, 'SEVERITY_'),
        ('ItemReport', report.Status, ''),
        ('DamageReport', report.Health, ''),
        ('DivertDecision', report.Verdict, ''),
        ('DivertDecision', report.Health, 'HEALTH_'),
    ],
)
def test_numbers_equal_those_of_the_core(message, enum, prefix):
    expected = {entry.name: entry.value for entry in enum}
    found = {
        key.removeprefix(prefix): value
        for key, value in constants(message).items()
        if key.startswith(('SEVERITY_', 'HEALTH_')) == bool(prefix)
    }
    assert found == expected


@pytest.mark.parametrize(
    ('message', 'kind'),
    [
        ('DamageInstance', report.DamageInstance),
        ('ItemReport', report.ItemReport),
        ('DamageReport', report.DamageReport),
        ('DivertDecision', report.Decision),
        ('ItemIdentity', ItemIdentity),
    ],
)
def test_fields_equal_those_of_the_core(message, kind):
    expected = [field.name for field in dataclasses.fields(kind)]
    expected = [name for name in expected if name not in NOT_IN_MESSAGE | IN_HEADER]
    assert [name for name in fields(message) if name != 'header'] == expected


@pytest.mark.parametrize('message', MESSAGES)
def test_every_field_is_commented(message):
    commented = False
    for line in lines(message):
        if not line:
            commented = False
        elif line.startswith('#'):
            commented = True
        elif FIELD.match(line):
            assert commented, f'{message}: {line} has no comment above it'


@pytest.mark.parametrize('message', MESSAGES)
def test_numbers_state_unit_and_the_meaning_of_none(message):
    """A float says its unit, its range or both, and what NaN or zero means."""
    for block in '\n'.join(lines(message)).split('\n\n'):
        if re.search(r'^float32 ', block, re.MULTILINE):
            assert re.search(r'metre|second|no unit', block), block
            assert re.search(r'NaN|0 |0\.\.1', block), block


def test_zero_is_unknown_in_every_enum():
    for message in ('DamageInstance', 'DamageReport', 'DivertDecision'):
        zeros = [key for key, value in constants(message).items() if value == 0]
        assert zeros
        assert all(key.endswith('UNKNOWN') for key in zeros)


def test_lines_fit_the_page():
    long = [line for name in MESSAGES for line in lines(name) if len(line) > 100]
    assert not long
