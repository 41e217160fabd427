"""Which weights judge, and what runs them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from damage_perception.setting import check_ranges, setting

SHIPPED = Path(__file__).resolve().parents[1] / 'weights'
NONE = 'none'


@dataclass(frozen=True)
class NetworkSettings:
    """The network beside geometry."""

    weights: str = setting(
        '', "Folder of weights that `damage-perception train` or `export` wrote; empty = those "
        'that ship with the package, `none` = geometry alone.', live=False,
    )  # fmt: skip
    backend: str = setting(
        'auto', 'openvino, onnxruntime or torch; auto = the fastest that is installed.',
        live=False,
    )  # fmt: skip
    precision: str = setting(
        'fp32', 'fp32, or bf16: half the time where the processor has it, scores differ by a '
        'hundredth.', live=False,
    )  # fmt: skip
    threads: int = setting(
        0, 'Threads that run the network; 0 = the backend chooses.', low=0, high=256, live=False
    )

    def __post_init__(self) -> None:
        check_ranges(self)

    @property
    def folder(self) -> Path | None:
        """The folder of weights; None = geometry alone."""
        if self.weights == NONE:
            return None
        return Path(self.weights).expanduser() if self.weights else SHIPPED
