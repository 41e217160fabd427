"""The picture for people: what is painted, in which colour, and what hides nothing."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from made_reports import made_damage, made_item

from damage_perception.overlay import COLOURS, draw_overlay, item_colour
from damage_perception.report import (
    DamageReport,
    DamageType,
    Health,
    ItemReport,
    Roi,
    Status,
)

WHOLE = Roi(0, 0, 400, 300)


def item(confidence: float) -> ItemReport:
    """Give an item that fills the picture and has a dent in its middle."""
    roi = Roi(150, 100, 50, 50)
    dent = made_damage(confidence=confidence, roi=roi, mask=np.ones((50, 50), bool))
    seen = np.ones((300, 400), bool)
    return made_item(
        confidence=confidence, roi=WHOLE, damages=(dent,), mask=seen,
        confidence_map=seen.astype(np.float32),
    )  # fmt: skip


def drawn(confidence: float, threshold: float, health: Health = Health.OK) -> np.ndarray:
    report = DamageReport(
        0, '', 400, 300, health, 'a reason', (item(confidence),), threshold=threshold
    )
    return draw_overlay(np.full((300, 400, 3), 200, np.uint8), report)


@pytest.mark.parametrize(
    ('confidence', 'threshold', 'painted'),
    [(0.5, 0.1, True), (0.05, 0.1, False), (0.5, 0.0, False)],
)
def test_only_what_counts_is_painted(confidence, threshold, painted):
    assert (drawn(confidence, threshold)[125, 175] != 200).any() == painted


def test_the_state_of_the_evidence_hides_no_label():
    label = slice(0, 30)
    plain, told = drawn(0.5, 0.1), drawn(0.5, 0.1, Health.DEGRADED)
    assert np.array_equal(plain[label], told[label])
    assert not np.array_equal(plain[-30:], told[-30:])


def test_what_nobody_said_the_threshold_of_is_neither_sound_nor_damaged():
    assert item_colour(item(0.5), 0.1) == COLOURS[DamageType.CRUSH]
    neither = item_colour(item(math.nan), 0.1)
    assert neither not in (item_colour(item(0.5), 0.1), item_colour(item(0.05), 0.1))
    assert item_colour(item(0.5), 0.0) == neither


def test_what_was_not_seen_whole_is_not_drawn_as_sound():
    cut = dataclasses.replace(item(0.05), status=Status.TRUNCATED)
    assert item_colour(cut, 0.1) == item_colour(item(math.nan), 0.1)
    bad = dataclasses.replace(item(0.5), status=Status.TRUNCATED)
    assert item_colour(bad, 0.1) == COLOURS[DamageType.CRUSH]
    alone = dataclasses.replace(item(0.05), status=Status.NO_REFERENCE)
    assert item_colour(alone, 0.1) == item_colour(item(0.05), 0.1)


def test_letters_grow_with_the_picture():
    small = drawn(0.5, 0.1)
    report = DamageReport(0, '', 2560, 300, Health.DEGRADED, 'a reason')
    large = draw_overlay(np.full((300, 2560, 3), 200, np.uint8), report)

    def plate(picture):
        return int((picture == 20).all(axis=(2)).any(axis=1).sum())

    assert plate(large) > 1.3 * plate(small)
