"""Learn the map by which products are known: which of many products is this picture of?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from damage_perception.learning.identification.model import IdentificationModel, loss_of
from damage_perception.learning.identification.views import ProductPictures
from damage_perception.perception.identification.picture import network_input

_ALIKE = 12  # products of about one size that are told apart in one step
_NEIGHBOURS = 64  # of which they are drawn
_WARM_UP = 30  # steps

Rng = np.random.Generator
Array = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """How to learn: `products` a step, half of them in groups of about one size."""

    seed: int = 1
    steps: int = 6000
    products: int = 48
    learning_rate: float = 2e-3
    weight_decay: float = 0.02


def learn(
    data: ProductPictures, recipe: Recipe, watch: Callable[[int, float], None]
) -> IdentificationModel:
    """Learn from products with an item and references each; the same arguments, the same map.

    Args:
        data: rendered products.
        recipe: how.
        watch: told the step and its loss.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    channels, sizes = network_input(data.pictures)
    rows = _whole_products(data)
    channels = channels[rows]
    for pictures in channels:
        turn_alike(pictures)
    sizes = sizes[rows]
    model = IdentificationModel()
    decay = {'lr': recipe.learning_rate, 'weight_decay': recipe.weight_decay}
    optimizer = torch.optim.AdamW(model.parameters(), **decay)
    typical = sizes[:, 1:].mean(axis=1)
    for step in range(recipe.steps):
        rate = min(1.0, (step + 1) / _WARM_UP) * (1 + math.cos(math.pi * step / recipe.steps)) / 2
        for group in optimizer.param_groups:
            group['lr'] = recipe.learning_rate * rate + 1e-5
        picked = _pick(typical, recipe.products, rng)
        seen, metres = vary(channels[picked], sizes[picked], rng)
        with torch.autocast('cpu', torch.bfloat16):
            vectors, sure = model(
                torch.from_numpy(seen).flatten(0, 1), torch.from_numpy(metres).flatten(0, 1)
            )
        shape = metres.shape[:2]
        loss = loss_of(vectors.float().view(*shape, -1), sure.float().view(*shape), model.unknown)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        optimizer.step()
        watch(step + 1, loss.item())
    return model.eval()


def _whole_products(data: ProductPictures) -> NDArray[np.int64]:
    """Give the pictures of each product, (M, 1 + references): one item first."""
    found = []
    most = 0
    for number in np.unique(data.number):
        mine = np.flatnonzero(data.number == number)
        item, references = mine[~data.reference[mine]], mine[data.reference[mine]]
        if len(item):
            found.append([item[0], *references])
            most = max(most, len(references))
    return np.array([row for row in found if len(row) == most + 1])


def _pick(typical: Array, count: int, rng: Rng) -> NDArray[np.int64]:
    """Draw products: half at random, half in groups of about one size, which are hard."""
    count = min(count, len(typical))
    picked = [rng.choice(len(typical), count // 2, replace=False)]
    for centre in rng.integers(len(typical), size=count // (2 * _ALIKE)):
        far = np.square(typical[:, :3] - typical[centre, :3]).sum(axis=1)
        near = np.argsort(far, kind='stable')[:_NEIGHBOURS]
        picked.append(rng.choice(near, min(_ALIKE, len(near)), replace=False))
    return np.unique(np.concatenate(picked))


def turn_alike(pictures: Array) -> None:
    """Turn the pictures of a product (N, channels, side, side) by quarters as the last lies."""
    planes = pictures[:, :3] - pictures[:, :3].mean(axis=(2, 3), keepdims=True)
    mean = planes[-1].copy()
    for place in range(len(pictures) - 2, -1, -1):  # references first, they are sound
        turned = [np.rot90(planes[place], turn, (1, 2)) for turn in range(4)]
        best = int(np.argmax([float((mean * one).sum()) for one in turned]))
        mean += turned[best]
        pictures[place] = np.rot90(pictures[place], best, (1, 2)).copy()


def vary(channels: Array, sizes: Array, rng: Rng) -> tuple[Array, Array]:
    """Make new products of those that are there, and new pictures of them.

    Colours change places, prints are mirrored and sizes change alike in all pictures of a product;
    light, shifts and labels change in each.

    Args:
        channels: (products, pictures, channels, side, side).
        sizes: (products, pictures, sizes).
        rng: draws all that.
    """
    products, pictures, _, side, _ = channels.shape
    out = channels.copy()
    for place in range(products):
        if rng.random() < 0.5:
            out[place, :, :3] = out[place][:, rng.permutation(3)]
        if rng.random() < 0.5:
            out[place] = out[place, ..., ::-1]
        out[place] = np.rot90(out[place], int(rng.integers(4)), (2, 3))
    stretch = rng.normal(0, 0.15, (products, 1, 1)) + rng.normal(0, 0.05, (products, 1, 6))
    light = rng.normal(0, 0.15, (products, pictures, 1, 1, 1))
    light = light + rng.normal(0, 0.06, (products, pictures, 3, 1, 1))
    out[:, :, :3] += light.astype(np.float32) * (out[:, :, 3:4] > -0.8)
    flat = out.reshape(-1, *out.shape[2:])
    for number in np.flatnonzero(rng.random(len(flat)) < 0.3):
        flat[number] = np.roll(flat[number], rng.integers(-1, 2, 2), (1, 2))
    for number in np.flatnonzero(rng.random(len(flat)) < 0.2):
        _cover(flat[number], rng, side)
    return out, (sizes + stretch).astype(np.float32)


def _cover(picture: Array, rng: Rng, side: int) -> None:
    """Stick a label on a picture (channels, side, side), or take a piece of it away."""
    high, wide = rng.integers(side // 10, side // 3, 2)
    row, column = rng.integers(0, side - high), rng.integers(0, side - wide)
    piece = picture[:, row : row + high, column : column + wide]
    if rng.random() < 0.6:
        piece[:3] = rng.uniform(0.3, 1.5)
    else:
        piece[:3], piece[3], piece[4] = 0, -1, 0
