from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from made_identification import RULE, made_network, printed_view
from safetensors.numpy import save

from damage_perception.errors import UserError
from damage_perception.network.weights import sha256
from damage_perception.perception.identification.identification import (
    FEATURES,
    Identifier,
    probabilities,
    prototype,
)
from damage_perception.perception.identification.network import (
    MANIFEST,
    SHAPES,
    TENSORS,
    Manifest,
    load_network,
)
from damage_perception.perception.identification.picture import picture_of


def enrolled(*products: tuple[str, int, float]) -> Identifier:
    identifier = Identifier(made_network())
    for sku, seed, length_m in products:
        features = identifier.features(printed_view(seed, length_m))
        assert features is not None
        assert identifier.add(sku, features)
    return identifier


def test_picture_tells_size_and_print() -> None:
    picture = picture_of(printed_view(1))
    assert picture is not None
    np.testing.assert_allclose(picture.sizes_m[:3], [0.18, 0.12, 0.06], atol=0.004)
    corner = printed_view(1).rgb[25, 25]
    np.testing.assert_allclose(picture.rgb[3, 3], corner, atol=2)
    assert picture.cover[1:-1, 1:-1].min() > 200


@pytest.mark.parametrize('quarters', [1, 2, 3])
def test_it_does_not_matter_how_an_item_lies(quarters: int) -> None:
    identifier = enrolled(('A', 1, 0.18), ('B', 2, 0.18))
    lying, plain = (identifier.identify(printed_view(2, quarters=q)) for q in (quarters, 0))
    assert lying.sku == plain.sku == 'B'
    assert lying.confidence == pytest.approx(plain.confidence, abs=0.02)


def test_references_are_joined_as_they_lie_nearest() -> None:
    identifier = Identifier(made_network())
    rows = [identifier.features(printed_view(4, quarters=quarters)) for quarters in range(4)]
    joined = prototype(np.stack(rows))  # type: ignore[arg-type]
    alone = prototype(rows[0][None])  # type: ignore[index]
    np.testing.assert_allclose(joined, alone, rtol=1e-2, atol=1e-2)


def test_the_product_that_looks_alike_is_named() -> None:
    identifier = enrolled(('A', 1, 0.18), ('B', 2, 0.18), ('C', 3, 0.18))
    for sku, seed in (('A', 1), ('B', 2), ('C', 3)):
        found = identifier.identify(printed_view(seed, 0.181))
        assert (found.sku, found.reason) == (sku, '')
        assert 0.6 < found.confidence <= 1
        assert 0 < found.margin <= found.confidence


def test_nothing_is_named_of_what_is_not_enrolled() -> None:
    assert 'no product' in Identifier(made_network()).identify(printed_view(1)).reason
    identifier = enrolled(('A', 1, 0.18))
    found = identifier.identify(printed_view(9))
    assert found.sku == ''
    assert found.likeliest == 'A'
    assert 'looks like it' in found.reason


def test_a_product_of_another_size_is_never_named() -> None:
    found = enrolled(('A', 1, 0.18)).identify(printed_view(1, 0.30))
    assert found.sku == ''
    assert 'size' in found.reason


def test_two_products_that_look_alike_are_both_named_in_the_reason() -> None:
    found = enrolled(('A', 1, 0.18), ('B', 1, 0.18)).identify(printed_view(1))
    assert found.sku == ''
    assert 'A' in found.reason
    assert 'B' in found.reason


def test_a_removed_product_is_forgotten_and_comes_back_when_enrolled_again() -> None:
    identifier = enrolled(('A', 1, 0.18), ('B', 2, 0.18))
    identifier.remove('A')
    identifier.remove('never there')
    assert len(identifier) == 1
    assert identifier.identify(printed_view(1)).sku == ''
    identifier.add('A', identifier.features(printed_view(1)))  # type: ignore[arg-type]
    assert identifier.identify(printed_view(1)).sku == 'A'


def test_features_of_other_weights_are_not_mixed_in() -> None:
    other = Identifier(made_network('cd' * 32))
    features = other.features(printed_view(1))
    assert features is not None
    identifier = Identifier(made_network())
    assert not identifier.add('A', features)
    assert len(identifier) == 0
    with pytest.raises(ValueError, match=str(FEATURES)):
        identifier.add('A', features[:-1])


def test_too_little_of_an_item_is_no_product() -> None:
    identifier = enrolled(('A', 1, 0.18))
    found = identifier.identify(printed_view(1, 0.012, 0.012))
    assert found.sku == ''
    assert 'too little' in found.reason


def test_probabilities_share_what_there_is() -> None:
    distance = np.array([[0.0, 0.0, 9.0], [np.inf, 50.0, 50.0]])
    chances = probabilities(distance, np.ones(2), RULE)
    np.testing.assert_allclose(chances.sum(axis=1), 1)
    assert chances[0, 0] == chances[0, 1] > chances[0, 2]
    assert chances[1, 0] == 0
    assert chances[1, -1] > 0.99


def written(folder: Path) -> Path:
    network = made_network()
    tensors = {name: np.asarray(value) for name, value in network._tensors.items()}
    content = save(tensors)
    (folder / TENSORS).write_bytes(content)
    (folder / MANIFEST).write_bytes(Manifest(sha256(content)).to_json())
    return folder


def test_a_map_is_read_back(tmp_path: Path) -> None:
    network = load_network(written(tmp_path))
    assert network.rule == pytest.approx(RULE)


def test_whatever_is_wrong_with_a_map_is_said_in_one_sentence(tmp_path: Path) -> None:
    folder = written(tmp_path)
    tensors, manifest = folder / TENSORS, folder / MANIFEST
    content, text = tensors.read_bytes(), manifest.read_bytes()
    flipped = bytearray(content)
    flipped[-1] ^= 1
    missing = save({name: np.zeros(shape, np.float32) for name, shape in [*SHAPES.items()][1:]})
    signed = Manifest(sha256(missing)).to_json()
    foreign = json.dumps({**json.loads(text), 'format': 'other'}).encode()
    for wrong, said in (
        ((bytes(flipped), text), 'SHA-256'),
        ((content[:-9], text), 'SHA-256'),
        ((missing, signed), 'lacks'),
        ((content, foreign), 'version'),
        ((content, b'{'), 'JSON'),
    ):
        tensors.write_bytes(wrong[0])
        manifest.write_bytes(wrong[1])
        with pytest.raises(UserError, match=said) as caught:
            load_network(folder)
        assert '\n' not in str(caught.value)
    tensors.unlink()
    manifest.write_bytes(text)
    with pytest.raises(UserError, match='cannot be read'):
        load_network(folder)
