from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='torch is installed for training only')

from made_store import made_views  # noqa: E402

from damage_perception.errors import CallError, UserError  # noqa: E402
from damage_perception.learning.training.checkpoint import STATE  # noqa: E402
from damage_perception.learning.training.config import TrainingConfig, read_config  # noqa: E402
from damage_perception.learning.training.losses import training_loss  # noqa: E402
from damage_perception.learning.training.network_evaluation import (  # noqa: E402
    Truth,
    measure,
    network_scores,
)
from damage_perception.learning.training.patches import Patches  # noqa: E402
from damage_perception.learning.training.run import BEST, CHECKPOINT, CURVE, Paths, train  # noqa: E402
from damage_perception.learning.training.training import Training  # noqa: E402
from damage_perception.learning.training.worst_views import write_worst  # noqa: E402
from damage_perception.network.backends.torch_backend import TorchBackend, load_network  # noqa: E402
from damage_perception.network.export import write_tensors  # noqa: E402
from damage_perception.network.outputs import ANY  # noqa: E402
from damage_perception.network.weights import Manifest, read_manifest  # noqa: E402

CONFIG = TrainingConfig(batch=4, samples=48, warm_up=8, ema_samples=16, validate_every=24, patch=64)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


class Fixed:
    """The same eight patches again and again."""

    alarms: tuple = ()

    def __init__(self, side: int = 64) -> None:
        self.channels, self.labels = Patches(made_views(8), side, 0).batch(0, 8)

    def batch(self, start: int, count: int):
        chosen = np.arange(start, start + count) % 8
        return self.channels[chosen], self.labels[chosen]


def test_it_overfits_eight_patches():
    config = replace(CONFIG, batch=8, samples=480, warm_up=32, learning_rate=3e-3)
    training = Training(config, Fixed())
    losses = [training.step() for _ in range(60)]
    assert np.mean(losses[-5:]) < 0.3 * losses[0]
    channels, labels = training.patches.batch(0, 8)
    with torch.no_grad():
        said = training.network.train()(torch.from_numpy(channels))[1][:, ANY] > 0
    assert (said.numpy() == (labels > 0).any(axis=(1, 2))).mean() > 0.8


def state(training: Training) -> dict[str, torch.Tensor]:
    return {**training.network.state_dict(),
            **{f'average.{k}': v for k, v in training.average.state_dict().items()}}  # fmt: skip


def test_going_on_gives_what_an_uninterrupted_training_gives(tmp_path):
    patches = Patches(made_views(4), 64, 0)
    whole, first, second = (Training(CONFIG, patches) for _ in range(3))
    for _ in range(6):
        whole.step()
    for _ in range(3):
        first.step()
    first.save(tmp_path)
    second.load(tmp_path)
    for _ in range(3):
        second.step()
    assert second.samples == whole.samples == 24
    expected, got = state(whole), state(second)
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_a_training_begins_with_other_weights_and_counts_what_they_have_seen(tmp_path):
    patches = Patches(made_views(2), 64, 0)
    before = Training(CONFIG, patches)
    before.step()
    write_tensors(before.average, tmp_path / 'weights', Manifest({}, samples=100))
    training, going_on = Training(CONFIG, patches), Training(CONFIG, patches)
    training.begin_with(tmp_path / 'weights')
    told, mine = before.average.state_dict(), training.network.state_dict()
    assert all(torch.equal(told[name], mine[name]) for name in told)
    assert (training.before, training.samples) == (100, 0)
    training.step()
    now, midway = training.average.state_dict(), training.candidate().state_dict()
    name = 'classes.weight'
    assert torch.allclose(midway[name], 0.5 * (told[name] + now[name]))
    assert not torch.equal(midway[name], now[name])
    training.save(tmp_path / 'checkpoint')
    going_on.load(tmp_path / 'checkpoint')
    assert torch.equal(going_on.candidate().state_dict()[name], midway[name])
    assert (going_on.before, going_on.samples) == (100, CONFIG.batch)


def test_the_rate_rises_and_falls():
    training = Training(CONFIG, Fixed())
    rates = []
    for samples in range(0, CONFIG.samples, CONFIG.batch):
        training.samples = samples
        rates.append(training.learning_rate())
    assert rates[0] < CONFIG.learning_rate
    assert max(rates) == pytest.approx(CONFIG.learning_rate, rel=0.1)
    assert rates[-1] < 0.1 * CONFIG.learning_rate


@pytest.fixture
def saved(tmp_path):
    training = Training(CONFIG, Patches(made_views(2), 64, 0))
    training.step()
    training.save(tmp_path)
    return tmp_path


@pytest.mark.parametrize('harm', ['truncate', 'alter', 'remove', 'no json', 'no state'])
def test_a_broken_checkpoint_is_refused(saved, harm):
    path = next(saved.glob('*.safetensors'))
    data = path.read_bytes()
    if harm == 'truncate':
        path.write_bytes(data[:1000])
    elif harm == 'alter':
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif harm == 'remove':
        path.unlink()
    elif harm == 'no json':
        (saved / STATE).write_text('{')
    else:
        (saved / STATE).unlink()
    with pytest.raises(UserError, match='checkpoint'):
        Training(CONFIG, Fixed()).load(saved)


