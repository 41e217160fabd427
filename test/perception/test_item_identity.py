from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_identification import made_network, printed_view

from damage_perception.frame import ItemIdentity
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.lookup import References
from damage_perception.perception.identification import identification
from damage_perception.perception.identification.item_identity import SaidIdentities, SeenIdentity

SAID = ItemIdentity('A', 1.0, 'barcode')


@pytest.fixture
def references(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> References:
    """A gallery of products A and B, known by a map that tells made views apart."""
    network = made_network()
    monkeypatch.setattr(identification, 'shipped_network', lambda: network)
    with Gallery.open(tmp_path / 'gallery', writable=True) as gallery:
        gallery.add('A', printed_view(1), by='test')
        gallery.add('B', printed_view(2), by='test')
    return References(tmp_path / 'gallery')


def test_looks_count_where_nobody_says_what_it_is(references: References) -> None:
    seen = SeenIdentity()
    assert seen.settled(None) is None
    seen.look(printed_view(2), references)
    settled = seen.settled(None)
    assert settled is not None
    assert (settled.sku, settled.source) == ('B', 'vision')
    assert 0.6 < settled.confidence <= 1
    assert seen.settled(SAID) == SAID


def test_a_barcode_that_looks_contradict_is_told(references: References) -> None:
    seen = SeenIdentity()
    assert seen.contradiction(SAID) == ''
    seen.look(printed_view(1), references)
    assert seen.contradiction(SAID) == ''
    other = SeenIdentity()
    other.look(printed_view(2), references)
    assert 'is A by barcode but looks like B' in other.contradiction(SAID)
    assert other.contradiction(None) == ''


def test_an_unknown_product_contradicts_nothing(references: References) -> None:
    seen = SeenIdentity()
    seen.look(printed_view(9), references)
    assert seen.settled(None) is None
    assert seen.contradiction(SAID) == ''


def test_a_track_is_asked_again_when_its_view_or_the_gallery_improves(
    references: References, tmp_path: Path
) -> None:
    asked: list[float] = []
    identify = references.identify
    references.identify = lambda view: asked.append(view.frames) or identify(view)  # type: ignore
    seen = SeenIdentity()
    for frames in (1.0, 1.2, 1.4, 2.0, 2.5):
        seen.look(replace(printed_view(9), frames=frames), references)
    assert asked == [1.0, 2.0]
    with Gallery.open(tmp_path / 'gallery', writable=True) as gallery:
        gallery.add('C', printed_view(9), by='test')
    references.refresh()
    references.of('A')
    seen.look(replace(printed_view(9), frames=2.6), references)
    assert asked[-1] == 2.6
    assert seen.settled(None) == ItemIdentity('C', seen.seen.confidence, 'vision')  # type: ignore


def test_without_a_gallery_nothing_is_compared(tmp_path: Path) -> None:
    for references in (References(None), References(tmp_path / 'none')):
        seen = SeenIdentity()
        seen.look(printed_view(1), references)
        assert seen.settled(SAID) == SAID
        assert seen.settled(None) is None


def _said(sku: str, at: int) -> ItemIdentity:
    return ItemIdentity(sku, 1.0, 'barcode', at)


def _names(*frames: tuple[ItemIdentity | None, list[int], list[int]]) -> dict[int, str]:
    """Give the names of tracks 1 to 3 after frames of what is said, is seen and is whole."""
    identities = SaidIdentities()
    for said, seen, whole in frames:
        identities.hear(said, seen, whole)
    found = {track: identities.of(track) for track in (1, 2, 3)}
    return {track: said.sku for track, said in found.items() if said}


A, B = _said('A', 10), _said('B', 20)


@pytest.mark.parametrize(
    ('frames', 'names'),
    [
        # The item that is alone takes it, and keeps it when nothing is said any more.
        ([(A, [1], [1]), (None, [1], [1])], {1: 'A'}),
        # It is not for the next one too.
        ([(A, [1], [1]), (A, [1, 2], [1, 2]), (A, [2], [2])], {1: 'A'}),
        # Of several none takes it, also not the one that is left.
        ([(A, [1, 2], [1, 2]), (A, [2], [2])], {}),
        ([(A, [1, 2], [2]), (A, [2], [2])], {}),
        # It waits until the item is wholly in view, and the one before is out of it.
        ([(A, [], []), (A, [1], []), (A, [1], [1])], {1: 'A'}),
        ([(A, [1], [1]), (B, [1, 2], []), (B, [2], [2])], {1: 'A', 2: 'B'}),
        ([(A, [1], [1]), (_said('A', 20), [1, 2], []), (_said('A', 20), [2], [2])],
         {1: 'A', 2: 'A'}),
        # Read again while the item is there, it is no other.
        ([(A, [1], [1]), (_said('A', 20), [1, 2], [1]), (_said('A', 20), [2], [2])], {1: 'A'}),
        # What is read upstream names one after the other.
        ([(A, [1], [1]), (B, [], []), (B, [2], [2])], {1: 'A', 2: 'B'}),
        # Nothing said is nobody's name.
        ([(A, [1], [1]), (_said('', 20), [1], [1]), (_said('', 20), [2], [2])], {1: 'A'}),
    ],
)  # fmt: skip
def test_what_is_said_names_one_item_at_most(frames, names: dict[int, str]) -> None:
    assert _names(*frames) == names


def test_a_second_barcode_of_an_item_is_told_and_does_not_rename_it() -> None:
    identities = SaidIdentities()
    identities.hear(A, [1], [1])
    assert identities.contradiction(1) == ''
    identities.hear(B, [1], [1])
    said = identities.of(1)
    assert said is not None
    assert said.sku == 'A'
    assert 'is A by barcode but B was said' in identities.contradiction(1)
    identities.hear(B, [2], [2])
    assert identities.of(2) is None


def test_what_is_played_again_after_a_jump_names_again() -> None:
    identities = SaidIdentities()
    identities.hear(A, [1], [1])
    identities.clear()
    identities.hear(A, [2], [2])
    assert identities.of(1) is None
    assert identities.of(2) == A
