from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip('torch', reason='torch is installed for training only')

from made_network import made_network  # noqa: E402

from damage_perception.network.export import golden_batch  # noqa: E402
from damage_perception.network.inputs import COLOUR, DEPTH, REFERENCE  # noqa: E402
from damage_perception.network.model import DamageNetwork, count_parameters  # noqa: E402
from damage_perception.network.outputs import (  # noqa: E402
    ANY,
    CLASSES,
    SCORES,
    damage_probability,
)


@pytest.mark.parametrize('sides', [(64, 64), (96, 96), (128, 208)])
def test_maps_are_half_as_large_and_scores_have_no_size(sides):
    with torch.no_grad():
        maps, scores = made_network()(torch.from_numpy(golden_batch(0, sides)))
    assert maps.shape == (2, len(CLASSES), sides[0] // 2, sides[1] // 2)
    assert scores.shape == (2, len(SCORES))


def test_it_is_small():
    assert count_parameters(DamageNetwork()) <= 2_000_000


def test_an_item_does_not_depend_on_others_of_its_batch():
    network, batch = made_network(), torch.from_numpy(golden_batch())
    with torch.no_grad():
        together, alone = network(batch)[1][1], network(batch[1:])[1][0]
    torch.testing.assert_close(together, alone, atol=1e-4, rtol=1e-4)


def test_the_same_seed_gives_the_same_network():
    batch = torch.from_numpy(golden_batch())
    with torch.no_grad():
        assert torch.equal(made_network(3)(batch)[1], made_network(3)(batch)[1])


@pytest.mark.parametrize('part', [COLOUR, DEPTH, REFERENCE])
def test_it_judges_without_a_modality(part):
    batch = golden_batch()
    batch[:, part] = 0.0
    with torch.no_grad():
        maps, scores = made_network()(torch.from_numpy(batch))
    assert torch.isfinite(maps).all()
    assert torch.isfinite(scores).all()


def test_what_is_not_seen_raises_no_alarm():
    batch = golden_batch()
    seen, nothing = torch.from_numpy(batch), torch.zeros(batch.shape)
    with torch.no_grad():
        assert made_network()(nothing)[1][:, ANY].max() < made_network()(seen)[1][:, ANY].min()


def test_probability_of_damage_is_one_less_that_of_none():
    maps = np.random.default_rng(0).normal(0, 3, (2, len(CLASSES), 4, 5)).astype(np.float32)
    softmax = np.exp(maps) / np.exp(maps).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(damage_probability(maps), 1 - softmax[:, 0], atol=1e-5)
