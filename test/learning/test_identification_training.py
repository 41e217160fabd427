from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_identification import printed_view

from damage_perception.errors import UserError
from damage_perception.learning.identification import run as identification_run
from damage_perception.learning.identification import views as identification_views
from damage_perception.learning.identification.evaluation import confusions, figures, groups
from damage_perception.learning.identification.fit import Trial, compare, fit_rule
from damage_perception.learning.identification.model import IdentificationModel
from damage_perception.learning.identification.training import Recipe, learn, vary
from damage_perception.learning.identification.views import (
    ProductPictures,
    ProductSet,
    read_pictures,
    render_pictures,
)
from damage_perception.perception.identification.identification import probabilities
from damage_perception.perception.identification.network import (
    IdentificationNetwork,
    Manifest,
    shipped_network,
)
from damage_perception.perception.identification.picture import network_input, picture_of

PRODUCTS = 12


@pytest.fixture(scope='module')
def made() -> ProductPictures:
    """Twelve products of nine coloured fields, an item and three references each."""
    rng = np.random.default_rng(0)
    rows = []
    for number in range(PRODUCTS):
        for place in range(4):
            light, quarters = rng.uniform(0.7, 1.1), int(rng.integers(4))
            view = printed_view(number, 0.14 + 0.005 * (number % 4), light=light, quarters=quarters)
            rows.append((number, place > 0, f'box-{number:02d}', '', '', picture_of(view)))
    columns = [np.array(column) for column in list(zip(*rows, strict=True))[:5]]
    return ProductPictures(*columns, [row[5] for row in rows])


def test_numpy_gives_what_torch_learnt(made: ProductPictures) -> None:
    torch.manual_seed(3)
    model = IdentificationModel().eval()
    channels, sizes = network_input(made.pictures[:5])
    with torch.no_grad():
        vectors, _ = model(torch.from_numpy(channels), torch.from_numpy(sizes))
    network = IdentificationNetwork(model.tensors((1, 1, 0, 0.5, 0.2)), '0' * 64)
    got, sure = network(made.pictures[:5])
    np.testing.assert_allclose(got[:, 0], vectors, atol=1e-4)
    assert (sure > 0).all()


def test_the_same_call_learns_the_same_map_and_learns_something(made: ProductPictures) -> None:
    losses: list[float] = []
    recipe = Recipe(steps=6, products=8)
    first = learn(made, recipe, lambda _, loss: losses.append(loss))
    second = learn(made, recipe, lambda *_: None)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(),
                                                 strict=True))  # fmt: skip
    assert losses[-1] < losses[0]


def test_variation_leaves_the_originals_alone(made: ProductPictures) -> None:
    channels, sizes = (array.reshape(PRODUCTS, 4, *array.shape[1:])
                       for array in network_input(made.pictures))  # fmt: skip
    before = channels.copy()
    varied, metres = vary(channels, sizes, np.random.default_rng(1))
    np.testing.assert_array_equal(channels, before)
    assert not np.array_equal(varied, before)
    stretch = metres - sizes
    np.testing.assert_allclose(stretch, np.broadcast_to(stretch[:, :1], stretch.shape), atol=1e-5)


def test_a_run_writes_a_map_that_knows_its_products(
    made: ProductPictures, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identification_run, 'HELD_OUT', 4)
    recipe = Recipe(steps=10, products=8)
    network = identification_run.train(
        made, recipe, tmp_path, Manifest('', seed=1), lambda *_: None
    )
    assert json.loads((tmp_path / 'manifest.json').read_text())['seed'] == 1
    trial = compare(network, made, network.rule[4])
    chosen = groups(trial, made)['all that nothing covers']
    result = figures(trial, network.rule, chosen)
    assert result.items == PRODUCTS
    assert result.top1 > 0.7
    assert confusions(trial, made, network.rule).shape[2] == 3


def test_a_rule_names_as_few_unknown_products_as_it_was_asked_to() -> None:
    rng = np.random.default_rng(4)
    items, products = 400, 50
    distance = rng.gamma(20.0, 2.0, (items, products))
    own = rng.integers(0, products, items)
    distance[np.arange(items), own] = rng.gamma(2.0, 3.0, items)
    trial = Trial(distance, np.ones(items), own, np.arange(items), np.array(['']))
    rule = fit_rule(trial, invented=0.05)
    result = figures(trial, rule, np.ones(items, bool))
    assert result.invented == pytest.approx(0.05, abs=0.005)
    assert result.top1 > 0.9
    assert result.misnamed < result.named
    surest = probabilities(distance, trial.sure, rule)[:, :-1].max(axis=1)
    right = probabilities(distance, trial.sure, rule)[:, :-1].argmax(axis=1) == own
    assert surest.mean() == pytest.approx(right.mean(), abs=0.1)  # calibrated


def test_rendered_pictures_are_kept_and_those_of_another_engine_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identification_views, 'SHARD', 2)
    wanted = ProductSet('standard', 7, 2, items=1, references=1)
    assert list(render_pictures(wanted, tmp_path)) == [2]
    data = read_pictures(wanted, tmp_path)
    assert data.number.tolist() == [0, 0, 1, 1]
    assert data.reference.tolist() == [False, True, False, True]
    assert data.sku[0] == data.sku[1] != data.sku[2]
    monkeypatch.setattr(identification_views, '_render_shard', None)  # nothing is rendered twice
    assert list(render_pictures(wanted, tmp_path)) == [2]
    monkeypatch.setattr(identification_views, 'engine_digest', lambda: 'another')
    with pytest.raises(UserError, match='another engine'):
        list(render_pictures(wanted, tmp_path))


def test_the_shipped_map_knows_rendered_products_and_names_none_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identification_views, 'SHARD', 10)
    wanted = ProductSet('standard', 907, 10, items=1, references=2)
    assert list(render_pictures(wanted, tmp_path)) == [10]
    data = read_pictures(wanted, tmp_path)
    network = shipped_network()
    trial = compare(network, data, network.rule[4])
    result = figures(trial, network.rule, np.ones(len(trial.own), bool))
    assert result.top1 >= 0.6  # of ten
    assert result.misnamed == 0
    assert result.invented <= 0.1
