"""What the policy asks for, and how a wrong one is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from made_reports import made_damage, made_item

from damage_perception.errors import CallError
from damage_perception.perception.decision.decision import DecisionMaker
from damage_perception.perception.decision.policy import Policy
from damage_perception.perception.decision.policy_file import load_policy
from damage_perception.report import (
    DamageInstance,
    DamageReport,
    DamageType,
    Health,
    ItemReport,
    Severity,
    Verdict,
)

SHIPPED = Path(__file__).resolve().parents[2] / 'config' / 'policy.yaml'
HEAD = 'format: damage_perception/policy 1\n'
RULES = (
    HEAD
    + """
materials: {carton: ['BOX-*', 'CASE-?']}
rules:
  - {damage: [crush, tear], severity: minor, material: carton, action: pass}
  - {sku: 'VIP-*', action: inspect}
  - {damage: anomaly, action: inspect}
"""
)


def _damage(kind: DamageType, severity: Severity, confidence: float = 0.9) -> DamageInstance:
    return made_damage(damage_type=kind, severity=severity, confidence=confidence)


def _item(sku: str, *damages: DamageInstance, confidence: float = 0.9) -> ItemReport:
    return made_item(sku=sku, sku_confidence=1.0, confidence=confidence, frames=5, damages=damages)


def _write(tmp_path: Path, text: str) -> str:
    path = tmp_path / 'policy.yaml'
    path.write_text(text)
    return str(path)


def _decide(policy: Policy, item: ItemReport, within_budget: float = 0.5):
    maker = DecisionMaker(policy=policy)
    maker.update(DamageReport(1, 'camera', 1, 1, Health.OK, '', (item,), threshold=within_budget))
    (decision,) = maker.flush()
    return decision


def test_the_shipped_file_is_the_default_and_diverts_any_damage() -> None:
    shipped = load_policy(str(SHIPPED))
    assert shipped == Policy() == load_policy('')
    for kind in DamageType:
        assert shipped.action(kind, Severity.MINOR, 'x') is Verdict.DIVERT


@pytest.mark.parametrize(
    ('sku', 'damages', 'expected'),
    [
        ('BOX-1', [(DamageType.CRUSH, Severity.MINOR)], Verdict.PASS),
        ('CASE-7', [(DamageType.TEAR, Severity.MINOR)], Verdict.PASS),
        ('CASE-77', [(DamageType.TEAR, Severity.MINOR)], Verdict.DIVERT),
        ('BOX-1', [(DamageType.CRUSH, Severity.MAJOR)], Verdict.DIVERT),
        ('VIP-1', [(DamageType.HOLE, Severity.MAJOR)], Verdict.INSPECT),
        ('', [(DamageType.ANOMALY, Severity.UNKNOWN)], Verdict.INSPECT),
        ('BOX-1', [(DamageType.CRUSH, Severity.MINOR), (DamageType.ANOMALY, Severity.MINOR)],
         Verdict.INSPECT),
        ('BOX-1', [(DamageType.CRUSH, Severity.MINOR), (DamageType.SPILL, Severity.MINOR)],
         Verdict.DIVERT),
        ('BOX-1', [], Verdict.DIVERT),
    ],
)  # fmt: skip
def test_the_damage_that_asks_for_most_decides(tmp_path, sku, damages, expected) -> None:
    policy = load_policy(_write(tmp_path, RULES))
    decision = _decide(policy, _item(sku, *(_damage(*damage) for damage in damages)))
    assert decision.decision is expected
    assert (': ' in decision.reason) == (expected is not Verdict.DIVERT)


def test_damages_below_the_threshold_do_not_speak(tmp_path) -> None:
    policy = load_policy(_write(tmp_path, RULES))
    scuff = _damage(DamageType.CRUSH, Severity.MINOR)
    faint = _damage(DamageType.SPILL, Severity.MAJOR, confidence=0.2)
    assert _decide(policy, _item('BOX-1', scuff, faint)).decision is Verdict.PASS
    assert _decide(policy, _item('BOX-1', faint)).decision is Verdict.DIVERT


COSTS = """
materials: {bottle: ['*-1L', '*-2L']}
costs:
  - {material: bottle, miss: 9, false_alarm: 1}
  - {sku: 'OUTLET-*', miss: 1, false_alarm: 4}
  - {miss: 1, false_alarm: 1}
