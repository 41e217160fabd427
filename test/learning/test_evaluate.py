"""From labels and predictions to measures, thresholds and the report, through the commands."""

import json
import math
import re

import numpy as np
import pytest
import yaml
from made_data import SIZE, write_lines, write_png, write_rgbd_coco

from damage_perception.cli.calibrate import calibrate
from damage_perception.cli.evaluate import evaluate
from damage_perception.errors import CallError, UserError
from damage_perception.learning.metrics.metrics import evaluate as measure
from damage_perception.learning.metrics.outcomes import join
from damage_perception.learning.predictions.evaluation import predict_all
from damage_perception.learning.predictions.prediction import Prediction
from damage_perception.learning.predictions.prediction_file import (
    read_predictions,
    write_predictions,
)
from damage_perception.learning.predictions.predictor import from_report
from damage_perception.learning.readers import open_dataset
from damage_perception.perception.decision.calibration_file import load_calibration
from damage_perception.report import (
    DamageReport,
    Health,
    ItemReport,
    Pose,
    Roi,
    Status,
)

LABELS = [True, True, True, True] + [False] * 16


def lines(scores, **more):
    return [{'image_id': n, 'score': s} | more for n, s in enumerate(scores, start=1)]


def call(root, **options):
    """Call the command with the defaults that Typer would give."""
    defaults = {
        'dataset': f'rgbd-coco:{root}', 'metrics': root / 'm.json', 'references': 'off',
        'predictions': root / 'p.jsonl', 'html': None, 'calibration': None, 'split': None,
        'submission': None,
        'prevalence': 0.001, 'json_': False,
    }  # fmt: skip
    evaluate(**(defaults | options))
    return json.loads((root / 'm.json').read_text())


def test_measures_counted_by_hand(tmp_path):
    write_rgbd_coco(tmp_path, LABELS)
    # one damaged item UNKNOWN, one not found; one sound item UNKNOWN, one alarm above all
    scores = [0.9, 0.8, None, 0.0] + [0.85, None] + [0.1] * 14
    said = lines(scores)
    said[3]['missed'] = True
    write_lines(tmp_path / 'p.jsonl', said)
    result = call(tmp_path)
    assert result['outcomes']['damaged'] == {'images': 4, 'items': 4, 'unknown': 1, 'missed': 1}
    assert result['outcomes']['sound'] == {'images': 16, 'items': 16, 'unknown': 1, 'missed': 0}
    # above all 15 judged sound: 0.9; above 14: 0.8; the other two stand below all
    assert result['auroc_any'] == pytest.approx((15 + 14) / 60)
    assert result['roc_recall_at_1pct_any'] == pytest.approx(1 / 4)
    for point in result['operating_points']:
        assert point['recall_any']['of'] == 4
        assert point['false_alarms']['of'] == 15
        assert point['threshold_from'].startswith('cross-fit')


def test_a_threshold_from_a_calibration_ignores_the_labels_here(tmp_path):
    write_rgbd_coco(tmp_path, LABELS)
    write_lines(tmp_path / 'p.jsonl', lines([0.9, 0.6, 0.4, 0.2] + [0.55] * 4 + [0.1] * 12))
    evidence = {
        'format': 'damage_perception/calibration 1', 'budget': 0.001, 'threshold': 0.5,
        'bound': 0.0009, 'sound_items': 4000, 'alarms': 1, 'confidence': 0.95,
    }  # fmt: skip
    (tmp_path / 'c.yaml').write_text(yaml.safe_dump(evidence))
    (point,) = call(tmp_path, calibration=tmp_path / 'c.yaml')['operating_points']
    assert point['threshold'] == 0.5
    assert point['threshold_from'] == 'calibration'
    assert point['recall_any']['count'] == 2
    assert point['false_alarms']['count'] == 4
    assert point['recall_by_type']['crush']['rate'] == 0.5
    assert point['recall_by_severity']['major']['of'] == 4
    assert point['recall_by_depth_mm']['12-20']['count'] == 2
    # look-alikes are the sound images with odd number: two of the four alarms
    assert point['alarms_by_tag']['lookalike:crack']['count'] == 2
    assert point['alarms_plain'] == pytest.approx(
        {'count': 2, 'of': 8, 'rate': 0.25, 'low': 0.0319, 'high': 0.6509}, abs=1e-3
    )
    precision = 0.5 * 0.001 / (0.5 * 0.001 + 0.25 * 0.999)
    assert point['precision_at_prevalence']['precision'] == pytest.approx(precision)


