"""One run from rendered products to the map that is shipped."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from damage_perception.learning.identification.fit import GATE, compare, fit_rule
from damage_perception.learning.identification.training import Recipe, learn
from damage_perception.learning.identification.views import ProductPictures
from damage_perception.learning.shipped_file import write_shipped
from damage_perception.network.weights import sha256
from damage_perception.perception.identification.network import (
    MANIFEST,
    TENSORS,
    IdentificationNetwork,
    Manifest,
    load_network,
)

HELD_OUT = 500  # products at the end of a set, from which the rule is fitted


def split(data: ProductPictures) -> tuple[ProductPictures, ProductPictures]:
    """Give the pictures to learn from, and those to fit the rule on.

    The second has the items of the products held out, among the references of all products, so
    that as many products look alike as in a gallery.
    """
    held_out = data.number > data.number.max() - HELD_OUT
    return _part(data, ~held_out), _part(data, held_out | data.reference)


def train(
    data: ProductPictures, recipe: Recipe, folder: Path, manifest: Manifest,
    watch: Callable[[int, float], None],
) -> IdentificationNetwork:  # fmt: skip
    """Learn, fit the rule, write the map with its manifest and load it as a program would.

    Raises:
        UserError: if the folder cannot be written.
    """
    learnt, held_out = split(data)
    model = learn(learnt, recipe, watch)
    tensors = model.tensors((0.0, 0.0, 0.0, 0.0, GATE))
    rule = fit_rule(compare(IdentificationNetwork(tensors, '0' * 64), held_out, GATE))
    content = save(model.tensors(rule))
    whole = replace(manifest, sha256=sha256(content))
    write_shipped(folder / TENSORS, content, folder / MANIFEST, whole.to_json())
    return load_network(folder)


def _part(data: ProductPictures, wanted: NDArray[np.bool_]) -> ProductPictures:
    pictures = [data.pictures[row] for row in np.flatnonzero(wanted)]
    return ProductPictures(
        data.number[wanted], data.reference[wanted], data.sku[wanted], data.tags[wanted],
        data.damages[wanted], pictures,
    )  # fmt: skip
