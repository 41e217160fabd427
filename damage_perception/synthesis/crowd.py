"""Items in a heap or in rows, often several of one product: as they leave a lorry."""

from __future__ import annotations

import numpy as np

from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.patch import Patch
from damage_perception.synthesis.products import Product, make_product
from damage_perception.synthesis.scene import MAIN, Placement, SceneMap
from damage_perception.synthesis.spec import SynthesisSpec

_ALIKE = 0.6  # share of the others that are of the same product,
_PARCEL_M = 0.15  # if that is so long: smaller ones in a row are a set
_FLUSH = 0.5  # share that stand in a row with the item; the rest lie in a heap
_GAP_M = 0.004  # in a row


def add_crowd(
    scene: SceneMap, patch: Patch, product: Product, rng: Rng, spec: SynthesisSpec
) -> tuple[Placement, list[str]]:
    """Stamp the item among one to four others; give how it lies, and tags."""
    count = int(rng.integers(1, 5))
    turns = rng.permutation(4)[:count] * np.pi / 2
    mine = int(rng.integers(count + 1))  # so many lie below the item
    place = Placement()
    for number in range(count + 1):
        if number == mine:
            place = Placement(base=_base(scene, patch, place))
            scene.stamp(patch, place, MAIN)
        if number < count:
            other = product
            if rng.random() > _ALIKE or max(product.size[:2]) < _PARCEL_M:
                other = make_product(int(rng.integers(2**31)), 0, spec.style, spec.families)
            layers = build_item(other, rng, scene.mpp, 0.1)
            at = _beside(product, other, float(turns[number]), rng)
            at = Placement(at.x, at.y, at.yaw, _base(scene, layers, at))
            scene.stamp(layers, at, MAIN + 1 + number)
    return place, ['oddity:neighbour_crowd']


def _beside(product: Product, other: Product, turn: float, rng: Rng) -> Placement:
    along = int(round(abs(np.cos(turn))) == 0)  # 0: beyond an end of the item, 1: beyond a side
    half = 0.5 * product.size[along]
    if rng.random() < _FLUSH:
        quarter = 0 if other is product else int(rng.integers(2))
        far = half + 0.5 * other.size[(along + quarter) % 2] + rng.uniform(0.0, _GAP_M)
        aside = 0.0 if rng.random() < 0.6 else float(rng.uniform(-0.5, 0.5)) * half
        yaw = quarter * np.pi / 2 + np.pi * int(rng.integers(2))
    else:
        yaw, aside = float(rng.uniform(0, 2 * np.pi)), float(rng.uniform(-0.6, 0.6)) * half
        far = half + 0.5 * min(other.size[:2]) - rng.uniform(0.0, 0.8) * min(half, 0.15)
    ahead = np.array([np.cos(turn), np.sin(turn)])
    x, y = far * ahead + aside * np.array([-ahead[1], ahead[0]])
    return Placement(float(x), float(y), float(yaw))


def _base(scene: SceneMap, layers: Patch, at: Placement) -> float:
    return 0.0 if layers.soft else max(scene.base_under(layers, at), 0.0)
