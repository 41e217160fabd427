from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest

pytest.importorskip('torch', reason='torch is installed for training only')

from made_network import made_weights
from safetensors.numpy import load_file, save_file

from damage_perception.errors import UserError
from damage_perception.network.backends import open_backend, present
from damage_perception.network.weights import (
    MANIFEST,
    ONNX,
    OPENVINO,
    OPENVINO_BIN,
    SAFETENSORS,
    read_manifest,
    sha256,
)

FILE = {'torch': SAFETENSORS, 'onnxruntime': ONNX, 'openvino': OPENVINO}


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(made_weights(), tmp_path / 'weights')


def change_manifest(folder, **values):
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**manifest, **values}))


def put(folder, name, data):
    """Put a foreign file in place and vouch for it, as an attacker would."""
    (folder / name).write_bytes(data)
    files = json.loads((folder / MANIFEST).read_text())['files']
    change_manifest(folder, files={**files, name: sha256(data)})


def refused(folder, name='torch'):
    with pytest.raises(UserError) as caught:
        open_backend(folder, name, 1)
    text = str(caught.value)
    assert '\n' not in text
    assert len(text) < 400
    return text


@pytest.mark.parametrize('name', present())
def test_a_truncated_file_is_refused(folder, name):
    path = folder / FILE[name]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 'SHA-256 differs' in refused(folder, name)


@pytest.mark.parametrize('name', present())
def test_one_altered_bit_is_refused(folder, name):
    path = folder / FILE[name]
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    assert 'SHA-256 differs' in refused(folder, name)


@pytest.mark.parametrize('name', present())
def test_a_foreign_file_is_refused_even_if_its_hash_fits(folder, name):
    put(folder, FILE[name], pickle.dumps({'weights': [1, 2, 3]}))
    assert 'is no' in refused(folder, name)


@pytest.mark.parametrize('name', present())
def test_a_missing_file_is_named(folder, name):
    (folder / FILE[name]).unlink()
    assert FILE[name] in refused(folder, name)


def test_weights_of_another_input_version_are_refused(folder):
    change_manifest(folder, input_version=0)
    assert 'input_version 0' in refused(folder)


def test_weights_for_other_channels_are_refused(folder):
    change_manifest(folder, channels=['red'])
    assert 'channels' in refused(folder)


@pytest.mark.parametrize('text', ['', '{', '[]', '{"format": 1}', '[' * 5000, 'null'])
def test_a_broken_manifest_is_refused(folder, text):
    (folder / MANIFEST).write_text(text)
    assert MANIFEST in refused(folder)


def test_a_manifest_cannot_point_elsewhere(folder):
    change_manifest(folder, files={'../network.safetensors': 'x'})
    assert 'cannot be' in refused(folder)


def test_a_folder_without_weights_is_refused(tmp_path):
    assert 'cannot be read' in refused(tmp_path)


def tensors_changed(folder, change):
    tensors = load_file(folder / SAFETENSORS)
    change(tensors)
    save_file(tensors, folder / 'other')
    put(folder, SAFETENSORS, (folder / 'other').read_bytes())
    return refused(folder)


def test_tensors_of_other_shapes_are_refused(folder):
    def change(tensors):
        tensors['classes.bias'] = np.zeros(3, np.float32)

    assert 'classes.bias must be (7,), got (3,)' in tensors_changed(folder, change)


def test_missing_and_unknown_tensors_are_named(folder):
    assert 'lacks classes.bias' in tensors_changed(folder, lambda t: t.pop('classes.bias'))


def test_tensors_that_are_no_numbers_are_refused(folder):
    def change(tensors):
        tensors['classes.bias'] = np.full(7, np.nan, np.float32)

    assert 'no numbers' in tensors_changed(folder, change)


def test_a_model_of_another_width_is_refused(folder):
    openvino = pytest.importorskip('openvino', reason='openvino is not installed')
    data = openvino.opset13.parameter([-1, 3, -1, -1], np.float32)
    twice = [openvino.opset13.relu(data), openvino.opset13.abs(data)]
    openvino.save_model(openvino.Model(twice, [data]), folder / 'other.xml')
    put(folder, OPENVINO, (folder / 'other.xml').read_bytes())
    put(folder, OPENVINO_BIN, (folder / 'other.bin').read_bytes())
    assert 'has the widths' in refused(folder, 'openvino')


def test_the_manifest_says_where_weights_come_from(folder):
    change_manifest(folder, command='train', seed=5, samples=10)
    manifest = read_manifest(folder)
    assert (manifest.command, manifest.seed, manifest.samples) == ('train', 5, 10)
    assert set(manifest.files) == {SAFETENSORS, ONNX, OPENVINO, OPENVINO_BIN}
