"""Readers in other processes never see anything half done while a writer is at work."""

from __future__ import annotations

import multiprocessing
from multiprocessing.synchronize import Event
from pathlib import Path

from gallery_views import make_view

from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.gallery import Gallery


def read_until(folder: Path, stop: Event, seen: multiprocessing.Queue[tuple[int, str]]) -> None:
    rounds, wrong = 0, ''
    with Gallery.open(folder) as gallery:
        while not (stop.is_set() and rounds > 5) and not wrong:
            counts = [len(gallery.views(sku)) for sku in ('A1', 'B2')]
            if gallery.problems or any(count not in (0, 2, 4, 6) for count in counts):
                wrong = f'{counts} {gallery.problems}'
            rounds += 1
    seen.put((rounds, wrong))


def test_two_readers_beside_a_writer(tmp_path: Path) -> None:
    context = multiprocessing.get_context('fork')
    stop, seen = context.Event(), context.Queue()
    folder = tmp_path / 'gallery'
    with Gallery.open(folder, writable=True) as gallery:
        gallery.add_all('A1', [Enrolment(make_view(0)), Enrolment(make_view(1))], 'ann')
    readers = [context.Process(target=read_until, args=(folder, stop, seen)) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, 30):
        with Gallery.open(folder, writable=True) as gallery:
            pair = [Enrolment(make_view(2 * number)), Enrolment(make_view(2 * number + 1))]
            added = gallery.add_all('AB'[number % 2] + str(1 + number % 2), pair, 'ann')
            if number % 4 == 0:
                gallery.remove(added, 'ann')
    stop.set()
    for reader in readers:
        reader.join(20)
    results = [seen.get(timeout=5) for _ in readers]
    assert [wrong for _, wrong in results] == ['', '']
    assert all(rounds > 5 for rounds, _ in results)