def test_masks_and_depth_are_measured(tmp_path):
    write_rgbd_coco(tmp_path, LABELS)
    samples = open_dataset(f'rgbd-coco:{tmp_path}')
    said = lines([0.9] * 4 + [0.1] * 16)
    for sample, line in zip(samples, said, strict=True):
        name = f'masks/{sample.image_id}.png'
        write_png(tmp_path / name, sample.label_mask())
        line['mask_file'] = name
    box = {'type': 'crush', 'severity': 'major', 'confidence': 0.9, 'bbox': [20, 15, 20, 10]}
    said[0]['damages'] = [box | {'depth_mm': 11.0}, box | {'bbox': [0, 0, 2, 2], 'depth_mm': 99.0}]
    write_lines(tmp_path / 'p.jsonl', said)
    result = call(tmp_path)
    assert result['iou_by_type'] == {'crush': 1.0, 'any': 1.0}
    assert result['depth_error_mm']['crush'] == pytest.approx(
        {'count': 1, 'median': 3.0, 'p90': 3.0, 'median_share': 3.0 / 14.0}
    )


def test_the_report_is_one_file_and_names_the_worst(tmp_path):
    write_rgbd_coco(tmp_path, LABELS)
    write_lines(tmp_path / 'p.jsonl', lines([0.9, 0.8, None, 0.01] + [0.95] + [0.1] * 15))
    call(tmp_path, html=tmp_path / 'r.html')
    page = (tmp_path / 'r.html').read_text()
    assert not re.search(r'(src|href)="(?!data:)', page)
    assert page.index('3: UNKNOWN crush') < page.index('4: 0.010 crush')  # worst first
    assert '5: 0.950' in page
    assert 'Worst alarms' in page


def test_a_set_of_which_nothing_was_judged_is_reported_too(tmp_path, capsys):
    write_rgbd_coco(tmp_path, LABELS)
    write_lines(tmp_path / 'p.jsonl', lines([None] * 20))
    result = call(tmp_path, html=tmp_path / 'r.html', submission=tmp_path / 's.csv')
    assert result['outcomes']['sound']['unknown'] == 16
    assert result['auroc_any'] is None
    assert result['operating_points'][0]['recall_any']['rate'] == 0.0
    assert 'nan' not in capsys.readouterr().out
    assert (tmp_path / 's.csv').read_text().splitlines()[1] == '1,0.500000'


def test_a_group_of_products_is_judged_by_its_own_threshold(tmp_path):
    write_rgbd_coco(tmp_path, LABELS)
    write_lines(tmp_path / 'p.jsonl', lines([0.9, 0.6, 0.4, 0.2] + [0.1] * 16))
    point = {'budget': 0.001, 'bound': 0.0009, 'sound_items': 4000, 'alarms': 1}
    evidence = {'format': 'damage_perception/calibration 1', 'confidence': 0.95}
    evidence |= point | {'threshold': 0.95}
    evidence['groups'] = {'family:carton': point | {'threshold': 0.3}}
    (tmp_path / 'c.yaml').write_text(yaml.safe_dump(evidence))
    (found,) = call(tmp_path, calibration=tmp_path / 'c.yaml')['operating_points']
    assert found['recall_any']['count'] == 3


