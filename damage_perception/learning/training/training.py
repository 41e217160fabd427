"""The training itself: steps, averaged weights, checkpoints that go on where they were."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from damage_perception.errors import UserError
from damage_perception.learning.training.checkpoint import read_checkpoint, write_checkpoint
from damage_perception.learning.training.config import TrainingConfig
from damage_perception.learning.training.losses import training_loss
from damage_perception.learning.training.patches import Patches
from damage_perception.network.backends.torch_backend import load_network
from damage_perception.network.model import DamageNetwork, judged
from damage_perception.network.weights import read_manifest

_MOST_GRADIENT = 5.0
_LEAST_RATE = 0.02  # of the learning rate, at the end of the cosine


class Training:
    """A training that can stop after any step and go on as if it had not."""

    def __init__(self, config: TrainingConfig, patches: Patches, device: str = 'cpu') -> None:
        torch.manual_seed(config.seed)
        self.config, self.patches, self.device = config, patches, torch.device(device)
        # Channels last: convolutions of few channels are an eighth faster so on CPUs.
        self.network = DamageNetwork().to(self.device, memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )
        self.samples, self.before = 0, 0  # seen here, and by the weights that it began with
        self._begun: dict[str, Tensor] = {}  # those weights
        self.curve: list[dict[str, Any]] = []

    @property
    def done(self) -> bool:
        """Whether all samples were seen."""
        return self.samples >= self.config.samples

    def step(self) -> float:
        """Learn from one batch; return its loss.

        Raises:
            UserError: if the loss is no number any more.
        """
        channels, labels = self.patches.batch(self.samples, self.config.batch)
        x, y = torch.from_numpy(channels).to(self.device), torch.from_numpy(labels).to(self.device)
        for group in self.optimizer.param_groups:
            group['lr'] = self.learning_rate()
        self.network.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=pays_bf16(self.device)):
            maps, scores = self.network(x)
        loss = training_loss(maps, scores, y, judged(x)[:, 0])
        if not torch.isfinite(loss):
            raise UserError(
                f'the loss is no number after {self.samples} samples; lower learning_rate and '
                'go on with --resume'
            )
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _MOST_GRADIENT)
        self.optimizer.step()
        self.samples += self.config.batch
        self._follow()
        return float(loss.detach())

    def learning_rate(self) -> float:
        """Rise over the warm-up, then fall along a cosine over all samples."""
        config = self.config
        rise = min(1.0, (self.samples + config.batch) / max(config.warm_up, 1))
        fall = 0.5 * (1.0 + math.cos(math.pi * min(1.0, self.samples / config.samples)))
        return config.learning_rate * rise * (_LEAST_RATE + (1.0 - _LEAST_RATE) * fall)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def _follow(self) -> None:
        """Let the averaged weights follow, faster in the beginning."""
        steps = self.samples / self.config.batch
        keep = 0.5 ** (self.config.batch / self.config.ema_samples)
        keep = min(keep, (1.0 + steps) / (10.0 + steps))
        mine = self.network.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(mine[name], 1.0 - keep)
            else:
                value.copy_(mine[name])

    def save(self, folder: Path) -> None:
        """Write everything that going on needs."""
        tensors = {f'network.{name}': value for name, value in self.network.state_dict().items()}
        tensors |= {f'average.{name}': value for name, value in self.average.state_dict().items()}
        for name, parameter in self.network.named_parameters():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f'optimizer.{key}.{name}'] = value
        tensors |= {f'begun.{name}': value for name, value in self._begun.items()}
        notes = {'curve': self.curve, 'alarms': self.patches.alarms, 'before': self.before}
        write_checkpoint(folder, tensors, self.samples, notes, self.config)

    def begin_with(self, weights: Path) -> None:
        """Take over the weights of a folder and how many samples they have seen.

        Raises:
            UserError: if they cannot be used.
        """
        state = load_network(weights).state_dict()
        self.network.load_state_dict(state)
        self.average.load_state_dict(state)
        self._begun, self.before = copy.deepcopy(state), read_manifest(weights).samples

    def candidate(self) -> DamageNetwork:
        """Give the weights to measure and keep: averaged ones.

        Of a training that began with others, those midway between them and these: it learns from
        other products and forgets some of what it knew, and midway both is known (Wortsman et al.
        2022, Robust fine-tuning of zero-shot models).
        """
        network = copy.deepcopy(self.average)
        for name, value in network.state_dict().items():
            if name in self._begun and value.is_floating_point():
                value.lerp_(self._begun[name].to(value.device), 0.5)
        return network

    def load(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            UserError: if it is of another training or not whole.
        """
        tensors, self.samples, notes = read_checkpoint(folder, self.config)
        self.curve, self.patches.alarms = notes['curve'], notes['alarms']
        self.before = int(notes['before'])
        try:
            self.network.load_state_dict(_part(tensors, 'network.'))
            self.average.load_state_dict(_part(tensors, 'average.'))
            self._begun = _part(tensors, 'begun.')
        except RuntimeError:
            raise UserError(f'{folder} is a checkpoint of another network; start anew') from None
        for name, parameter in self.network.named_parameters():
            self.optimizer.state[parameter] = {
                key: tensors[f'optimizer.{key}.{name}'].to('cpu' if key == 'step' else self.device)
                for key in ('step', 'exp_avg', 'exp_avg_sq')
                if f'optimizer.{key}.{name}' in tensors
            }


def pays_bf16(device: torch.device) -> bool:
    """Tell whether bfloat16 is faster: on CPUs with instructions for it twice as fast."""
    if device.type == 'cpu':
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    return device.type == 'cuda' and torch.cuda.is_bf16_supported()


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
