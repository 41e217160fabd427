"""Readers of public data sets on small made samples of their published layouts."""

import json
import math

import cv2
import numpy as np
import pytest
from made_data import write_png

from damage_perception.errors import UserError
from damage_perception.learning.readers import open_dataset
from damage_perception.learning.readers.kaputt import write_submission
from damage_perception.report import DamageType, Severity

parquet = pytest.importorskip('pyarrow.parquet', reason='reading Kaputt needs pyarrow')
import pyarrow as arrow  # noqa: E402

PICTURE = np.full((16, 20, 3), 120, np.uint8)


def write_kaputt(root, folder='', unpacked='', labels=True):
    rows = {
        'capture_id': ['q0', 'q1', 'q2'],
        'item_identifier': ['i0', 'i1', 'i0'],
        'item_material': ['cardboard', 'paper', 'cardboard'],
        'query_image': [f'data/test/query-data/image/q{n}.jpg' for n in range(3)],
        'query_crop': [f'data/test/query-data/crop/q{n}.jpg' for n in range(3)],
        'query_mask': [f'data/test/query-data/mask/q{n}.png' for n in range(3)],
    }
    if labels:
        rows |= {
            'defect': [False, True, True],
            'major_defect': [False, True, False],
            'defect_types': ['', 'deformation,penetration', 'spillage'],
        }
    crops = ['data/test/reference-data/crop/r0.jpg', 'data/test/reference-data/crop/r1.jpg']
    references = {'item_identifier': ['i0'], 'reference_crop': [','.join(crops)]}
    (root / folder).mkdir(parents=True, exist_ok=True)
    parquet.write_table(arrow.table(rows), root / folder / 'query-test.parquet')
    parquet.write_table(arrow.table(references), root / folder / 'reference-test.parquet')
    for path in rows['query_crop']:
        write_png(root / ('query-crop' if unpacked else '') / path, PICTURE)
    for path in crops:
        write_png(root / ('reference-crop' if unpacked else '') / path, PICTURE)


@pytest.mark.parametrize(('folder', 'unpacked'), [('', ''), ('datasets', 'yes')])
def test_kaputt(tmp_path, folder, unpacked):
    write_kaputt(tmp_path, folder, unpacked)
    sound, major, minor = open_dataset(f'kaputt:{tmp_path}', 'test')
    assert [s.damaged for s in (sound, major, minor)] == [False, True, True]
    assert [s.severity for s in (sound, major, minor)] == [
        Severity.UNKNOWN,
        Severity.MAJOR,
        Severity.MINOR,
    ]
    assert [d.damage_type for d in major.damages] == [DamageType.CRUSH, DamageType.HOLE]
    assert len(sound.references) == 2
    assert major.references == ()
    assert sound.references[0].rgb.exists()
    assert sound.read_rgb().shape == (16, 20, 3)
    assert major.label_mask() is None  # its masks outline items, not damage
    assert sound.tags == ('material:cardboard',)


def test_kaputt_with_withheld_labels_and_its_submission(tmp_path):
    write_kaputt(tmp_path, labels=False)
    samples = open_dataset(f'kaputt:{tmp_path}')
    assert {s.damaged for s in samples} == {None}
    path = tmp_path / 'predictions.csv'
    write_submission(
        path, {s.image_id: score for s, score in zip(samples, [0.25, 1.0, math.nan], strict=True)}
    )
    assert path.read_text().splitlines() == [
        'capture_id,pred', 'q0,0.250000', 'q1,1.000000', 'q2,0.500000'
    ]  # fmt: skip
    with pytest.raises(UserError, match='score of q0 must lie'):
        write_submission(path, {'q0': 1.5})


@pytest.mark.parametrize('share', [0.0, 0.5, 0.99])
def test_a_truncated_manifest_is_refused(tmp_path, share):
    write_kaputt(tmp_path)
    path = tmp_path / 'query-test.parquet'
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(UserError, match=r'query-test.parquet is not a whole parquet'):
        open_dataset(f'kaputt:{tmp_path}')


def test_a_manifest_of_something_else_is_refused(tmp_path):
    parquet.write_table(arrow.table({'a': [1]}), tmp_path / 'query-train.parquet')
    with pytest.raises(UserError, match='lacks the column capture_id'):
        open_dataset(f'kaputt:{tmp_path}')


def write_armbench(root, **change):
    for item, label, sublabel in (
        ('A', 'nominal', None),
        ('B', 'package_defect', 'torn_bag'),
        ('C', 'multi_pick', None),
        ('D', None, None),
    ):
        name = f'{item}_4'
        write_png(root / f'data/{item}/{name}.jpg', PICTURE)
        polygon = [[2, 2], [12, 2], [12, 9]] if label else None
        entry = {'id': name, 'label': label, 'sublabel': sublabel, 'polygon': polygon} | change
        (root / f'data/{item}/{name}.json').write_text(json.dumps(entry))
    (root / 'train.csv').write_text('A\nC\n')
    (root / 'test.csv').write_text('B\nD\n')