def test_the_pipeline_judges_where_no_predictions_are_given(tmp_path):
    write_rgbd_coco(tmp_path, [True, False])
    result = call(tmp_path)
    said = read_predictions(tmp_path / 'p.jsonl')
    assert set(said) == {1, 2}
    assert result['images'] == 2
    first = (tmp_path / 'p.jsonl').read_bytes()
    assert call(tmp_path) == result  # now taken from the file
    assert (tmp_path / 'p.jsonl').read_bytes() == first


def test_an_image_that_cannot_be_used_is_unknown_and_the_others_are_judged(tmp_path, capsys):
    write_rgbd_coco(tmp_path, [True, True, False])
    write_png(tmp_path / 'depth/000001.png', np.zeros(SIZE, np.uint8))
    write_png(tmp_path / 'depth/000002.png', np.ones((3, 3), np.uint16))
    assert call(tmp_path)['images'] == 3
    reasons = [one.reason for one in read_predictions(tmp_path / 'p.jsonl').values()]
    assert '16-bit PNG in millimetres' in reasons[0]
    assert 'depth must be (H, W) like rgb' in reasons[1]
    assert '2 images are UNKNOWN, most often: ' in capsys.readouterr().err


def test_an_image_that_the_detector_fails_on_ends_nothing(tmp_path):
    write_rgbd_coco(tmp_path, [True, False])

    def judge(sample):
        return Prediction(0.00012345678 / (sample.image_id - 1))

    said = predict_all(open_dataset(f'rgbd-coco:{tmp_path}'), judge, tmp_path / 'p.jsonl')
    assert math.isnan(said[1].score)
    assert 'could not be judged: ZeroDivisionError' in said[1].reason
    assert said[2].score == 0.0001234568  # small ones are told apart too


def test_what_is_missing_or_cannot_be_written_is_told_before_any_image_is_judged(tmp_path):
    write_rgbd_coco(tmp_path, [True, False])
    for option in ('metrics', 'html', 'submission'):
        with pytest.raises(UserError, match='give another place'):
            call(tmp_path, **{option: tmp_path / 'rgb'})
    (tmp_path / 'depth/000002.png').unlink()
    with pytest.raises(UserError, match=r'image 2: .*000002\.png is not there'):
        call(tmp_path)
    assert not (tmp_path / 'p.jsonl').exists()


def test_half_of_the_predictions_bear_no_name_that_is_taken_for_all(tmp_path):
    lines_of_it = write_predictions(tmp_path / 'p.jsonl', iter([(1, Prediction(0.5))] * 2))
    next(lines_of_it)
    lines_of_it.close()  # as when it is interrupted
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('{"image_id": 1, "score": 2}\n', r'line 1: score must lie in \[0, 1\]'),
        ('{"image_id": 1, "score": NaN}\n{"image_id": 1, "score": 0}\n', 'line 2: image 1 comes'),
        ('{"image_id": 1, "sc', 'line 1: not whole JSON'),
        ('{"image_id": 1}\n', "line 1: 'score' is missing"),
        ('{"image_id": 1, "score": 0, "types": {"tear": null}}\n', 'types must hold only'),
        ('{"image_id": 1, "score": 0, "damages": 5}\n', 'damages must be a list'),
        ('{"image_id": 1, "score": 0, "damages": [5]}\n', 'a damage must have a type'),
        ('{"image_id": 1, "score": 0, "damages": [{"bbox": [1]}]}\n', 'bbox must be x, y'),
        ('{"score": 0.5}\n', 'image_id must be'),
        ('{"image_id": 1, "score": 0.5, "types": {"rust": 1}}\n', 'types must hold only'),
        ('{"image_id": 1, "score": 0.5, "mask_file": "../x.png"}\n', 'must be a path inside'),
        ('{"image_id": 9, "score": 0.5}\n', 'image 9, which the data set'),
        ('{"image_id": 1, "score": 0.5}\n', '1 images have no prediction, the first is 2'),
    ],
)
def test_predictions_that_cannot_be_used_are_refused(tmp_path, text, said):
    write_rgbd_coco(tmp_path, [True, False])
    (tmp_path / 'p.jsonl').write_text(text)
    with pytest.raises(UserError, match=said):
        call(tmp_path)


