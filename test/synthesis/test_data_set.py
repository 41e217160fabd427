"""Data sets on disk: any number of processes, resumable, COCO, and bad calls refused."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from pycocotools.coco import COCO

from damage_perception.errors import CallError
from damage_perception.synthesis.damage import DAMAGE_NAMES
from damage_perception.synthesis.products import SIZES
from damage_perception.synthesis.records import decode_mask, encode_mask
from damage_perception.synthesis.sensor_kinds import RANGES
from damage_perception.synthesis.spec import SynthesisSpec, read_spec
from damage_perception.synthesis.writer import STATE, Job, finish, open_folder, write_items

SPEC = SynthesisSpec(crop=80, copies=2, damaged=0.7)


def _make(folder: Path, workers: int = 1, items: int = 8, **more: bool) -> dict:
    job = Job(folder, SPEC, 5, items)
    open_folder(job, **more)
    for _ in write_items(job, workers):
        pass
    return finish(job)


def _digest(folder: Path) -> str:
    total = hashlib.sha256()
    for path in sorted(folder.rglob('*')):
        if path.is_file():
            total.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return total.hexdigest()


@pytest.fixture(scope='module')
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    folder = tmp_path_factory.mktemp('set') / 'one'
    return folder, _make(folder)


def test_number_of_processes_does_not_matter(made: tuple[Path, dict], tmp_path: Path) -> None:
    _make(tmp_path / 'two', workers=2)
    assert _digest(tmp_path / 'two') == _digest(made[0])


def test_interrupted_work_resumes_to_the_same_bytes(
    made: tuple[Path, dict], tmp_path: Path
) -> None:
    folder = tmp_path / 'cut'
    job = Job(folder, SPEC, 5, 8)
    open_folder(job)
    steps = write_items(job)
    for _ in range(7):
        next(steps)
    steps.close()
    (folder / 'rgb' / '000007.png').write_bytes(b'half')  # its entry was never written
    assert not (folder / 'dataset.json').exists()
    _make(folder, resume=True)
    assert _digest(folder) == _digest(made[0])
    assert not (folder / STATE).exists()


def test_pycocotools_reads_it_and_masks_lie_inside(made: tuple[Path, dict]) -> None:
    folder, dataset = made
    coco = COCO(str(folder / 'dataset.json'))
    assert len(coco.imgs) == 8
    for entry in coco.anns.values():
        image = coco.imgs[entry['image_id']]
        mask = coco.annToMask(entry)
        assert mask.shape == (image['height'], image['width'])
        assert mask.sum() == entry['area'] > 0
        x, y, width, height = entry['bbox']
        assert x >= 0
        assert y >= 0
        assert x + width <= image['width']
        assert y + height <= image['height']
        if entry['category_id'] != 100:
            assert entry['severity'] in ('minor', 'major')
            assert isinstance(entry['depth_mm'], float)
    assert {entry['category_id'] for entry in dataset['annotations']} <= {1, 2, 3, 4, 5, 6, 100}


def test_pictures_and_references_are_there(made: tuple[Path, dict]) -> None:
    folder, dataset = made
    for image in dataset['images']:
        rgb = cv2.imread(str(folder / image['file_name']))
        depth = cv2.imread(str(folder / image['depth_file_name']), cv2.IMREAD_UNCHANGED)
        assert rgb.shape[:2] == depth.shape == (image['height'], image['width'])
        assert depth.dtype == np.uint16
        assert depth.max() > 200
        assert (folder / 'references' / image['sku'] / '0.png').is_file()
        assert (folder / 'references' / image['sku'] / '0_depth.png').is_file()


def test_no_product_is_in_two_splits(made: tuple[Path, dict]) -> None:
    splits: dict[str, set[str]] = {}
    for image in made[1]['images']:
        splits.setdefault(image['sku'], set()).add(image['split'])
    assert all(len(names) == 1 for names in splits.values())


def test_run_lengths_round_trip() -> None:
    rng = np.random.default_rng(0)
    for share in (0.0, 0.3, 1.0):
        mask = rng.random((7, 5)) < share
        np.testing.assert_array_equal(decode_mask(encode_mask(mask)), mask)


def test_a_full_folder_is_refused(made: tuple[Path, dict], tmp_path: Path) -> None:
    before = _digest(made[0])
    with pytest.raises(CallError, match='not empty'):
        open_folder(Job(made[0], SPEC, 5, 8))
    with pytest.raises(CallError, match='other settings'):
        open_folder(Job(made[0], SPEC, 6, 8), resume=True)
    assert _digest(made[0]) == before
    (tmp_path / 'letter.txt').write_text('mine')
    with pytest.raises(CallError, match='no data set'):
        open_folder(Job(tmp_path, SPEC, 5, 8), force=True)
    assert (tmp_path / 'letter.txt').read_text() == 'mine'
    (tmp_path / 'dataset.json').write_text('{"info": {}, "images": []}')  # a set of others
    (tmp_path / 'rgb').mkdir()
    with pytest.raises(CallError, match='no data set of ours'):
        open_folder(Job(tmp_path, SPEC, 5, 8), force=True)
    assert (tmp_path / 'rgb').is_dir()


def test_too_small_a_disk_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CallError, match='GB free'):
        open_folder(Job(tmp_path / 'big', SPEC, 0, 10**9))
    assert not (tmp_path / 'big').exists()


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('{', 'no JSON'),
        ('[1]', 'JSON object'),
        ('{"colour": 1}', "unknown setting 'colour'"),
        ('{"damages": ["rust"]}', 'rust'),
        ('{"damages": []}', 'nothing'),
        ('{"families": "tin"}', 'list'),
        ('{"damaged": 1.5}', 'from 0.0 to 1.0'),
        ('{"damaged": "half"}', 'must be a number'),
        ('{"damaged": NaN}', 'from 0.0 to 1.0'),
        ('{"crop": 4}', 'from 64 to 2048'),
        ('{"copies": 1.5}', 'whole number'),
        ('{"distance": [2, 1]}', 'distance'),
        ('{"distance": ["a", 1]}', 'wrong type'),
        ('{"style": "other"}', 'standard'),
        ('{"damages": [1]}', 'damages'),
    ],
)
def test_a_bad_spec_is_refused_in_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / 'spec.json'
    path.write_text(text)
    with pytest.raises(CallError, match=said) as caught:
        read_spec(path)
    assert '\n' not in str(caught.value)


def test_the_command_refuses_and_writes_nothing(tmp_path: Path) -> None:
    call = [sys.executable, '-m', 'damage_perception.cli.main', 'synthesize', '--out',
            str(tmp_path / 'out'), '--split-family', 'odd']  # fmt: skip
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert 'standard, shifted' in done.stderr
    assert done.stderr.count('\n') == 1
    assert not (tmp_path / 'out').exists()


def test_the_installed_command_works_in_two_processes(tmp_path: Path) -> None:
    script = Path(__file__).parents[2] / 'scripts' / 'bin' / 'damage-perception'
    if not script.is_file():
        pytest.skip('the scripts are not beside the tests')
    spec = tmp_path / 'spec.json'
    spec.write_text(json.dumps({'crop': 64, 'references': [0, 1]}))
    call = [sys.executable, str(script), 'synthesize', '--out', str(tmp_path / 'out'), '--items',
            '4', '--workers', '2', '--spec', str(spec)]  # fmt: skip
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / 'out' / 'dataset.json').is_file()


def test_the_command_makes_views_and_a_sheet(tmp_path: Path) -> None:
    spec, out = tmp_path / 'spec.json', tmp_path / 'out'
    spec.write_text(json.dumps({'crop': 80, 'damaged': 1.0}))
    call = [
        sys.executable, '-m', 'damage_perception.cli.main', 'synthesize', '--out', str(out),
        '--items', '3', '--spec', str(spec), '--contact-sheet', str(tmp_path / 'sheet.png'),
    ]  # fmt: skip
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert 'Balance' in done.stdout
    assert '3 items' in done.stdout
    assert cv2.imread(str(tmp_path / 'sheet.png')).shape[1] > 600


def test_the_page_names_every_setting_and_range() -> None:
    page = Path(__file__).parents[2] / 'docs' / 'synthesis.md'
    if not page.is_file():
        pytest.skip('docs are not installed with the package')
    text = page.read_text()
    names = [item.name for item in dataclasses.fields(SynthesisSpec)]
    names += [*RANGES['stereo'], *SIZES, *DAMAGE_NAMES, 'lookalike:', 'oddity:']
    assert [name for name in names if name not in text] == []
    for family, bounds in SIZES.items():
        assert f'{bounds[0][0]:.2f}-{bounds[0][1]:.2f}' in text, family


def test_rendering_needs_no_heavy_library() -> None:
    code = ('import sys, damage_perception.synthesis.views, damage_perception.synthesis.writer; '
            'print([n for n in ("torch", "open3d", "rclpy", "typer", "rosbags", "sklearn") '
            'if n in sys.modules])')  # fmt: skip
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == '[]'
