"""`damage-perception gallery`: exit statuses, sentences, and a whole life of a gallery."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner, Result

from damage_perception.cli.benchmark_gallery import benchmark_gallery
from damage_perception.cli.gallery import app
from damage_perception.cli.gallery_trials import made_up_view
from damage_perception.errors import CallError, UserError
from damage_perception.perception.gallery.gallery import Gallery


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=True)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with Gallery.open(tmp_path / 'store', writable=True) as gallery:
        gallery.add('A1', made_up_view(1, 32), by='ann', design='2024')
        gallery.add('A1', made_up_view(2, 32), by='bob')
        gallery.add('B2 [red]', made_up_view(3, 32), by='bob')
    return tmp_path / 'store'


def active(store: Path) -> list[int]:
    with Gallery.open(store) as gallery:
        return [item.id for item in gallery.references() if item.state.value == 'active']


def test_products_and_references_are_listed(store: Path) -> None:
    products = json.loads(call('list', store, '--json').stdout)
    assert [(p['sku'], p['active']) for p in products] == [('A1', 2), ('B2 [red]', 1)]
    references = json.loads(call('list', store, 'A1', '--json').stdout)
    assert [(r['by'], r['design'], r['state']) for r in references] == [
        ('ann', '2024', 'active'),
        ('bob', '', 'active'),
    ]
    assert 'B2 [red]' in call('list', store).stdout


def test_a_change_is_made_logged_and_undone(store: Path) -> None:
    assert call('quarantine', store, 1, '--reason', 'crushed', '--by', 'cid').exit_code == 0
    assert active(store) == [2, 3]
    (newest, *_) = json.loads(call('log', store, '--json').stdout)
    assert (newest['by'], newest['action']) == ('cid', 'quarantine')
    assert call('undo', store).stdout.strip() == f'undo change {newest["id"]}'
    assert active(store) == [1, 2, 3]
    assert call('retire', store, 1, 2).exit_code == 0
    assert call('activate', store, 2).exit_code == 0
    assert call('remove', store, 3).exit_code == 0
    assert active(store) == [2]


def test_references_age_and_are_purged(store: Path) -> None:
    newest_of_each_design = call('age', store, '--before', '2999-01-01')
    assert '0 references retired' in newest_of_each_design.stdout
    call('remove', store, 1)
    assert '1 references deleted' in call('age', store, '--before', '2999-01-01', '--purge').stdout
    assert len(list((store / 'views').glob('*/*'))) == 2


def test_an_export_is_imported(store: Path, tmp_path: Path) -> None:
    assert '3 references' in call('export', store, tmp_path / 'x.zip').stdout
    assert '3 added, 0 known' in call('import', tmp_path / 'new', tmp_path / 'x.zip').stdout
    assert call('check', tmp_path / 'new').exit_code == 0


def test_a_user_without_a_name_is_asked_for_one(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError('getpwuid(): uid not found: 1234')

    monkeypatch.setattr('getpass.getuser', nobody)
    refused = call('retire', store, 1).exception
    assert isinstance(refused, CallError)
    assert '--by' in str(refused)
    assert call('retire', store, 1, '--by', 'night shift').exit_code == 0


def test_check_finds_damage_and_ends_with_status_1(store: Path) -> None:
    assert json.loads(call('check', store, '--json').stdout) == {'references': 3, 'wrong': []}
    next((store / 'views').glob('*/*')).write_bytes(b'')
    result = call('check', store)
    assert result.exit_code == 1
    assert 'is damaged' in result.stdout


@pytest.mark.parametrize(
    'words',
    [
        ('list', 'nowhere'),
        ('remove', 'STORE', '99'),
        ('undo', 'STORE', '99'),
        ('import', 'STORE', 'nowhere.zip'),
        ('export', 'STORE', 'STORE'),
    ],
)
def test_what_cannot_be_done_is_one_sentence(store: Path, words: tuple[str, ...]) -> None:
    result = call(*(store if word == 'STORE' else word for word in words))
    assert isinstance(result.exception, UserError)
    assert '\n' not in str(result.exception)
    assert active(store) == [1, 2, 3]


@pytest.mark.parametrize(
    'words',
    [
        ('remove', 'STORE', 1), ('retire', 'STORE', 1), ('activate', 'STORE', 1), ('undo', 'STORE'),
        ('quarantine', 'STORE', 1, '--reason', 'crushed'),
        ('age', 'STORE', '--before', '2026-01-31'),
    ],
)  # fmt: skip
def test_only_a_first_reference_makes_a_gallery(tmp_path: Path, words: tuple[object, ...]) -> None:
    store = tmp_path / 'typo'
    result = call(*(store if word == 'STORE' else word for word in words))
    assert 'is no gallery; enrol a first reference' in str(result.exception)
    assert not store.exists()


def write_picture(folder: Path, boxes: int) -> list[str]:
    """Write a belt 1 m below the camera, a floor beside it and boxes 10 cm high on it."""
    random = np.random.default_rng(0)
    depth = np.full((480, 640), 1800, np.uint16)
    depth[100:380] = 1000
    rgb = np.full((480, 640, 3), 60, np.uint8)
    for number in range(boxes):
        x = 120 + 260 * number
        depth[160:320, x : x + 200] = 900
        rgb[160:320, x : x + 200] = random.integers(120, 220, (160, 200, 3))
    depth += random.integers(0, 3, depth.shape, dtype=np.uint16)
    cv2.imwrite(str(folder / 'rgb.png'), rgb)
    cv2.imwrite(str(folder / 'depth.png'), depth)
    (folder / 'camera.json').write_text('{"fx": 600, "fy": 600, "cx": 320, "cy": 240}')
    names = ('rgb.png', 'depth.png', 'camera.json')
    options = ('--rgb', '--depth', '--camera')
    return [
        word
        for pair in zip(options, names, strict=True)
        for word in (pair[0], str(folder / pair[1]))
    ]


def test_the_item_in_a_picture_is_enrolled(tmp_path: Path) -> None:
    picture = write_picture(tmp_path, 1)
    result = call('add', tmp_path / 'new', 'C3', *picture, '--design', 'v2', '--confirm')
    assert result.exit_code == 0, result.exception
    with Gallery.open(tmp_path / 'new') as gallery:
        (item,) = gallery.views('C3')
    assert item.reference.design == 'v2'
    metres = np.count_nonzero(item.view.item_mask) * item.view.resolution_m**2
    expected = 200 * 160 * (0.9 / 600) ** 2  # pixels times their size on the lid
    assert metres == pytest.approx(expected, rel=0.1)


def test_of_two_items_one_must_be_named(tmp_path: Path) -> None:
    result = call('add', tmp_path / 'new', 'C3', *write_picture(tmp_path, 2))
    assert isinstance(result.exception, UserError)
    assert '2 items were found' in str(result.exception)
    assert not (tmp_path / 'new').exists()
    result = call('add', tmp_path / 'new', 'C3', *write_picture(tmp_path, 2), '--at', 480, 240)
    assert result.exit_code == 0, result.exception
    result = call('add', tmp_path / 'new', 'C3', *write_picture(tmp_path, 2), '--at', 5, 5)
    assert 'no item was found at pixel' in str(result.exception)


def test_a_benchmark_in_no_folder_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CallError, match='none is no folder; make it'):
        benchmark_gallery(folder=tmp_path / 'none')