def test_wrong_calls(tmp_path):
    write_rgbd_coco(tmp_path, [True, False])
    with pytest.raises(CallError, match='--references must be on or off'):
        call(tmp_path, references='perhaps')
    with pytest.raises(CallError, match='--prevalence'):
        call(tmp_path, prevalence=2.0)


def test_predictions_of_two_sets_may_lie_in_one_folder(tmp_path):
    for name, side in (('one', 4), ('two', 6)):
        said = Prediction(0.5, labels=np.ones((side, side), np.uint8))
        list(write_predictions(tmp_path / f'{name}.jsonl', [(1, said)]))
    for name, side in (('one', 4), ('two', 6)):
        labels = read_predictions(tmp_path / f'{name}.jsonl')[1].read_labels()
        assert labels is not None
        assert labels.shape == (side, side)


def test_predictions_survive_a_round_trip(tmp_path):
    confidence = np.full((4, 5), np.nan, np.float32)
    confidence[1] = [0, 0.25, 0.5, 0.75, 1]
    labels = np.arange(20, dtype=np.uint8).reshape(4, 5) % 8
    said = Prediction(0.5, types={'tear': 0.4}, labels=labels, confidence=confidence, detector='ab')
    path = tmp_path / 'p.jsonl'
    list(write_predictions(path, [('a/b', said), (7, Prediction(math.nan, reason='dark'))]))
    back = read_predictions(path)
    np.testing.assert_array_equal(back['a/b'].read_labels(), labels)
    np.testing.assert_allclose(back['a/b'].read_confidence(), confidence, atol=1e-4)
    assert back['a/b'].types == {'tear': 0.4}
    assert back['a/b'].detector == 'ab'
    assert math.isnan(back[7].score)
    assert back[7].reason == 'dark'


def test_marks_and_breaks_of_other_systems_are_read_over(tmp_path):
    path = tmp_path / 'p.jsonl'
    line = {'image_id': 1, 'score': 0.5, 'reason': 'two\u2028lines'}
    path.write_text('\ufeff' + json.dumps(line, ensure_ascii=False) + '\r\n', encoding='utf-8')
    assert read_predictions(path)[1].reason == 'two\u2028lines'
    source = write_rgbd_coco(tmp_path, [True])
    source.write_text('\ufeff' + source.read_text(), encoding='utf-8')
    assert len(open_dataset(f'rgbd-coco:{tmp_path}')) == 1


def item(roi, confidence, judged=True):
    still = Pose((0.0, 0.0, 1.0), (0.0, 0.0, 0.0, 1.0))
    heat = np.full((roi.height, roi.width), 0.1 if judged else np.nan, np.float32)
    return ItemReport(
        1, '', 0.0, still, (0.1, 0.1, 0.1), roi, confidence,
        math.nan, math.nan, Status(0), 1, (), np.ones(heat.shape, bool), heat,
    )  # fmt: skip


@pytest.mark.parametrize(
    ('items', 'score', 'missed'),
    [
        ([item(Roi(10, 5, 40, 30), 0.7)], 0.7, False),
        ([item(Roi(10, 5, 40, 30), 0.2), item(Roi(10, 5, 30, 30), 0.6)], 0.6, False),
        ([item(Roi(10, 5, 10, 30), 0.9)], 0.0, True),  # covers a quarter only
        ([item(Roi(10, 5, 15, 30), 0.9), item(Roi(30, 5, 15, 30), 0.3)], 0.9, False),  # in pieces
        (
            [item(Roi(0, 0, 22, 30), 0.9), item(Roi(30, 5, 15, 30), 0.3)],
            0.0,
            True,
        ),  # and a stranger
        ([item(Roi(52, 0, 8, 8), 0.9)], 0.0, True),  # another item
        ([], 0.0, True),
        ([item(Roi(10, 5, 40, 30), math.nan, judged=False)], math.nan, False),
        ([item(Roi(10, 5, 40, 30), math.nan), item(Roi(10, 5, 40, 30), 0.3)], 0.3, False),
    ],
)
def test_the_score_of_a_labelled_item_in_a_whole_frame(tmp_path, items, score, missed):
    write_rgbd_coco(tmp_path, [True])
    (sample,) = open_dataset(f'rgbd-coco:{tmp_path}')
    report = DamageReport(0, '', SIZE[1], SIZE[0], Health.OK, items=tuple(items))
    said = from_report(sample, report)
    np.testing.assert_equal(said.score, score)
    assert said.missed == missed


