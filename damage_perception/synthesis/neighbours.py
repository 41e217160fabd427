"""Other items at hand: beside, touching, under a leaning item, or lying on it."""

from __future__ import annotations

import numpy as np

from damage_perception.synthesis.build import build_item
from damage_perception.synthesis.noise import Rng
from damage_perception.synthesis.patch import Patch
from damage_perception.synthesis.products import Product, make_product
from damage_perception.synthesis.scene import MAIN, Placement, SceneMap
from damage_perception.synthesis.spec import SynthesisSpec

_LOW = ('retail_carton', 'poly_mailer', 'padded_bag', 'blister')


def add_neighbours(
    scene: SceneMap, patch: Patch, product: Product, rng: Rng, spec: SynthesisSpec
) -> tuple[Placement, list[str]]:
    """Stamp the item and one or two others; give how the item lies, and tags."""
    others = []
    many = spec.frames == 'whole'
    for _ in range(int(rng.integers(2, 7)) if many else int(rng.choice([1, 2], p=[0.7, 0.3]))):
        other = make_product(int(rng.integers(2**31)), 0, spec.style, spec.families)
        others.append((other, build_item(other, rng, scene.mpp, 0.1)))
    first = kind = str(rng.choice(['beside', 'touching', 'on_top', 'leaning'],
                                  p=[0.4, 0.25, 0.2, 0.15]))  # fmt: skip
    place = Placement()
    if kind == 'leaning':
        place = _lean(scene, patch, product, rng, spec)
        kind = 'far'
    if first in ('on_top', 'leaning'):
        scene.stamp(patch, place, MAIN)
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
    if first not in ('on_top', 'leaning'):
        scene.stamp(patch, place, MAIN)
    return place, [f'oddity:neighbour_{first}']


def _lean(
    scene: SceneMap, patch: Patch, product: Product, rng: Rng, spec: SynthesisSpec
) -> Placement:
    """Push a low item under one end of the item; give how the item then lies on it."""
    flat = tuple(name for name in _LOW if name in spec.families) or spec.families
    other = make_product(int(rng.integers(2**31)), 0, spec.style, flat)
    length, side = product.size[0], float(rng.choice([-1.0, 1.0]))
    yaw = float(rng.uniform(0, 2 * np.pi))
    reach = _reach(other, np.pi - yaw if side > 0 else -yaw)
    at = Placement(side * (0.25 * length + reach), float(rng.normal(0, 0.02)), yaw)
    scene.stamp(build_item(other, rng, scene.mpp, 0.1), at, MAIN + 9)
    rise = min(scene.base_under(patch, Placement()), 0.25 * length)
    return Placement(slope=(side * rise / (0.75 * length), 0.0))


def _reach(product: Product, turn: float) -> float:
    """Metres from the centre of an item to its outline in a direction of its own frame."""
    half = np.array(product.size[:2]) / 2
    ray = np.abs([np.cos(turn), np.sin(turn)])
    return float(np.min(half / np.maximum(ray, 1e-6)))
