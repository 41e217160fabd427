"""References are looked up once, changes are seen, and a broken gallery ends nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from gallery_views import assert_same, make_view

from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.lookup import NOTHING_KNOWN, References
from damage_perception.perception.gallery.records import State


def enrol(folder: Path, sku: str, seed: int, state: State = State.ACTIVE) -> None:
    with Gallery.open(folder, writable=True) as gallery:
        gallery.add_all(sku, [Enrolment(make_view(seed), state=state)], 'Ada')


def test_a_gallery_that_comes_later_is_seen_after_a_refresh(tmp_path: Path) -> None:
    references = References(tmp_path / 'gallery')
    assert references.of('A1') is NOTHING_KNOWN
    enrol(tmp_path / 'gallery', 'A1', 1)
    assert references.of('A1') is NOTHING_KNOWN
    references.refresh()
    (known,) = references.of('A1').references
    assert_same(known.view, make_view(1))
    assert references.of('B2').references == references.of('').references == ()


def test_nothing_is_read_twice_until_something_changes(tmp_path: Path) -> None:
    enrol(tmp_path, 'A1', 1)
    references = References(tmp_path)
    first = references.of('A1')
    for file in tmp_path.glob('views/*/*'):
        file.rename(file.with_suffix('.gone'))
    references.refresh()
    assert references.of('A1') is first
    for file in tmp_path.glob('views/*/*'):
        file.rename(file.with_suffix('.safetensors'))
    enrol(tmp_path, 'A1', 2, State.QUARANTINED)
    assert references.version == 1
    references.refresh()
    assert (len(references.of('A1').references), references.of('A1').quarantined) == (1, 1)
    assert references.version == 2


def test_a_damaged_file_is_left_out_and_said(tmp_path: Path) -> None:
    enrol(tmp_path, 'A1', 1)
    enrol(tmp_path, 'A1', 2)
    next(tmp_path.glob('views/*/*')).write_bytes(b'half')
    references = References(tmp_path)
    assert len(references.of('A1').references) == 1
    assert 'is damaged' in references.problem


def test_an_index_that_cannot_be_read_knows_nothing_until_it_is_mended(tmp_path: Path) -> None:
    enrol(tmp_path, 'A1', 1)
    index = tmp_path / 'index.sqlite'
    whole = index.read_bytes()
    index.write_bytes(b'x' * 5000)
    references = References(tmp_path)
    assert references.of('A1') is NOTHING_KNOWN
    assert 'not a gallery index' in references.problem
    index.write_bytes(whole)
    references.refresh()
    assert references.of('A1').references
    assert not references.problem


def test_only_so_many_products_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('damage_perception.perception.gallery.lookup._KEPT', 2)
    for number in range(3):
        enrol(tmp_path, f'A{number}', number)
    references = References(tmp_path)
    known = [references.of(f'A{number}') for number in range(3)]
    assert references.of('A2') is known[2]
    assert references.of('A0') is not known[0]
