"""What is enrolled at once, and what waits for a person."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import cv2
import numpy as np
import pytest
from made_views import made_view

from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.decision.calibration import Calibration, OperatingPoint
from damage_perception.perception.gallery.candidate import Candidate
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.hygiene import (
    Admission,
    admit,
    enrol_view,
    looks_damaged,
    unlike_siblings,
)
from damage_perception.perception.gallery.records import State
from damage_perception.perception.gallery.soundness import doubt_about, doubted_from
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import DamageReport, Health, ItemReport, Pose, Roi, Status
from damage_perception.settings import Settings

OTHER = 9  # from which on a design is of another product


def printed(copy: int, design: int) -> ItemView:
    """Make a copy of a product: size and print are those of the design, the noise its own."""
    rng = np.random.default_rng([design, 5])
    size = (0.3, 0.26) if design < OTHER else (0.3, 0.19)
    view = made_view(np.random.default_rng(copy), size, frames=4)
    rgb = view.rgb.copy()
    for _ in range(8):
        x, y = int(rng.integers(25, 180)), int(rng.integers(25, 110))
        size = int(rng.integers(12, 45)), int(rng.integers(8, 30))
        colour = [int(value) for value in rng.integers(0, 256, 3)]
        cv2.rectangle(rgb, (x, y), (x + size[0], y + size[1]), colour, -1)
    return dataclasses.replace(view, rgb=rgb)


def seen(view: ItemView, confidence: float = 0.01, looks: int = 1) -> Candidate:
    nothing = np.zeros((4, 4), bool), np.full((4, 4), np.nan, np.float32)
    item = ItemReport(
        1, 'A1', 1.0, Pose((0.0,) * 3, (0.0, 0.0, 0.0, 1.0)), (0.1,) * 3, Roi(0, 0, 4, 4),
        confidence, confidence, np.nan, Status(0), 9, (), *nothing,
    )  # fmt: skip
    candidate = Candidate(1, 'A1')
    for _ in range(looks):
        candidate.offer(DamageReport(1, '', 4, 4, Health.OK, items=(item,)), lambda track: view)
    return candidate


def enrolled(folder: Path, view: ItemView) -> State:
    with Gallery.open(folder, writable=True) as gallery:
        return enrol_view(gallery, 'A1', view, Admission('Ada')).state


def admitted(folder: Path, candidate: Candidate, **how: bool) -> tuple[State, str]:
    with Gallery.open(folder, writable=True) as gallery:
        kept = admit(gallery, candidate, Admission('Ada', **how))
    return kept.state, kept.reason


def test_an_item_that_stands_is_not_waited_for_without_end() -> None:
    view = made_view(np.random.default_rng(0), frames=2)  # more looks at it tell no more
    assert not seen(view, looks=10).done
    assert seen(view, looks=40).done


@pytest.mark.parametrize('design', range(3))
def test_another_copy_agrees_and_another_product_does_not(design: int) -> None:
    siblings = [printed(copy, design) for copy in (1, 2)]
    assert unlike_siblings(printed(3, design), siblings) == ''
    assert 'look at it' in unlike_siblings(printed(3, design + OTHER), siblings)


def test_a_reference_unlike_its_siblings_waits_unless_a_person_confirms(tmp_path: Path) -> None:
    assert admitted(tmp_path, seen(printed(1, 0))) == (State.ACTIVE, '')
    assert admitted(tmp_path, seen(printed(2, 0))) == (State.ACTIVE, '')
    state, reason = admitted(tmp_path, seen(printed(3, 9)))
    assert state is State.QUARANTINED
    assert 'look at it, then activate or remove it' in reason
    assert admitted(tmp_path, seen(printed(4, 9)), confirm=True) == (State.ACTIVE, '')


def test_a_reference_that_was_judged_damaged_waits(tmp_path: Path) -> None:
    state, reason = admitted(tmp_path, seen(printed(1, 0), confidence=0.9))
    assert (state, 'it looks damaged' in reason) == (State.QUARANTINED, True)


def test_more_is_doubted_than_would_be_diverted(tmp_path: Path) -> None:
    candidate = seen(printed(1, 0), confidence=0.1)
    assert looks_damaged(candidate) == ''
    assert 'P 0.1' in looks_damaged(candidate, doubted_from=0.05)
    with Gallery.open(tmp_path, writable=True) as gallery:
        kept = admit(gallery, candidate, Admission('Ada'), doubted_from=0.05)
        assert kept.state is State.QUARANTINED
        other, how = seen(printed(2, 0), confidence=0.1), Admission('Ada', confirm=True)
        assert admit(gallery, other, how, doubted_from=0.05).state is State.ACTIVE


def test_one_sound_item_in_twenty_may_wait_at_most() -> None:
    points = {0.2: 0.001, 0.05: 0.01, 0.01: 0.1}
    points = {at: OperatingPoint(at, least, at, 3000, 1) for at, least in points.items()}
    common = OperatingPoint(0.001, 0.3, 0.001, 3000, 0)
    assert doubted_from(Calibration(common, 0.95, points=tuple(points.values()))) == 0.01
    assert doubted_from(Calibration(common, 0.95)) == 0.3
    assert doubted_from(Calibration(points[0.2], 0.95)) == 0.001


def test_a_dented_box_in_a_picture_is_doubted_and_a_sound_one_is_not() -> None:
    by_geometry = Settings(network=NetworkSettings('none'))
    size, noise = (0.3, 0.26), {'frames': 4, 'drop_outs': 0.0}
    assert doubt_about(made_view(np.random.default_rng(1), size, **noise), by_geometry) == ''
    dented = made_view(np.random.default_rng(1), size, **noise)
    rows, columns = dented.item_mask.shape
    away = np.hypot(*np.ogrid[-rows / 2 : rows / 2, -columns / 2 : columns / 2])
    dent = -0.02 * np.clip(1.0 - away / 25.0, 0.0, 1.0)
    dented = dataclasses.replace(dented, height_m=dented.height_m + dent.astype(np.float32))
    assert 'it looks damaged (crush' in doubt_about(dented, by_geometry)


def test_one_that_shows_a_new_design_replaces_the_others(tmp_path: Path) -> None:
    admitted(tmp_path, seen(printed(1, 0)))
    assert admitted(tmp_path, seen(printed(3, 9), 0.9), replace=True)[0] is State.ACTIVE
    with Gallery.open(tmp_path) as gallery:
        states = [(item.state, item.design[:6]) for item in gallery.references('A1')]
    assert states == [(State.RETIRED, ''), (State.ACTIVE, 'since ')]


def test_a_view_of_a_picture_is_doubted_too(tmp_path: Path) -> None:
    assert enrolled(tmp_path, printed(1, 0)) is State.ACTIVE
    assert enrolled(tmp_path, printed(2, 0)) is State.ACTIVE
    assert enrolled(tmp_path, printed(3, OTHER)) is State.QUARANTINED
