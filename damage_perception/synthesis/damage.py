"""Which damage fits which product, and how it is chosen."""

from __future__ import annotations

from damage_perception.report import DamageType
from damage_perception.synthesis.crush import crush
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.openings import hole, tear
from damage_perception.synthesis.parts import deconstruct, missing_unit
from damage_perception.synthesis.patch import Damage, Patch
from damage_perception.synthesis.products import Product
from damage_perception.synthesis.spills import spill
from damage_perception.synthesis.truth import is_seen, trace_of

DAMAGE_NAMES = {
    'crush': DamageType.CRUSH,
    'tear': DamageType.TEAR,
    'hole': DamageType.HOLE,
    'deconstruction': DamageType.DECONSTRUCTION,
    'spill': DamageType.SPILL,
    'missing_unit': DamageType.MISSING_UNIT,
}
# Drawn more often where they fit, since few products can have them: about equal counts result.
WEIGHTS = {'crush': 2.0, 'missing_unit': 6.0, 'tear': 1.3, 'hole': 1.2, 'deconstruction': 0.9}
_TRIES = 3
_SOFT = ('poly_mailer', 'padded_bag', 'powder_bag')
_UNITS = ('blister', 'multi_pack')


def possible(damage_type: DamageType, product: Product) -> bool:
    """Tell whether a product can be damaged that way (a soft bag cannot be crushed)."""
    if damage_type == DamageType.CRUSH:
        return product.family not in (*_SOFT, 'blister')
    if damage_type == DamageType.MISSING_UNIT:
        return product.family in _UNITS
    if damage_type in (DamageType.TEAR, DamageType.HOLE):
        return product.family not in ('tin', 'jar', 'bottle')
    return True


def inflict(
    patch: Patch, product: Product, damage_type: DamageType, rng: Rng, major: bool
) -> Damage | None:
    """Damage an item; None if nothing of it would be seen, after some tries."""
    sound = patch.copy()
    for _ in range(_TRIES):
        damage = _try(patch, product, damage_type, rng, major)
        if damage is not None:
            region = patch.mark == damage.mark
            trace = trace_of(sound, patch, region)
            if is_seen(trace):
                patch.trace[region] = trace
                return damage
        patch.restore(sound)  # nobody could see it: it did not happen
    return None


def _try(
    patch: Patch, product: Product, damage_type: DamageType, rng: Rng, major: bool
) -> Damage | None:
    if damage_type == DamageType.CRUSH:
        return crush(patch, rng, major)
    if damage_type == DamageType.TEAR:
        return tear(patch, rng, major)
    if damage_type == DamageType.HOLE:
        return hole(patch, rng, major)
    if damage_type == DamageType.DECONSTRUCTION:
        return deconstruct(patch, rng, product, major)
    if damage_type == DamageType.SPILL:
        return spill(patch, rng, major, product.family)
    return missing_unit(patch, rng, product)
