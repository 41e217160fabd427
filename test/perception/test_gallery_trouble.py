"""Bad input is refused in a sentence, the rest keeps working and nothing is lost."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from gallery_views import assert_same, make_view

from damage_perception.perception.gallery import files as gallery_files
from damage_perception.perception.gallery.files import GalleryError
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.index import FILE_NAME
from damage_perception.perception.view.codec import ViewError


@pytest.fixture
def gallery(tmp_path: Path) -> Iterator[Gallery]:
    with Gallery.open(tmp_path / 'gallery', writable=True) as opened:
        opened.add('A1', make_view(1), by='ann')
        yield opened


def files(gallery: Gallery) -> list[Path]:
    return sorted((gallery.folder / 'views').glob('*/*'))


def assert_sound(gallery: Gallery) -> None:
    (item,) = gallery.views('A1')
    assert_same(item.view, make_view(1))
    assert gallery.check() == []
    assert len(files(gallery)) == 1


@pytest.mark.parametrize(
    ('sku', 'expected'),
    [
        ('../../etc/passwd', 'slashes'),
        ('..', 'leading dot'),
        ('a\\b', 'slashes'),
        ('a\0b', 'printable'),
        ('a\nb', 'printable'),
        ('\x1b[2J', 'printable'),
        ('\ud800', 'printable'),
        ('', 'empty'),
        (' a', 'space'),
        ('x' * 10_000, '10000'),
        ('\N{PACKAGE}' * 100, '400'),
    ],
)
def test_hostile_names_are_refused(gallery: Gallery, sku: str, expected: str) -> None:
    with pytest.raises(GalleryError, match=expected) as caught:
        gallery.add(sku, make_view(2), by='ann')
    assert len(str(caught.value)) < 300
    assert gallery.views(sku) == [], 'asking for it is harmless'
    assert_sound(gallery)


@pytest.mark.parametrize(
    'sku', ["'; DROP TABLE reference; --", 'Tee & Kräuter 20×', '--help', '%s']
)
def test_odd_but_sound_names_work(gallery: Gallery, sku: str) -> None:
    gallery.add(sku, make_view(2), by='ann')
    assert_same(gallery.views(sku)[0].view, make_view(2))


def test_who_must_be_said(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match='who'):
        gallery.add('A1', make_view(2), by='')
    assert_sound(gallery)


def test_no_such_reference(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match='no reference 99'):
        gallery.remove([1, 99], by='ann')
    assert_sound(gallery)


@pytest.mark.parametrize('harm', ['flip', 'cut', 'empty', 'delete', 'folder'])
def test_a_damaged_file_is_left_out_and_said(gallery: Gallery, harm: str) -> None:
    (path,) = files(gallery)
    second = gallery.add('A1', make_view(2), by='ann')
    data = bytearray(path.read_bytes())
    if harm in ('delete', 'folder'):
        path.unlink()
    if harm == 'folder':
        path.mkdir()
    if harm in ('flip', 'cut', 'empty'):
        data[len(data) // 2] ^= 1
        path.write_bytes({'flip': data, 'cut': data[:-9], 'empty': b''}[harm])
    assert [item.reference.id for item in gallery.views('A1')] == [second]
    (problem,) = gallery.problems.values()
    assert 'reference 1 of A1' in problem
    assert len(gallery.check()) == 1


def test_enrolling_again_mends_a_damaged_file(gallery: Gallery) -> None:
    files(gallery)[0].write_bytes(b'')
    gallery.remove([1], by='ann')
    gallery.add('A1', make_view(1), by='ann')
    assert_sound(gallery)


def test_an_unknown_file_is_said_and_left_alone(gallery: Gallery) -> None:
    stray = gallery.folder / 'views' / 'ab' / 'notes.txt'
    stray.parent.mkdir(exist_ok=True)
    stray.write_text('mine')
    gallery.close()
    with Gallery.open(gallery.folder, writable=True) as again:
        assert 'notes.txt' in again.check()[0]
    assert stray.read_text() == 'mine'


@pytest.mark.parametrize('step', ['open', 'fsync', 'replace'])
def test_a_full_disk_changes_nothing(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    if step == 'open':
        monkeypatch.setattr(gallery_files, '_write_synced', full)
    else:
        monkeypatch.setattr(gallery_files.os, step, full)
    with pytest.raises(GalleryError, match='is full'):
        gallery.add('B2', make_view(2), by='ann')
    monkeypatch.undo()
    assert gallery.views('B2') == []
    assert_sound(gallery)
    gallery.add('B2', make_view(2), by='ann')
    assert len(gallery.views('B2')) == 1


def _churn(gallery: Gallery) -> None:
    for number in range(400):
        gallery.add('B2', make_view(2), by='ann', design=f'{number:0300}')
        gallery.remove([item.reference.id for item in gallery.views('B2')], by='ann')


def test_a_full_disk_under_the_index_changes_nothing(gallery: Gallery) -> None:
    limit = gallery._connection.execute('PRAGMA page_count').fetchone()[0]
    gallery._connection.execute(f'PRAGMA max_page_count = {limit}')
    with pytest.raises(GalleryError, match='is full'):
        _churn(gallery)
    gallery._connection.execute('PRAGMA max_page_count = 100000')
    gallery.close()
    with Gallery.open(gallery.folder, writable=True) as again:
        (item,) = again.views('A1')
        assert_same(item.view, make_view(1))
        assert again.check() == []


def test_a_second_writer_is_refused_and_let_in_later(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match='another program'):
        Gallery.open(gallery.folder, writable=True)
    gallery.close()
    with Gallery.open(gallery.folder, writable=True) as second:
        assert_sound(second)


def test_a_newer_gallery_is_refused_untouched(gallery: Gallery) -> None:
    gallery._connection.execute('PRAGMA user_version = 7')
    gallery.close()
    before = (gallery.folder / FILE_NAME).read_bytes()
    for writable in (False, True):
        with pytest.raises(GalleryError, match='newer version'):
            Gallery.open(gallery.folder, writable=writable)
    assert (gallery.folder / FILE_NAME).read_bytes() == before


def test_a_foreign_database_is_refused_untouched(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        other.execute('CREATE TABLE reference (mine TEXT)')
    before = (tmp_path / FILE_NAME).read_bytes()
    for writable in (False, True):
        with pytest.raises(GalleryError, match='another program'):
            Gallery.open(tmp_path, writable=writable)
    assert (tmp_path / FILE_NAME).read_bytes() == before


@pytest.mark.parametrize(
    'content', [b'not a database at all ' * 100, b'SQLite format 3\0' + b'\7' * 9]
)
def test_an_index_of_rubbish_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    for writable in (False, True):
        with pytest.raises(GalleryError, match='index'):
            Gallery.open(tmp_path, writable=writable)
    assert (tmp_path / FILE_NAME).read_bytes() == content


def test_a_damaged_index_never_touches_the_data(gallery: Gallery) -> None:
    gallery.close()
    index = gallery.folder / FILE_NAME
    data = bytearray(index.read_bytes())
    data[1024:] = b'\xff' * (len(data) - 1024)
    index.write_bytes(data)
    before = [path.read_bytes() for path in files(gallery)]
    with (
        pytest.raises(GalleryError, match='damaged'),
        Gallery.open(gallery.folder, writable=True) as opened,
    ):
        opened.views('A1')
    assert [path.read_bytes() for path in files(gallery)] == before


def test_a_lost_index_does_not_make_the_data_rubbish(gallery: Gallery) -> None:
    gallery.close()
    (gallery.folder / FILE_NAME).unlink()
    with pytest.raises(GalleryError, match='no gallery index'):
        Gallery.open(gallery.folder, writable=True)
    (gallery.folder / FILE_NAME).touch()
    with pytest.raises(GalleryError, match='restore the index'):
        Gallery.open(gallery.folder, writable=True)
    assert len(files(gallery)) == 1


def test_an_older_copy_of_the_index_loses_nothing(gallery: Gallery) -> None:
    copy = (gallery.folder / FILE_NAME).read_bytes()
    gallery.add('B2', make_view(2), by='ann')
    gallery.close()
    (gallery.folder / FILE_NAME).write_bytes(copy)
    with Gallery.open(gallery.folder, writable=True) as again:
        assert again.rolled_back == ()
        assert len(again.check()) == 1
        assert len(files(again)) == 2


@pytest.mark.parametrize('name', ['a\0b', 'x' * 5000])
def test_a_hostile_folder_is_refused(tmp_path: Path, name: str) -> None:
    for writable in (False, True):
        with pytest.raises(GalleryError) as caught:
            Gallery.open(tmp_path / name, writable=writable)
        assert len(str(caught.value)) < 400


def test_another_folder_is_not_made_a_gallery(tmp_path: Path) -> None:
    (tmp_path / 'thesis.tex').write_text('mine')
    with pytest.raises(GalleryError, match=r'thesis\.tex'):
        Gallery.open(tmp_path, writable=True)
    with pytest.raises(GalleryError, match='is no gallery'):
        Gallery.open(tmp_path)


def test_a_hostile_digest_in_the_index_reaches_no_other_file(gallery: Gallery) -> None:
    gallery._connection.execute("UPDATE reference SET digest = '../../../../etc/passwd'")
    assert gallery.views('A1') == []
    assert 'not a SHA-256' in next(iter(gallery.problems.values()))


def test_a_bad_view_leaves_the_gallery_alone(gallery: Gallery) -> None:
    bad = make_view(3)
    bad.item_mask[:] = False
    with pytest.raises(ViewError, match='item mask'):
        gallery.add('A1', bad, by='ann')
    assert_sound(gallery)


def test_at_rest_the_index_is_one_file_that_can_be_read_without_writing(gallery: Gallery) -> None:
    gallery.close()
    names = sorted(path.name for path in gallery.folder.iterdir())
    assert names == ['index.sqlite', 'lock', 'views']
    uri = f'{(gallery.folder / FILE_NAME).as_uri()}?mode=ro&immutable=1'
    rows = sqlite3.connect(uri, uri=True).execute('SELECT count(*) FROM reference')
    assert rows.fetchone() == (1,)
