"""Other items at hand: beside, touching, under a leaning item, or lying on it."""

from __future__ import annotations

import numpy as np

from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.patch import Patch
from damage_perception.synthesis.products import Product, make_product
from damage_perception.synthesis.scene import MAIN, Placement, SceneMap
from damage_perception.synthesis.spec import SynthesisSpec


def add_neighbours(
    scene: SceneMap, patch: Patch, product: Product, rng: Rng, spec: SynthesisSpec
) -> list[str]:
    """Stamp the item and one or two others; give tags."""
    others = []
    many = spec.frames == 'whole'
    for _ in range(int(rng.integers(2, 7)) if many else int(rng.choice([1, 2], p=[0.7, 0.3]))):
        other = make_product(int(rng.integers(2**31)), 0, spec.style, spec.families)
        others.append((other, build_item(other, rng, scene.mpp, 0.1)))
    first = kind = str(rng.choice(['beside', 'touching', 'on_top'], p=[0.5, 0.3, 0.2]))
    if kind == 'on_top':
        scene.stamp(patch, Placement(), MAIN)
    for number, (other, layers) in enumerate(others):
        turn, yaw = rng.uniform(0, 2 * np.pi, 2)
        if number > 1:  # further ones lie about
            kind = 'far'
        gap = {'beside': rng.uniform(0.01, 0.08), 'touching': 0.001, 'on_top': -0.05,
               'far': rng.uniform(0.08, 0.6)}[kind]  # fmt: skip
        if kind == 'touching':
            turn = np.round(turn / (np.pi / 2)) * np.pi / 2
            yaw = turn
        far = _reach(product, turn) + _reach(other, turn - yaw + np.pi) + gap
        at = Placement(far * np.cos(turn), far * np.sin(turn), yaw)
        base = 0.0 if layers.soft else max(scene.base_under(layers, at), 0.0)
        scene.stamp(layers, Placement(at.x, at.y, yaw, base), MAIN + 1 + number)
    if first != 'on_top':
        scene.stamp(patch, Placement(), MAIN)
    return [f'oddity:neighbour_{first}']


def _reach(product: Product, turn: float) -> float:
    """Metres from the centre of an item to its outline in a direction of its own frame."""
    half = np.array(product.size[:2]) / 2
    ray = np.abs([np.cos(turn), np.sin(turn)])
    return float(np.min(half / np.maximum(ray, 1e-6)))