def test_of_several_labelled_items_each_counts(tmp_path):
    path = write_rgbd_coco(tmp_path, [True])
    data = json.loads(path.read_text())
    left = [entry for entry in data['annotations'] if entry['category_id'] == 100]
    right = left[0] | {'id': 9, 'segmentation': [[52, 0, 60, 0, 60, 40, 52, 40]]}
    path.write_text(json.dumps(data | {'annotations': [*data['annotations'], right]}))
    (sample,) = open_dataset(f'rgbd-coco:{tmp_path}')
    found = item(Roi(10, 5, 40, 30), 0.7), item(Roi(52, 0, 8, 40), 0.2)
    for items, score in ((found, 0.7), (found[:1], 0.7), (found[1:], 0.2)):
        said = from_report(sample, DamageReport(0, '', SIZE[1], SIZE[0], Health.OK, items=items))
        assert (said.score, said.missed) == (score, False)
    assert from_report(sample, DamageReport(0, '', SIZE[1], SIZE[0], Health.OK)).missed


def test_labels_of_another_size_than_the_image_are_refused(tmp_path):
    write_rgbd_coco(tmp_path, [True], image={'camera': None})
    write_png(tmp_path / 'rgb/000001.png', np.zeros((20, 30, 3), np.uint8))
    (sample,) = open_dataset(f'rgbd-coco:{tmp_path}')
    with pytest.raises(UserError, match='its labels are for 60x40'):
        from_report(sample, DamageReport(0, '', 30, 20, Health.OK))


def test_a_frame_that_was_not_judged_is_unknown(tmp_path):
    write_rgbd_coco(tmp_path, [True])
    (sample,) = open_dataset(f'rgbd-coco:{tmp_path}')
    said = from_report(sample, DamageReport(0, '', SIZE[1], SIZE[0], Health.UNKNOWN, 'no depth'))
    assert math.isnan(said.score)
    assert said.reason == 'no depth'
    assert not said.missed


def test_products_do_not_choose_their_own_threshold(tmp_path):
    write_rgbd_coco(tmp_path, [False] * 60 + [True])
    samples = open_dataset(f'rgbd-coco:{tmp_path}')
    rng = np.random.default_rng(0)
    said = {sample.image_id: Prediction(float(rng.random())) for sample in samples}
    outcomes = join(samples, said)
    point = measure(outcomes, repeats=5)['operating_points'][0]
    assert len(point['threshold']) == 2  # one for each half of the products


def run_calibrate(root, **options):
    defaults = {
        'labels': root / 'dataset.json', 'predictions': root / 'p.jsonl',
        'out': root / 'calibration.yaml', 'budget': 0.02, 'confidence': 0.95,
        'groups': 'family', 'split': None, 'prevalence': 0.001, 'plots': None,
        'journal': None, 'engine': 0, 'seed': 7, 'damaged': 0.1, 'workers': 1, 'params': None,
    }  # fmt: skip
    calibrate(**(defaults | options))
    return load_calibration(root / 'calibration.yaml')


def write_many(root, count=200, **more):
    rng = np.random.default_rng(0)
    images = [
        {'id': n, 'file_name': f'{n}.png', 'width': 8, 'height': 8, 'item_id': f'i{n}',
         'tags': ['family:carton' if n <= 180 else 'family:bag']}
        for n in range(1, count + 1)
    ]  # fmt: skip
    (root / 'dataset.json').write_text(json.dumps({'images': images, 'annotations': []}))
    write_lines(root / 'p.jsonl', lines(rng.beta(1, 9, count).tolist(), **more))


