"""Evaluations with references: how they are found, used, counted and put beside those without."""

import json
import re

import numpy as np
import pytest
from made_data import write_lines, write_png, write_rgbd_coco
from made_frames import box, frame_of
from typer.testing import CliRunner

from damage_perception.cli.main import build_app
from damage_perception.learning.predictions.predictor import pipeline_predictor
from damage_perception.learning.readers import open_dataset
from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.comparison.fixed_references import FixedReferences
from damage_perception.recording.box import CAMERA
from damage_perception.settings import Settings

GEOMETRY = Settings(network=NetworkSettings('none'))


def write_picture(root, name, time_s=0.0, every=1, **changes):
    """Write a picture of a box; give its entry without an id."""
    frame = frame_of(box(print_of='p', **changes), time_s=time_s, seed=round(10 * time_s))
    rgb, depth = frame.rgb[::every, ::every, ::-1], frame.depth_m[::every, ::every]
    write_png(root / f'{name}.png', rgb)
    write_png(root / f'{name}_depth.png', np.nan_to_num(1000 * depth).round().astype(np.uint16))
    camera = {key: getattr(CAMERA, key) / every for key in ('fx', 'fy', 'cx', 'cy')}
    return {
        'file_name': f'{name}.png', 'depth_file_name': f'{name}_depth.png',
        'width': rgb.shape[1], 'height': rgb.shape[0], 'camera': camera,
    }  # fmt: skip


@pytest.fixture(scope='module')
def embossed(tmp_path_factory):
    """Make a set of one product with a hollow by design, its reference seen by another camera."""
    root = tmp_path_factory.mktemp('set')
    hollow = {'dent_m': 0.02}
    known = write_picture(root, 'a', **hollow) | {'id': 1, 'sku': 'known'}
    stranger = write_picture(root, 'b', **hollow) | {'id': 2, 'sku': 'stranger'}
    cut_off = write_picture(root, 'c', 1.4, **hollow) | {'id': 3, 'sku': 'known'}
    listed = write_picture(root, 'references/known/0', 0.3, 2, **hollow)
    write_picture(root, 'references/known/1', 0.3, 2, **hollow)  # not listed: the wrong camera
    data = {'images': [known, stranger, cut_off], 'annotations': [], 'references': [listed]}
    (root / 'dataset.json').write_text(json.dumps(data))
    return open_dataset(f'rgbd-coco:{root}')


def test_each_item_is_compared_with_what_its_product_has(embossed):
    known, stranger, _ = embossed
    assert known.references[0].camera.fx == CAMERA.fx / 2
    assert known.references[1].camera is None
    without, beside = (pipeline_predictor(on, GEOMETRY)(known) for on in (False, True))
    assert without.references is None
    assert not without.compared
    assert (beside.references, beside.compared) == (1, True)
    assert without.raw > 3 * beside.raw
    alone = pipeline_predictor(True, GEOMETRY)(stranger)
    assert (alone.references, alone.compared) == (0, False)
    assert alone.score == pytest.approx(without.score)


def test_what_is_cut_off_is_compared_where_no_better_look_will_come(embossed):
    without, beside = (pipeline_predictor(on, GEOMETRY)(embossed[2]) for on in (False, True))
    assert (without.compared, beside.compared) == (False, True)
    assert without.damages
    assert not beside.damages


def test_the_network_too_is_told_what_a_product_has_by_design(embossed):
    known = embossed[0]
    without, beside = (pipeline_predictor(on)(known).score for on in (False, True))
    assert without > 10 * beside


def test_references_are_those_of_one_product():
    known = FixedReferences([], 'a')
    assert known.of('a') is not known.of('b')
    assert known.of('a') is known.of('a')


def evaluate(root, **options):
    words = [f'--{name}={value}' for name, value in options.items()]
    call = ['evaluate', '--dataset', f'rgbd-coco:{root}', *words]
    return CliRunner().invoke(build_app(), call, catch_exceptions=True)


