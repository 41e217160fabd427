from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is installed for training only')

from made_network import made_weights

from damage_perception.errors import CallError, UserError
from damage_perception.network.backends import NAMES, open_backend, present
from damage_perception.network.export import TOLERANCE, golden_batch
from damage_perception.network.network_settings import NetworkSettings
from damage_perception.perception.evidence.assessor import Assessor


@pytest.mark.parametrize('name', [name for name in NAMES if name != 'torch'])
@pytest.mark.parametrize('sides', [(128, 160), (96, 96)])
def test_backends_say_what_torch_says(name, sides):
    pytest.importorskip(name, reason=f'{name} is not installed')
    batch = golden_batch(7, sides)
    expected = open_backend(made_weights(), 'torch', 1).predict(batch)
    said = open_backend(made_weights(), name, 1).predict(batch)
    assert np.abs(said.scores - expected.scores).max() <= TOLERANCE
    assert np.abs(said.maps - expected.maps).max() <= TOLERANCE


def test_openvino_in_bf16_stays_near():
    pytest.importorskip('openvino', reason='openvino is not installed')
    batch = golden_batch(7)
    try:
        backend = open_backend(made_weights(), 'openvino', 1, 'bf16')
    except CallError:
        pytest.skip('this processor has no bf16')
    exact = open_backend(made_weights(), 'openvino', 1).predict(batch).scores
    assert np.abs(backend.predict(batch).scores - exact).max() < 0.2


def test_the_same_batch_gives_the_same_bytes():
    backend = open_backend(made_weights(), 'auto', 1)
    first, second = backend.predict(golden_batch()), backend.predict(golden_batch())
    assert first.scores.tobytes() == second.scores.tobytes()


def test_auto_takes_the_first_that_is_present():
    assert open_backend(made_weights(), 'auto', 1).name == present()[0]


def test_results_outlive_the_next_call():
    backend = open_backend(made_weights(), 'auto', 1)
    first = backend.predict(golden_batch(1))
    kept = first.scores.copy()
    backend.predict(golden_batch(2))
    np.testing.assert_array_equal(first.scores, kept)


@pytest.mark.parametrize('name', present())
@pytest.mark.parametrize(
    ('batch', 'message'),
    [
        (np.zeros((1, 17, 60, 64), np.float32), 'multiples of 16'),
        (np.zeros((1, 5, 64, 64), np.float32), 'must be .N, 17'),
        (np.zeros((17, 64, 64), np.float32), 'must be .N, 17'),
        (np.zeros((1, 17, 64, 64)), 'float32'),
    ],
)
def test_a_batch_that_does_not_fit_is_refused(name, batch, message):
    with pytest.raises(ValueError, match=message):
        open_backend(made_weights(), name, 1).predict(batch)


def test_an_unknown_backend_is_refused():
    with pytest.raises(CallError, match='backend must be among auto'):
        open_backend(made_weights(), 'tensorflow')


def test_a_backend_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr('damage_perception.network.backends.find_spec', lambda name: None)
    with pytest.raises(UserError, match='needs the package openvino'):
        open_backend(made_weights(), 'openvino')
    with pytest.raises(UserError, match='no backend is installed'):
        open_backend(made_weights())


def test_settings_choose_the_precision():
    assert Assessor(NetworkSettings(backend='torch', precision='fp32')).detector
    with pytest.raises(CallError, match='precision must be among fp32, bf16'):
        Assessor(NetworkSettings(precision='int8'))
