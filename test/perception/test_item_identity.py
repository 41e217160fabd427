from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from made_identification import made_network, printed_view

from damage_perception.frame import ItemIdentity
from damage_perception.perception import identification
from damage_perception.perception.gallery import Gallery
from damage_perception.perception.gallery_lookup import References
from damage_perception.perception.item_identity import SeenIdentity

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
