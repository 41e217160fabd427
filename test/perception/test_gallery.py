"""The gallery keeps what it was given, shows changes at once, logs them and takes them back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pytest
from gallery_views import assert_same, make_view

from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.files import GalleryError
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.records import State


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / 'gallery', writable=True) as opened:
        yield opened


def active(gallery: Gallery, sku: str = 'A1') -> list[int]:
    return [item.reference.id for item in gallery.views(sku)]


def test_views_come_back_with_what_was_said(gallery: Gallery) -> None:
    features = np.arange(5, dtype=np.float32)
    number = gallery.add('A1', make_view(1), by='ann', design='2024', features=features)
    (item,) = gallery.views('A1')
    assert_same(item.view, make_view(1))
    np.testing.assert_array_equal(item.features, features)
    assert (item.reference.id, item.reference.by) == (number, 'ann')
    assert (item.reference.design, item.reference.state) == ('2024', State.ACTIVE)
    assert abs(datetime.now(timezone.utc) - item.reference.enrolled_at) < timedelta(minutes=1)


def test_an_unknown_product_has_no_views(gallery: Gallery) -> None:
    assert gallery.views('nobody') == []


def test_it_is_all_there_after_opening_again(tmp_path: Path) -> None:
    with Gallery.open(tmp_path / 'g', writable=True) as gallery:
        gallery.add('A1', make_view(1), by='ann')
        gallery.add('B2', make_view(2), by='ann')
    with Gallery.open(tmp_path / 'g') as again:
        assert [product.sku for product in again.products()] == ['A1', 'B2']
        assert_same(again.views('B2')[0].view, make_view(2))
        assert again.check() == []


def test_the_same_view_is_enrolled_once(gallery: Gallery) -> None:
    first = gallery.add('A1', make_view(1), by='ann')
    assert gallery.add('A1', make_view(1), by='bob') == first
    assert gallery.add('B2', make_view(1), by='bob') != first
    assert len(gallery.log()) == 2


def test_a_removed_view_can_be_enrolled_again(gallery: Gallery) -> None:
    first = gallery.add('A1', make_view(1), by='ann')
    gallery.remove([first], by='ann')
    again = gallery.add('A1', make_view(1), by='ann')
    assert again != first
    assert active(gallery) == [again]


def test_a_seventh_view_retires_the_oldest_and_undo_brings_it_back(gallery: Gallery) -> None:
    numbers = [gallery.add('A1', make_view(seed), by='ann') for seed in range(7)]
    assert active(gallery) == numbers[1:]
    (oldest,) = gallery.references('A1', [State.RETIRED])
    assert oldest.id == numbers[0]
    assert 'at most 6' in oldest.reason
    gallery.undo(by='bob')
    assert active(gallery) == numbers[:6]


@pytest.mark.parametrize(
    ('method', 'state'),
    [
        ('remove', State.REMOVED),
        ('retire', State.RETIRED),
        ('quarantine', State.QUARANTINED),
    ],
)
def test_states_take_a_view_out_and_undo_puts_it_back(
    gallery: Gallery, method: str, state: State
) -> None:
    number = gallery.add('A1', make_view(1), by='ann')
    getattr(gallery, method)([number], by='bob', reason='it looks crushed')
    assert active(gallery) == []
    (reference,) = gallery.references('A1', [state])
    assert reference.reason == 'it looks crushed'
    gallery.undo(by='ann')
    assert active(gallery) == [number]
    gallery.undo(by='ann', change=gallery.log()[0].id)
    assert active(gallery) == [], 'undoing the undo is a redo'


def test_undo_goes_back_change_by_change(gallery: Gallery) -> None:
    numbers = [gallery.add('A1', make_view(seed), by='ann') for seed in range(2)]
    gallery.remove([numbers[0]], by='ann')
    seen = []
    for _ in range(3):
        gallery.undo(by='ann')
        seen.append(active(gallery))
    assert seen == [numbers, numbers[:1], []]
    with pytest.raises(GalleryError, match='no change to undo'):
        gallery.undo(by='ann')


def test_a_change_under_a_later_one_is_not_undone(gallery: Gallery) -> None:
    number = gallery.add('A1', make_view(1), by='ann')
    gallery.quarantine([number], by='ann', reason='dented')
    with pytest.raises(GalleryError, match='undo the later change first'):
        gallery.undo(by='ann', change=1)
    assert gallery.references('A1')[0].state is State.QUARANTINED


def test_the_log_says_who_did_what(gallery: Gallery) -> None:
    number = gallery.add('A1', make_view(1), by='ann')
    gallery.quarantine([number], by='bob', reason='it looks crushed')
    newest, oldest = gallery.log()
    assert (newest.by, newest.action) == ('bob', 'quarantine')
    (step,) = newest.steps
    assert (step.reference, step.sku, step.reason) == (number, 'A1', 'it looks crushed')
    assert (step.before, step.after) == (State.ACTIVE, State.QUARANTINED)
    assert (oldest.by, oldest.steps[0].before) == ('ann', None)


def test_references_age_out_by_date(gallery: Gallery) -> None:
    then = datetime(2020, 5, 1, tzinfo=timezone.utc)
    old, new = gallery.add_all(
        'A1', [Enrolment(make_view(1), at=then), Enrolment(make_view(2))], by='ann'
    )
    assert gallery.age_out(datetime(2021, 1, 1, tzinfo=timezone.utc), by='clock') == [old]
    assert active(gallery) == [new]
    gallery.undo(by='ann')
    assert active(gallery) == [old, new]


def test_purging_deletes_the_data_of_removed_ones_only(gallery: Gallery) -> None:
    gone, kept = (gallery.add('A1', make_view(seed), by='ann') for seed in range(2))
    gallery.add('B2', make_view(3), by='ann')
    gallery.remove([gone], by='ann')
    late = datetime.now(timezone.utc) + timedelta(seconds=1)
    assert gallery.purge(late - timedelta(days=1), by='ann') == []
    assert gallery.purge(late, by='ann') == [gone]
    assert len(list((gallery.folder / 'views').glob('*/*'))) == 2
    assert gallery.check() == []
    with pytest.raises(GalleryError, match='purged'):
        gallery.activate([gone], by='ann')
    with pytest.raises(GalleryError, match='purged'):
        gallery.undo(by='ann', change=4)
    assert active(gallery) == [kept]


def test_purging_keeps_data_that_another_product_shares(gallery: Gallery) -> None:
    gone = gallery.add('A1', make_view(1), by='ann')
    gallery.add('B2', make_view(1), by='ann')
    gallery.remove([gone], by='ann')
    gallery.purge(datetime.now(timezone.utc) + timedelta(seconds=1), by='ann')
    assert_same(gallery.views('B2')[0].view, make_view(1))


def test_activating_a_seventh_is_refused(gallery: Gallery) -> None:
    numbers = [gallery.add('A1', make_view(seed), by='ann') for seed in range(7)]
    with pytest.raises(GalleryError, match='more than 6 active'):
        gallery.activate([numbers[0]], by='ann')
    assert active(gallery) == numbers[1:]


def test_an_open_reader_sees_changes_at_once(gallery: Gallery) -> None:
    first = gallery.add('A1', make_view(1), by='ann')
    with Gallery.open(gallery.folder) as reader:
        assert not reader.changed()
        second = gallery.add('A1', make_view(2), by='ann')
        assert reader.changed()
        assert not reader.changed()
        assert active(reader) == [first, second]
        gallery.remove([first], by='ann')
        assert reader.changed()
        assert active(reader) == [second]


def test_a_reader_cannot_change(gallery: Gallery) -> None:
    number = gallery.add('A1', make_view(1), by='ann')
    with Gallery.open(gallery.folder) as reader:
        with pytest.raises(GalleryError, match='open for reading'):
            reader.remove([number], by='ann')
        with pytest.raises(GalleryError, match='open for reading'):
            reader.add('A1', make_view(2), by='ann')
    assert active(gallery) == [number]


def test_several_views_are_one_change(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match='printable'):
        gallery.add_all('A1', [Enrolment(make_view(1)), Enrolment(make_view(2), 'a\0')], by='ann')
    assert gallery.views('A1') == []
    gallery.add_all('A1', [Enrolment(make_view(1)), Enrolment(make_view(2))], by='ann')
    assert len(gallery.log()) == 1
    gallery.undo(by='ann')
    assert gallery.views('A1') == []


def test_features_of_active_references_come_as_a_matrix(gallery: Gallery) -> None:
    for seed, length in ((1, 4), (2, 4), (3, 2)):
        vector = np.full(length, seed, np.float32)
        gallery.add('A1', make_view(seed), by='ann', features=vector)
    skus, matrix = gallery.features(4)
    assert skus == ['A1', 'A1']
    np.testing.assert_array_equal(matrix, [[1] * 4, [2] * 4])
    assert gallery.features(7)[1].shape == (0, 7)


def test_a_new_design_retires_what_was_there_in_one_change(gallery: Gallery) -> None:
    old = gallery.add('A1', make_view(1), by='ann')
    other = gallery.add('B2', make_view(2), by='ann')
    waiting = Enrolment(make_view(3), state=State.QUARANTINED, reason='it looks crushed')
    (suspect,) = gallery.add_all('A1', [waiting], by='ann')
    (new,) = gallery.add_all('A1', [Enrolment(make_view(4), '2')], by='ann', replace=True)
    assert (active(gallery), active(gallery, 'B2')) == ([new], [other])
    gallery.undo(by='ann')
    assert active(gallery) == [old]
    states = {item.id: item.state for item in gallery.references('A1')}
    assert states[suspect] is State.QUARANTINED


def test_the_last_reference_of_a_design_outlives_newer_ones_of_another(gallery: Gallery) -> None:
    (first,) = gallery.add_all('A1', [Enrolment(make_view(0), 'old')], by='ann')
    second = [
        gallery.add_all('A1', [Enrolment(make_view(1 + k), 'new')], by='ann')[0] for k in range(6)
    ]
    assert active(gallery) == [first, *second[1:]]


def test_the_newest_of_each_design_outlives_its_date(gallery: Gallery) -> None:
    then = datetime(2020, 5, 1, tzinfo=timezone.utc)
    designs = ['old', 'old', 'new']
    one, two, three = gallery.add_all(
        'A1', [Enrolment(make_view(k), name, at=then) for k, name in enumerate(designs)], by='ann'
    )
    assert gallery.age_out(datetime(2021, 1, 1, tzinfo=timezone.utc), by='clock') == [one]
    assert active(gallery) == [two, three]
