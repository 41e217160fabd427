"""What is done with an item, by all that was seen of it, and the sentence that says why."""

from __future__ import annotations

import math

from damage_perception.perception.decision.item_history import ItemHistory
from damage_perception.perception.decision.policy import Policy
from damage_perception.report import DamageInstance, ItemReport, Status, Verdict

OTHER_THRESHOLD = (
    'it was judged by a lower threshold, so not all of it need have been judged: give both nodes '
    'the same decision.threshold and decision.policy_file'
)
NEW_DESIGN = 'other items of the product deviate alike from its references: a new design?'


def verdict_on(
    known: ItemHistory, threshold: float, min_frames: int, policy: Policy, cut_short: str = ''
) -> tuple[Verdict, str]:
    """Give the verdict on an item and its reason.

    Args:
        known: all that was seen of it.
        threshold: P(damaged) from which it counts as damaged.
        min_frames: clear frames without which nothing is said.
        policy: what to do with it if it counts as damaged.
        cut_short: why it was not seen to the end, so that it does not pass as sound; '' = it was.
    """
    if known.best is None:
        return Verdict.UNKNOWN, known.why_unjudged()
    if known.frames < min_frames:
        return (
            Verdict.UNKNOWN,
            f'seen clearly in {known.frames} frames, {min_frames} are needed',
        )
    if known.best.confidence >= threshold:
        return _on_damaged(known.best, threshold, policy)
    if known.best.confidence >= known.judged_by:
        return Verdict.UNKNOWN, OTHER_THRESHOLD
    return (Verdict.UNKNOWN, cut_short) if cut_short else (Verdict.PASS, 'no damage found')


def _on_damaged(item: ItemReport, threshold: float, policy: Policy) -> tuple[Verdict, str]:
    verdict, damage = policy.judge(item, threshold)
    if verdict is Verdict.DIVERT and seems_new_design(item):
        return Verdict.INSPECT, f'{_describe(damage)}; {NEW_DESIGN}'
    note = '' if verdict is Verdict.DIVERT else f': {verdict.name} by the policy'
    return verdict, _describe(damage) + note


def seems_new_design(item: ItemReport) -> bool:
    """Tell whether an item has references, but they do not fit what its product has become."""
    suspect = item.status & (Status.REFERENCE_SUSPECT | Status.NO_REFERENCE)
    return suspect == Status.REFERENCE_SUSPECT


def _describe(damage: DamageInstance | None) -> str:
    if damage is None:
        return 'damage'
    text = damage.damage_type.name.lower().replace('_', ' ')
    if not math.isnan(damage.depth):
        text += f' {abs(damage.depth) * 1e3:.0f} mm {"deep" if damage.depth >= 0 else "high"}'
    return f'{text}, {damage.area * 1e4:.0f} cm2'
