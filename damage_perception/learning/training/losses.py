"""What the network is punished for: wrong pixels (focal, dice) and wrong items (BCE)."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from damage_perception.network.outputs import CLASSES, STRIDE

_FOCUS = 2.0
_FEWEST = 6  # pixels of the maps that make a damage; fewer are neither there nor not there
_PIXELS, _OVERLAP, _ITEMS = 5.0, 0.5, 1.0  # weights of the three losses


def training_loss(maps: Tensor, scores: Tensor, labels: Tensor, shown: Tensor) -> Tensor:
    """Give the loss of a batch.

    No class is weighted up: weights made false pixels on most sound items.

    Args:
        maps: (N, 7, h, w) logits.
        scores: (N, 7) logits.
        labels: (N, H, W) integer DamageType, 0 = none.
        shown: (N, H, W) 1 where the view shows anything.
    """
    coarse = F.max_pool2d(labels[:, None].float(), STRIDE)[:, 0].long()
    judged = F.max_pool2d(shown[:, None].float(), STRIDE)[:, 0]
    logs = F.log_softmax(maps.float(), 1)
    own = logs.gather(1, coarse[:, None])[:, 0]
    focal = -((1.0 - own.exp()) ** _FOCUS) * own
    pixels = (focal * judged).sum() / judged.sum().clamp(min=1.0)
    damage = (1.0 - logs[:, 0].exp()) * judged
    there = (coarse > 0).float()
    overlap = (2.0 * (damage * there).sum() + 1.0) / (damage.sum() + there.sum() + 1.0)
    return _PIXELS * pixels + _OVERLAP * (1.0 - overlap) + _ITEMS * _item_loss(scores, coarse)


def _item_loss(scores: Tensor, coarse: Tensor) -> Tensor:
    kinds = torch.arange(1, len(CLASSES), device=coarse.device)
    counts = (coarse.flatten(1)[:, None] == kinds[:, None]).sum(2)
    counts = torch.cat([counts, counts.sum(1, keepdim=True)], 1)
    clear = ((counts == 0) | (counts >= _FEWEST)).float()
    losses = F.binary_cross_entropy_with_logits(
        scores.float(), (counts > 0).float(), reduction='none'
    )
    return (losses * clear).sum() / clear.sum().clamp(min=1.0)