def test_runs_with_and_without_references_are_put_side_by_side(tmp_path, monkeypatch):
    monkeypatch.setenv('COLUMNS', '160')
    write_rgbd_coco(tmp_path, [True] * 4 + [False] * 16)
    for mode, alarm in (('off', 0.95), ('on', 0.05)):
        scores = [0.9, 0.8, 0.7, 0.6, alarm] + [0.1] * 15
        more = {} if mode == 'off' else {'references': 2, 'compared': True}
        lines = [{'image_id': n, 'score': s} | more for n, s in enumerate(scores, start=1)]
        write_lines(tmp_path / f'{mode}.jsonl', lines)
    call = {'predictions': tmp_path / 'off.jsonl', 'metrics': tmp_path / 'off.json'}
    assert evaluate(tmp_path, **call).exit_code == 0
    call = {'predictions': tmp_path / 'on.jsonl', 'metrics': tmp_path / 'on.json',
            'references': 'on', 'against': tmp_path / 'off.json'}  # fmt: skip
    result = evaluate(tmp_path, **call)
    assert result.exit_code == 0, result.output
    measures = json.loads((tmp_path / 'on.json').read_text())
    assert measures['referenced'] == {'listed': 0, 'usable': 20, 'compared': 20}
    assert measures['by_type']['crush']['auroc'] == 1.0
    assert measures['by_type']['not_missing_unit'] == measures['by_type']['crush']
    assert 'missing_unit' not in measures['by_type']
    table = [line.replace('│', '|').split('|')[1:-1] for line in result.stdout.splitlines()]
    rows = {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in table if cells}
    assert rows['crush (4): AUROC'] == ['0.938', '1.000']
    assert rows['images, references usable'] == ['-', '20']


def test_the_report_shows_what_references_changed_most(tmp_path):
    write_rgbd_coco(tmp_path, [True] * 4 + [False] * 16)
    runs = {'off': [0.9, 0.2, 0.7, 0.6, 0.95] + [0.1] * 15,
            'on': [0.9, 0.8, 0.05, 0.6, 0.1] + [0.1] * 15}  # fmt: skip
    for mode, scores in runs.items():
        more = {} if mode == 'off' else {'references': 2, 'compared': True}
        lines = [{'image_id': n, 'score': s} | more for n, s in enumerate(scores, start=1)]
        write_lines(tmp_path / f'{mode}.jsonl', lines)
    off, on = ({'predictions': tmp_path / f'{mode}.jsonl', 'metrics': tmp_path / f'{mode}.json'}
               for mode in runs)  # fmt: skip
    assert evaluate(tmp_path, **off).exit_code == 0
    on |= {'references': 'on', 'against': tmp_path / 'off.json', 'html': tmp_path / 'r.html'}
    result = evaluate(tmp_path, **on)
    assert result.exit_code == 0, result.output
    _, better, worse = re.split('Told (?:better|worse) than', (tmp_path / 'r.html').read_text())
    shown = [re.findall(r'<figcaption>(\d+):', part) for part in (better, worse)]
    assert shown == [['5', '1', '2', '4'], ['3']]  # an alarm gone, damages ranked higher; one lost
    write_lines(tmp_path / 'off.jsonl', [{'image_id': 1, 'score': 0.5}])
    assert 'is of other images' in str(evaluate(tmp_path, **on).exception)


def test_predictions_of_the_other_kind_are_refused(tmp_path):
    write_rgbd_coco(tmp_path, [True, False])
    lines = [{'image_id': 1, 'score': 0.5}, {'image_id': 2, 'score': 0.5}]
    path = write_lines(tmp_path / 'p.jsonl', lines)
    call = {'predictions': path, 'metrics': tmp_path / 'm.json'}
    assert 'is of --references off' in str(evaluate(tmp_path, references='on', **call).exception)
    write_lines(path, [line | {'references': 1} for line in lines])
    assert 'is of --references on' in str(evaluate(tmp_path, **call).exception)
    write_lines(path, [line | {'references': -1} for line in lines])
    assert 'references must be a count' in str(evaluate(tmp_path, **call).exception)
    (tmp_path / 'other.json').write_text('{}')
    said = str(evaluate(tmp_path, against=tmp_path / 'other.json', **call).exception)
    assert 'holds no measures' in said
