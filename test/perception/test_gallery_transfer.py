"""A gallery comes back from its export; hostile and broken exports are refused piece by piece."""

from __future__ import annotations

import json
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gallery_views import assert_same, make_view

from damage_perception.perception.gallery.files import GalleryError
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.records import State
from damage_perception.perception.gallery.transfer import export_gallery, import_gallery


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / 'gallery', writable=True) as opened:
        features = np.array([0.1, -2.0], np.float32)
        opened.add('A1', make_view(1), by='ann', design='v2', features=features)
        bad = opened.add('A1', make_view(2), by='bob')
        opened.quarantine([bad], by='bob', reason='it looks crushed')
        opened.add('Tee 20×', make_view(3), by='ann')
        yield opened


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / 'empty', writable=True) as opened:
        yield opened


@pytest.mark.parametrize('name', ['out', 'out.zip'])
def test_a_gallery_comes_back(gallery: Gallery, empty: Gallery, tmp_path: Path, name: str) -> None:
    assert export_gallery(gallery, tmp_path / name) == 3
    result = import_gallery(empty, tmp_path / name, by='cid')
    assert (result.added, result.known, result.refused) == (3, 0, [])
    states = (State.ACTIVE, State.QUARANTINED)
    for sku in ('A1', 'Tee 20×'):
        for old, new in zip(gallery.views(sku, states), empty.views(sku, states), strict=True):
            assert_same(new.view, old.view)
            np.testing.assert_array_equal(new.features, old.features)
            assert new.reference.digest == old.reference.digest
            assert new.reference.enrolled_at == old.reference.enrolled_at
            for field in ('by', 'design', 'state', 'reason'):
                assert getattr(new.reference, field) == getattr(old.reference, field)
    assert {change.by for change in empty.log()} == {'cid'}
    again = import_gallery(empty, tmp_path / name, by='cid')
    assert (again.added, again.known) == (0, 3)


def test_an_export_is_the_same_each_time(gallery: Gallery, tmp_path: Path) -> None:
    for name in ('a.zip', 'b.zip'):
        export_gallery(gallery, tmp_path / name, ['A1'])
    assert (tmp_path / 'a.zip').read_bytes() == (tmp_path / 'b.zip').read_bytes()


def test_an_export_never_overwrites(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / 'there').mkdir()
    with pytest.raises(GalleryError, match='there already'):
        export_gallery(gallery, tmp_path / 'there')


@pytest.mark.parametrize(
    'name',
    [
        '../references/A1/0.json',
        '/references/A1/0.json',
        'references/../0.json',
        'references/A1/../../../x/0.json',
        'C:/references/A1/0.json',
        'references\\A1\\0.json',
        f'references/{"x" * 10_000}/0.json',
    ],
)
def test_hostile_members_are_refused_and_the_rest_comes(
    gallery: Gallery, empty: Gallery, tmp_path: Path, name: str
) -> None:
    path = tmp_path / 'out.zip'
    export_gallery(gallery, path)
    with zipfile.ZipFile(path, 'a') as archive:
        archive.writestr(name, '{}')
    before = sorted(entry.name for entry in tmp_path.iterdir())
    result = import_gallery(empty, path, by='cid')
    assert result.added == 3
    assert len(result.refused) == 1
    assert 'hostile' in result.refused[0]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == before


