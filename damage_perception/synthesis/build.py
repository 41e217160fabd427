"""Build a copy of a product: shape and print of the sku, wear and wrinkles of the copy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.patch import Patch
from damage_perception.synthesis.products import Product
from damage_perception.synthesis.rigid import retail_carton, shipping_carton
from damage_perception.synthesis.soft import padded_bag, poly_mailer, powder_bag
from damage_perception.synthesis.turned import bottle, jar, tin, tube
from damage_perception.synthesis.units import blister, multi_pack
from damage_perception.synthesis.wear import ODDITIES

_BUILDERS: dict[str, Callable[[Product, Rng, float, float], Patch]] = {
    'shipping_carton': shipping_carton,
    'retail_carton': retail_carton,
    'poly_mailer': poly_mailer,
    'padded_bag': padded_bag,
    'powder_bag': powder_bag,
    'tube': tube,
    'bottle': bottle,
    'tin': tin,
    'jar': jar,
    'blister': blister,
    'multi_pack': multi_pack,
}
_INK = 55  # sRGB bytes of dark print, at most
_FITTING = {  # oddities that a family does not carry
    'strap': ('shipping_carton', 'multi_pack', 'retail_carton'),
    'handle': ('shipping_carton',),
    'writing': ('shipping_carton', 'padded_bag', 'poly_mailer', 'tube'),
    'tape': ('shipping_carton', 'padded_bag', 'poly_mailer', 'tube', 'retail_carton'),
}


def build_item(
    product: Product, rng: Rng, mpp: float, oddities: float = 0.25, roomy: bool = False
) -> Patch:
    """Make a sound copy.

    Args:
        product: its sku.
        rng: the copy's own generator.
        mpp: metres per pixel of the layers.
        oddities: probability of each harmless oddity.
        roomy: leave room on the canvas for what lies beside the item.
    """
    beside = 1.15 if product.family in ('tin', 'jar') else 0.35  # a lid lies there
    margin = 0.02 + beside * max(product.size[:2]) * roomy
    patch = _BUILDERS[product.family](product, rng, mpp, margin)
    if product.lookalike == 'dark_circle':  # matte ink: a shine would tell it from a hole
        ink = patch.mask & (patch.albedo.max(axis=2) < _INK)
        patch.gloss[ink] = np.minimum(patch.gloss[ink], 6)
    for name, add in ODDITIES.items():
        fits = product.family in _FITTING.get(name, (product.family,))
        chance = oddities * (0.35 if name == 'handle' else 0.6)
        if rng.random() < chance and fits:
            add(patch, rng)
            patch.tags.append(f'oddity:{name}')
    patch.tags.extend(product.tags)
    return patch
