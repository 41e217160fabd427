"""`policy.yaml` read and checked; `config/policy.yaml` is the shipped one and explains the keys."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeVar

import yaml

from damage_perception.errors import CallError
from damage_perception.perception.decision.policy import ACTIONS, Costs, Policy, Rule
from damage_perception.report import DamageType, Severity, Verdict

E = TypeVar('E', bound=IntEnum)
FORMAT = 'damage_perception/policy 1'
_KEYS = {'format', 'materials', 'rules', 'otherwise', 'costs'}
_RULE_KEYS = {'damage', 'severity', 'sku', 'material', 'action'}


def load_policy(path: str) -> Policy:
    """Read a policy; an empty path gives the shipped one: any damage is diverted.

    Raises:
        CallError: naming the file and the key that cannot be used.
    """
    if not path:
        return Policy()
    try:
        content = Path(path).expanduser().read_bytes()
        data = yaml.safe_load(content)
    except OSError as error:
        raise CallError(f'{path} cannot be read ({error.strerror}); check the path') from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise CallError(f'{path} is not whole YAML; see config/policy.yaml') from None
    try:
        return _policy(data, hashlib.sha256(content).hexdigest())
    except ValueError as error:
        raise CallError(f'{path}: {error}') from None


def _policy(data: Any, version: str) -> Policy:
    tree = _mapping(data, 'the file', _KEYS)
    if tree.get('format') != FORMAT:
        raise ValueError(f'format must be {FORMAT!r}, got {tree.get("format")!r:.60}')
    named = tree.get('materials')
    materials = {} if named is None else _mapping(named, 'materials')
    globs = {str(name): _texts(value, f'materials.{name}') for name, value in materials.items()}
    rules = [] if tree.get('rules') is None else tree['rules']
    if not isinstance(rules, list):
        raise ValueError(f'rules must be a list, got {rules!r:.60}')
    return Policy(
        rules=tuple(_rule(rule, f'rules[{i}]', globs) for i, rule in enumerate(rules)),
        otherwise=_action(tree.get('otherwise', 'divert'), 'otherwise'),
        costs=_costs(tree.get('costs'), globs),
        version=version,
    )


def _rule(data: Any, key: str, materials: Mapping[str, tuple[str, ...]]) -> Rule:
    tree = _mapping(data, key, _RULE_KEYS)
    if 'action' not in tree:
        raise ValueError(f'{key}.action is missing; {_one_of(ACTIONS)}')
    return Rule(
        action=_action(tree['action'], f'{key}.action'),
        damages=_names(tree, 'damage', DamageType, key),
        severities=_names(tree, 'severity', Severity, key),
        skus=_skus(tree, key, materials),
    )


def _skus(
    tree: Mapping[str, Any], key: str, materials: Mapping[str, tuple[str, ...]]
) -> tuple[str, ...] | None:
    """Give the globs that `sku` and `material` of a rule or of costs name; None = neither does."""
    skus = _texts(tree['sku'], f'{key}.sku') if 'sku' in tree else None
    if 'material' not in tree:
        return skus
    names = _texts(tree['material'], f'{key}.material')
    if unknown := [name for name in names if name not in materials]:
        known = ', '.join(materials) or 'none'
        raise ValueError(f'{key}.material: {unknown[0]!r} is not in materials ({known})')
    return (skus or ()) + tuple(glob for name in names for glob in materials[name])


def _costs(data: Any, materials: Mapping[str, tuple[str, ...]]) -> tuple[Costs, ...]:
    """Read costs: one mapping for all products, or a list of which the first that fits counts."""
    if data is None:
        return ()
    named = [('costs', data)]
    if isinstance(data, list):
        named = [(f'costs[{i}]', entry) for i, entry in enumerate(data)]
    return tuple(_cost(entry, key, materials) for key, entry in named)


def _cost(data: Any, key: str, materials: Mapping[str, tuple[str, ...]]) -> Costs:
    tree = _mapping(data, key, {'miss', 'false_alarm', 'sku', 'material'})
    miss, false_alarm = (_price(tree.get(n), f'{key}.{n}') for n in ('miss', 'false_alarm'))
    return Costs(miss, false_alarm, _skus(tree, key, materials))


def _price(value: Any, key: str) -> float:
    if type(value) not in (int, float) or not math.isfinite(value) or value <= 0.0:
        raise ValueError(f'{key} must be a number above 0, got {value!r:.40}')
    return float(value)


def _action(value: Any, key: str) -> Verdict:
    return _member(value, Verdict, key, ACTIONS)


def _names(tree: Mapping[str, Any], name: str, kind: type[E], key: str) -> frozenset[E]:
    if name not in tree:
        return frozenset()
    texts = _texts(tree[name], f'{key}.{name}')
    return frozenset(_member(text, kind, f'{key}.{name}', tuple(kind)) for text in texts)


def _member(value: Any, kind: type[E], key: str, allowed: tuple[E, ...]) -> E:
    for member in allowed:
        if isinstance(value, str) and value.lower() == member.name.lower():
            return member
    raise ValueError(f'{key}: {_one_of(allowed)}, got {value!r:.40}')


def _one_of(members: tuple[IntEnum, ...]) -> str:
    return f'expected one of {", ".join(member.name.lower() for member in members)}'


def _texts(value: Any, key: str) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) for t in texts):
        raise ValueError(f'{key} must be a text or a list of texts, got {value!r:.40}')
    return tuple(texts)


def _mapping(data: Any, key: str, allowed: set[str] | None = None) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise ValueError(f'{key} must be a mapping, got {data!r:.40}')
    if allowed is not None and (unknown := [name for name in data if name not in allowed]):
        where = '' if key == 'the file' else f'{key}.'
        raise ValueError(f'there is no key {where}{unknown[0]}; known are {sorted(allowed)}')
    return data