def test_armbench(tmp_path):
    write_armbench(tmp_path)
    nominal, torn, two, unlabelled = open_dataset(f'armbench:{tmp_path}')
    assert [s.damaged for s in (nominal, torn, two, unlabelled)] == [False, True, False, None]
    assert torn.damages[0].damage_type == DamageType.TEAR
    (outline,) = torn.items
    assert outline.read().shape == (16, 20)
    assert outline.read()[3, 8]
    assert 'oddity:multi_pick' in two.tags
    assert [s.split for s in (nominal, torn, two, unlabelled)] == ['train', 'test'] * 2
    assert torn.item_id == 'B'
    assert torn.image_id == 'B_4'


@pytest.mark.parametrize('change', [{'label': 7}, {'polygon': [[1, 2, 3]]}])
def test_armbench_that_is_not(tmp_path, change):
    write_armbench(tmp_path, **change)
    with pytest.raises(UserError, match=r'A_4\.json'):
        open_dataset(f'armbench:{tmp_path}')


def write_mvtec(root):
    rows, columns = np.mgrid[0:16, 0:20]
    z = np.full((16, 20), 0.5) + 0.001 * rows
    xyz = np.stack([(columns - 9.5) / 40 * z, (rows - 7.5) / 40 * z, z], axis=2)
    xyz[0, 0] = 0
    for place in ('train/good', 'validation/good', 'test/good', 'test/hole'):
        write_png(root / f'bagel/{place}/rgb/000.png', PICTURE)
        (root / f'bagel/{place}/xyz').mkdir()
        bgr = xyz[..., ::-1].astype(np.float32)  # OpenCV writes the channels reversed
        assert cv2.imwrite(str(root / f'bagel/{place}/xyz/000.tiff'), bgr)
        outline = np.zeros((16, 20), np.uint8)
        if place == 'test/hole':
            outline[4:8, 5:9] = 255
        if place.startswith('test'):
            write_png(root / f'bagel/{place}/gt/000.png', outline)


def test_mvtec3d(tmp_path):
    write_mvtec(tmp_path)
    samples = open_dataset(f'mvtec3d:{tmp_path}', 'test')
    good, hole = samples
    assert (good.damaged, hole.damaged) == (False, True)
    assert hole.damages[0].damage_type == DamageType.HOLE
    assert (hole.label_mask() > 0).sum() == 16
    frame = hole.frame()
    assert frame.depth_m[8, 3] == pytest.approx(0.508)
    assert math.isnan(frame.depth_m[0, 0])
    assert frame.camera.fx == pytest.approx(40, rel=1e-3)
    assert frame.camera.cy == pytest.approx(7.5, abs=1e-2)
    assert hole.references[0].rgb.parts[-4:-2] == ('train', 'good')
    assert open_dataset(f'mvtec3d:{tmp_path / "bagel"}', 'test')[1].sku == 'bagel'
    (tmp_path / 'bagel/test/hole/gt/000.png').unlink()
    with pytest.raises(UserError, match=r'gt/000\.png is missing'):
        open_dataset(f'mvtec3d:{tmp_path}')


def test_folder(tmp_path):
    for name in ('good/a.jpg', 'bad/tear/b.png', 'bad/c.png', 'references/r.png'):
        write_png(tmp_path / name, PICTURE)
    (tmp_path / 'good/notes.txt').write_text('not an image')
    samples = {s.image_id: s for s in open_dataset(f'folder:{tmp_path}')}
    assert {name: s.damaged for name, s in samples.items()} == {
        'bad/c.png': True,
        'bad/tear/b.png': True,
        'good/a.jpg': False,
    }
    assert samples['bad/tear/b.png'].damages[0].damage_type == DamageType.TEAR
    assert samples['bad/c.png'].damages[0].damage_type == DamageType.UNKNOWN
    assert len(samples['good/a.jpg'].references) == 1
    assert samples['good/a.jpg'].frame().depth_m is None


def test_folders_may_lie_in_folders_of_their_split(tmp_path):
    for name in (
        'train/good/a.jpg',
        'test/good/b.png',
        'test/tear/c.png',
        'ground_truth/tear/c.png',
    ):
        write_png(tmp_path / name, PICTURE)
    found = open_dataset(f'folder:{tmp_path}', 'test')
    assert [(sample.image_id, sample.damaged) for sample in found] == [
        ('test/good/b.png', False),
        ('test/tear/c.png', True),
    ]
    assert len(open_dataset(f'folder:{tmp_path}')) == 3


def test_a_truncated_photograph_is_refused(tmp_path):
    _ok, data = cv2.imencode(
        '.jpg', np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    )
    (tmp_path / 'good').mkdir()
    (tmp_path / 'good/a.jpg').write_bytes(data.tobytes()[: len(data) // 2])
    with pytest.raises(UserError, match=r'good/a\.jpg is not a whole image'):
        open_dataset(f'folder:{tmp_path}')[0].read_rgb()