def test_calibrate_writes_its_evidence(tmp_path, capsys):
    write_many(tmp_path, detector='f' * 64)
    found = run_calibrate(tmp_path, plots=tmp_path / 'plots')
    assert found.point.bound <= 0.02
    assert found.point.sound_items == 200
    assert set(found.groups) == {
        'family:carton'
    }  # 20 bags are too few for a threshold of their own
    assert found.threshold_for('family:bag') == found.point.threshold
    assert found.evidence['sound']['items'] == 200
    assert set(found.evidence['files_sha256']) == {'dataset.json', 'p.jsonl'}
    assert sorted(path.name for path in (tmp_path / 'plots').iterdir()) == [
        'budget.png',
        'scores.png',
    ]
    assert 'budget 2.0000%' in capsys.readouterr().out
    found.check_detector('f' * 64)
    with pytest.raises(
        UserError, match='was made for weights ffffffffffff, but weights eeeeeeeeeeee'
    ):
        found.check_detector('e' * 64)


def test_calibrate_refuses_too_small_a_sample_and_writes_nothing(tmp_path):
    write_many(tmp_path)
    with pytest.raises(UserError, match=r'200 sound items cannot support .* at least 2,995'):
        run_calibrate(tmp_path, budget=0.001)
    assert not (tmp_path / 'calibration.yaml').exists()
    with pytest.raises(CallError, match='--budget must lie between 0 and 1'):
        run_calibrate(tmp_path, budget=-0.1)


def test_unknown_items_do_not_count_as_sound_items_that_passed(tmp_path):
    write_many(tmp_path)
    said = [json.loads(line) for line in (tmp_path / 'p.jsonl').read_text().splitlines()]
    for line in said[:60]:
        line['score'] = None
    write_lines(tmp_path / 'p.jsonl', said)
    with pytest.raises(UserError, match='140 sound items cannot support'):
        run_calibrate(tmp_path)


def test_what_was_not_judged_or_not_found_was_so_by_the_same_weights(tmp_path):
    write_rgbd_coco(tmp_path, [False])
    (sample,) = open_dataset(f'rgbd-coco:{tmp_path}')
    for health in (Health.UNKNOWN, Health.OK):
        report = DamageReport(0, '', SIZE[1], SIZE[0], health, detector='aa')
        assert from_report(sample, report).detector == 'aa'
    write_many(tmp_path, 200, detector='aa')
    said = [json.loads(line) for line in (tmp_path / 'p.jsonl').read_text().splitlines()]
    said[0] = {'image_id': 1, 'score': None}  # as of an image that could not be read
    write_lines(tmp_path / 'p.jsonl', said)
    assert run_calibrate(tmp_path).detector == 'aa'


def test_predictions_of_two_sets_of_weights_are_refused(tmp_path):
    write_many(tmp_path)
    text = (tmp_path / 'p.jsonl').read_text().splitlines()
    text[0] = json.dumps(json.loads(text[0]) | {'detector': 'aa'})
    (tmp_path / 'p.jsonl').write_text('\n'.join(text))
    with pytest.raises(UserError, match='more than one set of weights'):
        run_calibrate(tmp_path)


@pytest.mark.parametrize(
    'change',
    [
        {'threshold': 'high'},
        {'threshold': float('nan')},
        {'budget': -1},
        {'bound': 0.5},
        {'alarms': 9999},
        {'format': 'other'},
        {'points': 3},
        {'groups': [1]},
        {'sound_items': None},
    ],
)
def test_a_calibration_that_makes_no_sense_is_refused(tmp_path, change):
    write_many(tmp_path)
    run_calibrate(tmp_path)
    path = tmp_path / 'calibration.yaml'
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | change))
    with pytest.raises(UserError, match=r'calibration\.yaml'):
        load_calibration(path)