"""


@pytest.mark.parametrize(
    ('sku', 'within_budget', 'expected'),
    [
        ('MILK-1L', 0.05, 0.1),
        ('MILK-1L', 0.3, 0.3),  # cheap false alarms do not buy more of them than the budget has
        ('OUTLET-1L', 0.05, 0.1),  # the first that fits counts
        ('OUTLET-7', 0.05, 0.8),
        ('', 0.05, 0.5),
    ],
)
def test_costs_of_a_product_give_its_threshold_within_the_budget(
    tmp_path, sku, within_budget, expected
) -> None:
    policy = load_policy(_write(tmp_path, HEAD + COSTS))
    assert policy.threshold(within_budget, sku) == pytest.approx(expected)
    for confidence, verdict in ((-0.01, Verdict.PASS), (0.01, Verdict.DIVERT)):
        decision = _decide(policy, _item(sku, confidence=expected + confidence), within_budget)
        assert decision.decision is verdict
        assert decision.threshold == pytest.approx(expected)


def test_costs_for_all_products_need_no_list(tmp_path) -> None:
    policy = load_policy(_write(tmp_path, HEAD + 'costs: {miss: 3, false_alarm: 1}\n'))
    assert policy.threshold(0.01, 'x') == pytest.approx(0.25)
    assert Policy().threshold(0.01, 'x') == 0.01


@pytest.mark.parametrize(
    ('text', 'named'),
    [
        ('', 'the file must be a mapping'),
        ('format: other 3', 'format must be'),
        (HEAD + 'rule: []', 'there is no key rule'),
        (HEAD + 'rules: {}', r'rules must be a list'),
        (HEAD + 'rules: [{damage: dent, action: pass}]', r"rules\[0\].damage: .*got 'dent'"),
        (HEAD + 'rules: [{severity: bad, action: pass}]', r'rules\[0\].severity'),
        (HEAD + 'rules: [{action: unknown}]', r'rules\[0\].action'),
        (HEAD + 'rules: [{damage: crush}]', r'rules\[0\].action is missing'),
        (HEAD + 'rules: [{material: tin, action: pass}]', r"rules\[0\].material: 'tin' is not"),
        (HEAD + 'rules: [{skus: A, action: pass}]', r'no key rules\[0\].skus'),
        (HEAD + 'rules: [{sku: [3], action: pass}]', r'rules\[0\].sku must be a text'),
        (HEAD + 'otherwise: never', 'otherwise'),
        (HEAD + 'costs: {miss: -1, false_alarm: 1}', r'costs.miss must be .*, got -1'),
        (HEAD + 'costs: {miss: 1}', r'costs.false_alarm must be a number above 0'),
        (HEAD + 'costs: {miss: .nan, false_alarm: 1}', r'costs.miss'),
        (HEAD + 'costs: [{material: tin, miss: 1, false_alarm: 1}]', r"costs\[0\].material: 'tin'"),
        (HEAD + 'costs: [{damage: hole, miss: 1, false_alarm: 1}]', r'no key costs\[0\].damage'),
        (HEAD + 'rules: [', 'is not whole YAML'),
        ('\x00', 'is not whole YAML'),
    ],
)  # fmt: skip
def test_a_wrong_policy_is_refused_in_a_sentence(tmp_path, text: str, named: str) -> None:
    with pytest.raises(CallError, match=named) as caught:
        load_policy(_write(tmp_path, text))
    assert 'policy.yaml' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_a_policy_may_lie_at_home(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv('HOME', str(tmp_path))
    path = Path(_write(tmp_path, RULES))
    assert load_policy(f'~/{path.name}') == load_policy(str(path))


def test_a_missing_policy_is_named(tmp_path) -> None:
    with pytest.raises(CallError, match=r'absent.yaml cannot be read'):
        load_policy(str(tmp_path / 'absent.yaml'))
