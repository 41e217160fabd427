"""Items that deviate alike are a new design; damage falls anywhere."""

from __future__ import annotations

from datetime import datetime, timezone

import numpy as np
from gallery_views import make_view
from hypothesis import given
from hypothesis import strategies as st

from damage_perception.perception.comparison.alignment import Aligned
from damage_perception.perception.comparison.design_watch import ALIKE, WINDOW, DesignWatch
from damage_perception.perception.gallery.fit import FittedReference, FittedReferences
from damage_perception.perception.gallery.lookup import KnownProduct
from damage_perception.perception.gallery.records import Reference, ReferenceView, State
from damage_perception.perception.geometry.geometry import DamageBlob
from damage_perception.report import DamageType

VIEW = make_view(0, 64, 64)
NOW = datetime(2026, 1, 1, tzinfo=timezone.utc)


def product(*numbers: int) -> KnownProduct:
    records = [
        Reference(number, 'A', 'f' * 64, NOW, 'Ada', '', State.ACTIVE, '') for number in numbers
    ]
    return KnownProduct(tuple(ReferenceView(r, VIEW, np.zeros(0, np.float32)) for r in records))


def fitted(number: int, warp: np.ndarray | None = None) -> FittedReferences:
    """Give references that fit; `warp` brings pixels of the item to those of the reference."""
    found = FittedReferences()
    aligned = Aligned(VIEW, 0.9, np.eye(2, 3) if warp is None else warp)
    found.fitting = (FittedReference(number, VIEW, aligned),)
    return found


def damage(row: int, column: int) -> list[DamageBlob]:
    mask = np.zeros((64, 64), bool)
    mask[row : row + 12, column : column + 12] = True
    return [DamageBlob(DamageType.CRUSH, mask, 0.01, 0.9)]


def seen(watch: DesignWatch, track: int, *damages: DamageBlob, number: int = 1) -> bool:
    return watch.suspects('A', track, product(number), fitted(number), damages)


def test_the_third_item_that_deviates_alike_is_of_a_new_design() -> None:
    watch = DesignWatch()
    assert [seen(watch, track, *damage(20, 30)) for track in range(4)] == [False, False, True, True]
    assert not seen(watch, 9)  # a sound one is not


def test_one_item_seen_many_times_counts_once() -> None:
    watch = DesignWatch()
    assert not any(seen(watch, 7, *damage(20, 30)) for _ in range(20))


@given(st.lists(st.integers(0, 15), unique=True, min_size=3, max_size=12))
def test_damage_in_places_of_its_own_is_no_design(places: list[int]) -> None:
    watch = DesignWatch()
    spots = [damage(16 * (place // 4), 16 * (place % 4)) for place in places]
    assert not any(seen(watch, track, *spot) for track, spot in enumerate(spots))


def test_items_that_lie_the_other_way_round_deviate_alike_on_the_reference() -> None:
    watch = DesignWatch()
    turned = np.array([[-1.0, 0.0, 63.0], [0.0, -1.0, 63.0]])
    for track in range(2):
        assert not seen(watch, track, *damage(8, 40))
    assert watch.suspects('A', 2, product(1), fitted(1, turned), damage(64 - 20, 64 - 52))


def test_other_references_end_the_suspicion() -> None:
    watch = DesignWatch()
    for track in range(ALIKE):
        seen(watch, track, *damage(20, 30))
    assert not seen(watch, 8, *damage(20, 30), number=2)


def test_what_was_long_ago_is_forgotten() -> None:
    watch = DesignWatch()
    for track in range(ALIKE - 1):
        seen(watch, track, *damage(20, 30))
    for track in range(WINDOW):
        seen(watch, 100 + track)
    assert not seen(watch, 999, *damage(20, 30))


def test_items_that_no_reference_fits_are_of_a_new_design() -> None:
    watch, nothing = DesignWatch(), FittedReferences()
    said = [watch.suspects('A', track, product(1), nothing, ()) for track in range(3)]
    assert said == [False, False, True]


def test_a_product_without_references_has_no_design() -> None:
    watch, nothing = DesignWatch(), FittedReferences()
    said = [watch.suspects('A', k, product(), nothing, damage(1, 1)) for k in range(5)]
    assert not any(said)
