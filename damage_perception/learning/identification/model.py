"""The map of `identification_network.py` as torch learns it."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from damage_perception.perception.identification.network import (
    HIDDEN,
    LAYERS,
    LEARNT,
    SHAPES,
)
from damage_perception.perception.identification.picture import SIZES

_UNIT = 10.0  # squared distance that counts as one, so that early steps stay small


class IdentificationModel(nn.Module):  # type: ignore[misc]
    """Embeds pictures; names of the parameters are those of the tensors that are shipped."""

    def __init__(self) -> None:
        super().__init__()
        self.c1, self.c2, self.c3 = (
            nn.Conv2d(LAYERS[k - 1], LAYERS[k], 3, 2, 1) for k in range(1, len(LAYERS))
        )
        self.f1 = nn.Linear(SHAPES['f1.weight'][1], HIDDEN)
        self.f2 = nn.Linear(HIDDEN + len(SIZES), HIDDEN)
        self.f3 = nn.Linear(HIDDEN, LEARNT + 1)
        self.sz = nn.Linear(len(SIZES), len(SIZES))
        with torch.no_grad():  # sizes count from the first step on
            self.sz.weight.copy_(3.0 * torch.eye(len(SIZES)))
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.unknown = nn.Parameter(torch.tensor(20.0))

    def forward(self, channels: Tensor, sizes: Tensor) -> tuple[Tensor, Tensor]:
        """Give vectors (N, DIMENSION) of pictures as they lie, and how sure they are (N,)."""
        for layer in (self.c1, self.c2, self.c3):
            channels = functional.relu(layer(channels))
        hidden = functional.relu(self.f1(channels.flatten(1)))
        joined = functional.relu(self.f2(torch.cat([hidden, sizes], 1))) + hidden
        out = self.f3(joined)
        sure = functional.softplus(out[:, -1] + self.scale)
        return torch.cat([out[:, :-1], self.sz(sizes)], 1), sure

    def tensors(self, rule: tuple[float, ...]) -> dict[str, np.ndarray]:
        """Give what is shipped."""
        state = {name: value.numpy() for name, value in self.state_dict().items()}
        return {**{name: state[name] for name in SHAPES if name in state},
                'rule': np.array(rule, np.float32)}  # fmt: skip


def loss_of(vectors: Tensor, sure: Tensor, unknown: Tensor) -> Tensor:
    """Ask of each picture of a batch which product it is, and once with its own product hidden.

    Args:
        vectors: (products, pictures, D); the first picture is an item, the others references.
        sure: (products, pictures).
        unknown: scalar, how far an unknown product is held to be.
    """
    products, pictures = vectors.shape[:2]
    references = vectors[:, 1:]
    means, right = references.mean(1), torch.arange(products)
    own = torch.eye(products, dtype=torch.bool)
    total = vectors.new_zeros(())
    for place in range(pictures):
        far = torch.cdist(vectors[:, place], means) ** 2
        if place:  # a reference is not compared with itself
            others = (references.sum(1) - vectors[:, place]) / (pictures - 2)
            far = torch.where(own, ((vectors[:, place] - others) ** 2).sum(1)[:, None], far)
        odds = -far * sure[:, place, None] / _UNIT
        if place:
            total = total + functional.cross_entropy(odds, right) / 6
            continue
        none = (-sure[:, 0] * functional.softplus(unknown) / _UNIT)[:, None]
        hidden = odds.masked_fill(own, -1e4)
        missing = torch.full((products,), products)
        total = total + functional.cross_entropy(odds, right) / 2
        total = total + functional.cross_entropy(torch.cat([odds, none], 1), right) / 2
        total = total + functional.cross_entropy(torch.cat([hidden, none], 1), missing) / 2
    return total
