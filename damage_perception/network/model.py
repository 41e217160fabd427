"""The network: colour, depth and reference meet in a gate and pass one small U-shaped trunk."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from damage_perception.network.inputs import COLOUR, REFERENCE, SEEN
from damage_perception.network.outputs import ANY, CLASSES, SCORES

_WIDTHS = (40, 72, 96)  # channels at 1/4, 1/8 and 1/16 of the view
_STEM = 16
_POOLS = (1, 4, 8)  # pixels of the maps: 3, 12 and 24 mm at the default resolution
_CONTEXT = 16
_LIMIT = 12.0  # of evidence, so that nothing is surer than half a million to one
_KINDS = len(CLASSES) - 1


class DamageNetwork(nn.Module):  # type: ignore[misc]
    """Judge batches of views, fully convolutional; sides must be multiples of 16.

    Batch normalisation folds into the convolutions when exported, and in evaluation no item
    depends on another of its batch.
    """

    def __init__(self) -> None:
        super().__init__()
        quarter, eighth, sixteenth = _WIDTHS
        self.colour = _Stem(4, _STEM, 32)
        self.depth = _Stem(7, _STEM, 32)
        self.reference = _Stem(10, _STEM, 32)  # compares, so it sees the item's colour too
        self.gate = nn.Conv2d(3 * 32, 3, 1)  # each stem tells it where its input is valid
        self.join = _conv(3 * 32, quarter, 1)
        self.down1 = nn.Sequential(*(_Residual(quarter) for _ in range(3)))
        self.down2 = nn.Sequential(
            _conv(quarter, eighth, 3, 2), *(_Residual(eighth) for _ in range(3))
        )
        self.down3 = nn.Sequential(
            _conv(eighth, sixteenth, 3, 2), *(_Residual(sixteenth) for _ in range(4))
        )
        self.up2, self.mix2 = _conv(sixteenth, eighth, 1), _mix(eighth)
        self.up1, self.mix1 = _conv(eighth, quarter, 1), _mix(quarter)
        self.up0, self.mix0 = _conv(quarter, _STEM, 1), _mix(_STEM)
        self.classes = nn.Conv2d(_STEM, len(CLASSES), 1)
        self.context = nn.Conv2d(sixteenth, _CONTEXT, 1)
        self.scores = nn.Linear((_KINDS + 1) * len(_POOLS) + _CONTEXT, len(SCORES))
        self._start()

    def _start(self) -> None:
        """Begin with rare damage, each score at the mean of its own kind's pooled evidence."""
        nn.init.constant_(self.classes.bias, 0.0)
        self.classes.bias.data[0] = 3.0
        nn.init.constant_(self.gate.bias, 1.0)
        nn.init.zeros_(self.scores.weight)
        nn.init.zeros_(self.scores.bias)
        for pool in range(len(_POOLS)):
            own = slice(pool * _KINDS, (pool + 1) * _KINDS)
            self.scores.weight.data[:_KINDS, own] = torch.eye(_KINDS) / len(_POOLS)
            self.scores.weight.data[ANY, len(_POOLS) * _KINDS + pool] = 1.0 / len(_POOLS)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Judge (N, 17, H, W) as `view_tensor` makes it.

        Returns:
            Maps (N, 7, H/2, W/2) and scores (N, 7), logits as `outputs` describes them.
        """
        colour0, colour = self.colour(x[:, COLOUR])
        depth0, depth = self.depth(x[:, : SEEN + 1])
        reference0, reference = self.reference(x[:, COLOUR.start : REFERENCE.stop])
        gates = torch.sigmoid(self.gate(torch.cat([colour, depth, reference], 1)))
        features = self.join(
            torch.cat([colour * gates[:, :1], depth * gates[:, 1:2], reference * gates[:, 2:]], 1)
        )
        down1 = self.down1(features)
        down2 = self.down2(down1)
        down3 = self.down3(down2)
        up2 = self.mix2(down2 + _double(self.up2(down3)))
        up1 = self.mix1(down1 + _double(self.up1(up2)))
        up0 = self.mix0(colour0 + depth0 + reference0 + _double(self.up0(up1)))
        maps = self.classes(up0)
        return maps, self._scores(maps, down3, judged(x))

    def _scores(self, maps: Tensor, deep: Tensor, seen: Tensor) -> Tensor:
        """Pool the evidence over what is seen, at three sizes of damage."""
        evidence = (maps[:, 1:] - maps[:, :1]).clamp(-_LIMIT, _LIMIT)
        unseen = 1.0 - F.max_pool2d(seen, 2)
        evidence = evidence * (1.0 - unseen) - _LIMIT * unseen
        pooled = [F.avg_pool2d(evidence, size).amax((2, 3)) for size in _POOLS]
        pooled += [kinds.exp().sum(1, keepdim=True).log() for kinds in pooled]
        context = torch.relu(self.context(deep)).amax((2, 3)).clamp(max=_LIMIT)
        scores: Tensor = self.scores(torch.cat([*pooled, context], 1))
        return scores


class _Stem(nn.Module):  # type: ignore[misc]
    """Two strided convolutions; gives features at 1/2 and 1/4."""

    def __init__(self, channels: int, half: int, quarter: int) -> None:
        super().__init__()
        self.first = _conv(channels, half, 3, 2)
        self.second = _conv(half, quarter, 3, 2)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        half = self.first(x)
        return half, self.second(half)


class _Residual(nn.Module):  # type: ignore[misc]
    """Two convolutions and a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = _conv(channels, channels, 3)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        nn.init.zeros_(self.second[1].weight)  # begins as the identity

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.second(self.first(x)))


def _conv(channels: int, out: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels, out, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(inplace=True),
    )


def _mix(channels: int) -> nn.Sequential:
    return nn.Sequential(_conv(channels, channels, 3), _Residual(channels))


def _double(x: Tensor) -> Tensor:
    return F.interpolate(x, scale_factor=2.0, mode='nearest')


def judged(x: Tensor) -> Tensor:
    """Give 1 where a view can be judged, (N, 1, H, W)."""
    return x[:, SEEN : SEEN + 1]


def count_parameters(network: nn.Module) -> int:
    """Count what is learned."""
    return sum(parameter.numel() for parameter in network.parameters())
