"""train, export and benchmark network as a person calls them."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

pytest.importorskip('torch', reason='torch is installed for training only')

from made_network import made_weights

from damage_perception.cli.main import build_app
from damage_perception.errors import CallError, UserError
from damage_perception.network.weights import read_manifest

SMALL = """
train_items: 4
validation_items: 8
test_items: 8
batch: 4
samples: 8
warm_up: 4
patch: 64
validate_every: 8
ema_samples: 4
pair_items: 4
rare_items: 4
evidence_items: 8
"""


def call(*arguments: object):
    result = CliRunner().invoke(build_app(), [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_one_command_trains_from_nothing_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr('damage_perception.learning.training.view_store.SHARD', 4)
    config, out = tmp_path / 'small.yaml', tmp_path / 'out'
    config.write_text(SMALL)
    call('train', '--config', config, '--out', out, '--device', 'cpu')
    result = json.loads((out / 'result.json').read_text())
    for split in ('shifted_val', 'test', 'shifted_test'):
        assert {'geometry', 'network', 'evidence', 'types'} <= result[split].keys()
        assert (out / 'worst' / split / 'alarms.png').is_file()
    assert [point['samples'] for point in result['curve']] == [8]
    assert read_manifest(out / 'weights').seed == 1
    with pytest.raises(CallError, match='already holds a training'):
        call('train', '--config', config, '--out', out)
    monkeypatch.setattr('damage_perception.learning.training.result.finish', lambda *rest: result)
    call('train', '--config', config, '--out', out, '--resume', '--samples', 12, '--tensorboard')
    curve = json.loads((out / 'curve.json').read_text())
    assert [point['samples'] for point in curve] == [8, 12]
    assert list((out / 'events').iterdir())


def test_an_unknown_device_is_refused(tmp_path):
    with pytest.raises(CallError, match='device must be auto, cpu or cuda'):
        call('train', '--out', tmp_path, '--device', 'tpu')


def test_training_on_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr('damage_perception.cli.train_steps.show_rendering', lambda *rest: None)
    monkeypatch.setattr(
        'damage_perception.learning.training.run.read_split',
        lambda *rest: [],
    )
    with pytest.raises(UserError, match='train_items'):
        call('train', '--out', tmp_path)


def test_export_writes_what_every_backend_opens(tmp_path):
    said = json.loads(call('export', made_weights(), '--out', tmp_path / 'new', '--json').stdout)
    assert said['largest_difference'] <= 1e-3
    assert sum(said['files'].values()) < 20e6
    assert read_manifest(tmp_path / 'new').files.keys() == said['files'].keys()


def test_export_onto_itself_is_refused():
    with pytest.raises(CallError, match='give another folder'):
        call('export', made_weights(), '--out', made_weights())


def test_benchmark_names_every_backend(tmp_path):
    said = call(
        'benchmark', 'network', '--weights', made_weights(), '--json', '--side', 64, '--repeats', 3,
        '--threads', 1,
    )  # fmt: skip
    rows = json.loads(said.stdout)['backends']
    assert {'torch', 'openvino'} <= {row['name'] for row in rows}
    assert all(row['median_ms'] > 0 for row in rows)


def test_a_side_that_does_not_fit_is_refused():
    with pytest.raises(CallError, match='multiple of 16'):
        call('benchmark', 'network', '--side', 100)
