"""What to do with an item on which damage was found: rules by type, severity, product, material."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from damage_perception.report import DamageInstance, DamageType, ItemReport, Severity, Verdict

# From the mildest to the strongest; an item with several damages gets the strongest.
ACTIONS = (Verdict.PASS, Verdict.INSPECT, Verdict.DIVERT)


@dataclass(frozen=True)
class Rule:
    """One line of the policy; what it leaves empty fits everything.

    Attributes:
        action: PASS, INSPECT or DIVERT.
        damages: types that it is for.
        severities: severities that it is for.
        skus: globs of products that it is for, those of its materials among them; None = all.
    """

    action: Verdict
    damages: frozenset[DamageType] = frozenset()
    severities: frozenset[Severity] = frozenset()
    skus: tuple[str, ...] | None = None

    def fits(self, damage_type: DamageType, severity: Severity, sku: str) -> bool:
        """Tell whether the rule speaks about such a damage on such a product."""
        return (
            (not self.damages or damage_type in self.damages)
            and (not self.severities or severity in self.severities)
            and _among(sku, self.skus)
        )


@dataclass(frozen=True)
class Costs:
    """What a mistake costs, in any one unit, both above zero.

    Attributes:
        miss: letting a damaged item go on.
        false_alarm: taking a sound item out.
        skus: globs of products that it is for, those of its materials among them; None = all.
    """

    miss: float
    false_alarm: float
    skus: tuple[str, ...] | None = None

    @property
    def threshold(self) -> float:
        """P(damaged) from which diverting is cheaper than passing.

        Source: C. Elkan, The foundations of cost-sensitive learning, IJCAI 2001, equation 2.
        """
        return self.false_alarm / (self.false_alarm + self.miss)


def _among(sku: str, globs: tuple[str, ...] | None) -> bool:
    return globs is None or any(fnmatchcase(sku, glob) for glob in globs)


@dataclass(frozen=True)
class Policy:
    """Rules and costs, the first that fits counts; what no rule fits is done by `otherwise`."""

    rules: tuple[Rule, ...] = ()
    otherwise: Verdict = Verdict.DIVERT
    costs: tuple[Costs, ...] = ()
    version: str = field(default='', compare=False)  # SHA-256 of its file; empty = the shipped one

    def threshold(self, within_budget: float, sku: str) -> float:
        """Give P(damaged) from which an item of a product counts as damaged.

        By its costs, but never below the threshold that keeps the budget of false alarms.
        """
        fitting = (costs for costs in self.costs if _among(sku, costs.skus))
        costs = next(fitting, None)
        return within_budget if costs is None else max(within_budget, costs.threshold)

    def action(self, damage_type: DamageType, severity: Severity, sku: str) -> Verdict:
        """Give what to do about one damage."""
        for rule in self.rules:
            if rule.fits(damage_type, severity, sku):
                return rule.action
        return self.otherwise

    def judge(self, item: ItemReport, threshold: float) -> tuple[Verdict, DamageInstance | None]:
        """Give what to do with an item that counts as damaged, and the damage that asks for it.

        Damages below the threshold do not speak, unless none reaches it: then the most confident
        one does. No damage at all is a damage of unknown type.
        """
        if not item.damages:
            return self.action(DamageType.UNKNOWN, Severity.UNKNOWN, item.sku), None
        ordered = sorted(item.damages, key=lambda damage: -damage.confidence)
        found = [damage for damage in ordered if damage.confidence >= threshold] or ordered[:1]
        verdicts = [self.action(d.damage_type, d.severity, item.sku) for d in found]
        worst = max(range(len(found)), key=lambda i: ACTIONS.index(verdicts[i]))
        return verdicts[worst], found[worst]