def harm(path: Path, how: str) -> None:
    data = path.read_bytes()
    said = json.loads(data) if path.suffix == '.json' else {}
    harmed = {
        'cut': data[: len(data) // 2],
        'empty': b'',
        'list': b'[]',
        'deep': b'[' * 100_000,
        'future': json.dumps({**said, 'format': 9}).encode(),
        'state': json.dumps({**said, 'state': 'removed'}).encode(),
        'number': json.dumps({**said, 'resolution_m': 'wide'}).encode(),
        'nan': json.dumps({**said, 'resolution_m': float('nan')}).encode(),
        'features': json.dumps({**said, 'features': [[1.0]]}).encode(),
        'time': json.dumps({**said, 'enrolled_at': 7}).encode(),
        'matrix': json.dumps({**said, 'to_camera': [[1], [1, 2]]}).encode(),
        'design': json.dumps({**said, 'design': 'x' * 10_000}).encode(),
    }
    path.write_bytes(harmed[how])


@pytest.mark.parametrize(
    ('name', 'how'),
    [('0.png', 'cut'), ('0_height.png', 'empty'), ('0_mask.png', 'cut')]
    + [
        ('0.json', how)
        for how in (
            'cut', 'empty', 'list', 'deep', 'future', 'state', 'number', 'nan', 'features', 'time',
            'matrix', 'design',
        )
    ],
)  # fmt: skip
def test_broken_files_are_refused_and_the_rest_comes(
    gallery: Gallery, empty: Gallery, tmp_path: Path, name: str, how: str
) -> None:
    export_gallery(gallery, tmp_path / 'out')
    harm(tmp_path / 'out' / 'references' / 'A1' / name, how)
    result = import_gallery(empty, tmp_path / 'out', by='cid')
    assert result.added == 2
    assert len(result.refused) == 1
    assert 'references/A1/0' in result.refused[0]
    assert empty.check() == []


def test_a_picture_of_another_size_is_refused(
    gallery: Gallery, empty: Gallery, tmp_path: Path
) -> None:
    import cv2

    export_gallery(gallery, tmp_path / 'out')
    path = tmp_path / 'out' / 'references' / 'A1' / '0.png'
    cv2.imwrite(str(path), np.zeros((10, 10, 3), np.uint8))
    assert 'do not fit' in import_gallery(empty, tmp_path / 'out', by='cid').refused[0]


def test_a_picture_that_claims_a_huge_size_is_not_decoded(
    gallery: Gallery, empty: Gallery, tmp_path: Path
) -> None:
    export_gallery(gallery, tmp_path / 'out')
    path = tmp_path / 'out' / 'references' / 'A1' / '0.png'
    header = b'IHDR' + struct.pack('>IIBBBBB', 30_000, 30_000, 8, 2, 0, 0, 0)
    path.write_bytes(
        b'\x89PNG\r\n\x1a\n'
        + struct.pack('>I', 13)
        + header
        + struct.pack('>I', zlib.crc32(header))
    )
    assert '30000x30000' in import_gallery(empty, tmp_path / 'out', by='cid').refused[0]


def test_links_are_not_followed(gallery: Gallery, empty: Gallery, tmp_path: Path) -> None:
    export_gallery(gallery, tmp_path / 'out')
    path = tmp_path / 'out' / 'references' / 'A1' / '0.png'
    path.rename(tmp_path / 'secret.png')
    path.symlink_to(tmp_path / 'secret.png')
    assert 'link' in import_gallery(empty, tmp_path / 'out', by='cid').refused[0]


@pytest.mark.parametrize('content', [b'', b'not a zip', None])
def test_what_is_no_export_is_refused(
    empty: Gallery, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / 'x.zip').write_bytes(content)
    with pytest.raises(GalleryError, match='neither a folder nor a zip'):
        import_gallery(empty, tmp_path / 'x.zip', by='cid')
    (tmp_path / 'folder').mkdir()
    with pytest.raises(GalleryError, match='holds no references'):
        import_gallery(empty, tmp_path / 'folder', by='cid')


def test_a_zip_with_one_flipped_bit_is_noticed(
    gallery: Gallery, empty: Gallery, tmp_path: Path
) -> None:
    path = tmp_path / 'out.zip'
    export_gallery(gallery, path)
    data = bytearray(path.read_bytes())
    data[data.index(b'IDAT') + 40] ^= 1
    path.write_bytes(data)
    result = import_gallery(empty, path, by='cid')
    assert (result.added, len(result.refused)) == (2, 1)