def test_a_checkpoint_of_other_settings_is_refused(saved):
    with pytest.raises(UserError, match='another learning_rate'):
        Training(replace(CONFIG, learning_rate=1.0), Fixed()).load(saved)


def test_a_checkpoint_may_be_trained_longer(saved):
    longer = Training(replace(CONFIG, samples=96), Fixed())
    longer.load(saved)
    assert longer.samples == CONFIG.batch


def test_no_class_is_free_and_the_truth_costs_least():
    labels = torch.zeros(2, 64, 64, dtype=torch.uint8)
    labels[0, 20:40, 20:40] = 3
    shown = torch.ones(2, 64, 64)
    right = torch.zeros(2, 7, 32, 32)
    right[:, 0] = 9.0
    right[0, 0, 10:20, 10:20], right[0, 3, 10:20, 10:20] = 0.0, 9.0
    scores = torch.full((2, 7), -9.0)
    scores[0, [2, ANY]] = 9.0
    best = training_loss(right, scores, labels, shown)
    assert best < 0.01
    assert training_loss(right, -scores, labels, shown) > best + 1.0
    assert training_loss(right.roll(1, 1), scores, labels, shown) > best + 1.0


def test_what_is_not_shown_costs_nothing():
    labels = torch.zeros(1, 64, 64, dtype=torch.uint8)
    shown = torch.zeros(1, 64, 64)
    maps, scores = torch.randn(1, 7, 32, 32), torch.full((1, 7), -9.0)
    first = training_loss(maps, scores, labels, shown)
    torch.testing.assert_close(first, training_loss(-maps, scores, labels, shown))


def test_training_writes_curve_weights_and_checkpoint(tmp_path):
    out = tmp_path / 'not' / 'yet'
    views, paths, seen = made_views(6), Paths(out, tmp_path), []
    training = Training(CONFIG, Patches(views, 64, 0))
    train(training, views, paths, Manifest({}, 'test'), 0, lambda now, loss: seen.append(loss))
    assert len(seen) == CONFIG.samples // CONFIG.batch
    curve = json.loads((out / CURVE).read_text())
    assert [point['samples'] for point in curve] == [24, 48]
    assert read_manifest(out / BEST).samples in (24, 48)
    again = Training(CONFIG, Patches(views, 64, 0))
    again.load(out / CHECKPOINT)
    assert again.done


def test_figures_and_pictures_of_a_network(tmp_path):
    views = made_views(12)
    judge = TorchBackend(Training(CONFIG, Fixed()).average).predict
    scores, truth = network_scores(views, judge), Truth.of(views)
    assert scores.shape == (12,)
    assert 0 <= measure(truth, scores)['auroc_major'] <= 1
    assert len(truth.only(truth.damaged).major) == truth.damaged.sum()
    write_worst(views, scores, judge, tmp_path, 3)
    assert {path.name for path in tmp_path.iterdir()} == {'misses.png', 'alarms.png'}


def test_load_network_gives_what_was_kept(tmp_path):
    views, paths = made_views(4), Paths(tmp_path, tmp_path)
    training = Training(replace(CONFIG, samples=4), Patches(views, 64, 0))
    train(training, views, paths, Manifest({}), 0, lambda now, loss: None)
    kept = load_network(tmp_path / BEST).state_dict()
    assert all(torch.equal(kept[name], value) for name, value
               in training.average.state_dict().items())  # fmt: skip


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('batch: 0', 'batch must be at least 1'),
        ('batch: 1.5', 'batch must be a whole number'),
        ('seed: yes', 'seed must be a whole number'),
        ('patch: 90', 'patch must be a multiple of 16'),
        ('fused: 2', 'fused must lie in'),
        ('speed: 1', 'unknown setting speed'),
        ('- 1', 'must hold settings by name'),
        ('a: [', 'not whole YAML'),
    ],
)
def test_settings_that_cannot_be_are_refused(tmp_path, text, message):
    path = tmp_path / 'training.yaml'
    path.write_text(text)
    with pytest.raises(CallError, match=message):
        read_config(path)


def test_what_is_rare_is_packs_that_lack_a_unit_and_spills(tmp_path):
    views, items = TrainingConfig(rare_items=64).view_sets(tmp_path)['train_rare']
    assert items == 64
    assert views.references == 1.0
    assert set(views.spec.damages) == {'missing_unit', 'spill'}
    packs = [family in ('blister', 'multi_pack') for family in views.spec.families]
    assert 0 < sum(packs) < len(packs)


def test_the_shipped_settings_are_the_defaults():
    from pathlib import Path

    folder = Path(__file__).parents[2] / 'config' / 'training'
    assert read_config(folder / 'default.yaml') == TrainingConfig()
    assert read_config(folder / 'further.yaml').seed != TrainingConfig().seed
    assert read_config(folder / 'smoke.yaml', samples=32).samples == 32
