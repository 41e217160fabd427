"""What a product has by design is no damage, and what it lacks of it is."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from made_views import grid, made_view

from damage_perception.perception.comparison.alignment import bring_reference
from damage_perception.perception.comparison.reference_relief import KnownRelief
from damage_perception.perception.geometry.geometry import find_damage
from damage_perception.perception.view.item_view import ItemView

LOGO = ((0.04, 0.03), -0.014, 0.02)  # where, how high, how wide: metres
RAISED = ((0.04, 0.03), 0.014, 0.02)
DENT = ((-0.07, -0.04), -0.02, 0.025)


def item(
    seed: int, *bowls: tuple[tuple[float, float], float, float], frames: int = 4, tilt: float = 0.0
) -> ItemView:
    """Make a printed box top with bowls pushed into it."""
    view = made_view(np.random.default_rng(seed), frames=frames, tilt=tilt)
    x, y = grid(view.item_mask.shape)
    height = view.height_m.copy()
    for (at_x, at_y), deep, radius in bowls:
        inside = np.clip(1.0 - ((x - at_x) ** 2 + (y - at_y) ** 2) / radius**2, 0.0, None)
        height += (deep * inside**2).astype(np.float32)
    rgb = view.rgb.copy()
    rgb[40:70, 30:60], rgb[120:130, 100:190] = (40, 60, 160), (230, 230, 230)
    return dataclasses.replace(view, height_m=height, rgb=rgb)


def judged(view: ItemView, reference: ItemView) -> float:
    aligned = bring_reference(view, reference)
    assert aligned is not None
    relief = KnownRelief.of(aligned.view)
    return find_damage(relief.taken_from(view) if relief else view).probability


@pytest.mark.parametrize('seed', range(3))
def test_a_relief_that_the_reference_has_too_is_no_damage(seed: int) -> None:
    view, reference = item(seed, LOGO), item(seed + 10, LOGO, frames=9, tilt=0.02)
    assert find_damage(view).probability > 0.5
    assert judged(view, reference) < 0.1


@pytest.mark.parametrize('seed', range(3))
def test_a_dent_beside_it_is_damage_as_before(seed: int) -> None:
    view, reference = item(seed, LOGO, DENT), item(seed + 10, LOGO, frames=9)
    assert judged(view, reference) > 0.9


def test_a_raised_part_that_is_missing_stands_out() -> None:
    assert find_damage(item(1)).probability < 0.1
    assert judged(item(1), item(11, RAISED, frames=9)) > 0.5


def test_a_plain_reference_changes_nothing() -> None:
    assert KnownRelief.of(item(11, frames=9)) is None


def test_a_hole_by_design_is_no_hole() -> None:
    def with_handle(seed: int) -> ItemView:
        view = item(seed)
        x, y = grid(view.item_mask.shape)
        hole = np.hypot(x - 0.05, y) < 0.014
        view.rgb[hole], view.height_m[hole], view.item_mask[hole] = 12, np.nan, False
        return view

    view = with_handle(1)
    assert find_damage(view).probability > 0.5
    assert judged(view, with_handle(11)) < 0.1
    assert judged(view, item(11)) > 0.5
