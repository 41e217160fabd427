"""What to synthesise: shares, classes, families, sizes; checked when read."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from damage_perception.errors import CallError
from damage_perception.synthesis.damage import DAMAGE_NAMES
from damage_perception.synthesis.products import FAMILIES, STYLES

FRAMES = ('crops', 'whole', 'views')


@dataclass(frozen=True)
class SynthesisSpec:
    """Shares lie in [0, 1], lengths are metres.

    Attributes:
        style: 'standard', or 'shifted' (other sizes, fonts, art and sensors; never for training).
        damaged: share of damaged items.
        damages: kinds of damage to choose from.
        major: share of damages that are asked to be major.
        several: share of damaged items with a second damage.
        families: families of products to choose from.
        copies: items of each product.
        oddities: how often harmless oddities are added.
        neighbours: share of items with another item at hand.
        crowded: share of those whose item stands in a row or lies in a heap.
        oblique: share of views tilted by more than 15 degrees.
        truncated: share of items cut by the border of the image.
        references: fewest and most reference views of a product.
        bad_references: share of products whose references show damage.
        old_references: share of products whose references show an older design.
        frames: 'crops' around an item, 'whole' pictures, or 'views' (rectified, as ItemViews).
        crop: longest side of an item crop, pixels; larger ones are scaled down.
        distance: nearest and farthest camera, metres.
        sensors: kinds of depth camera; empty = the mixture of the style.
    """

    style: str = 'standard'
    damaged: float = 0.5
    damages: tuple[str, ...] = tuple(DAMAGE_NAMES)
    major: float = 0.6
    several: float = 0.12
    families: tuple[str, ...] = FAMILIES
    copies: int = 4
    oddities: float = 0.25
    neighbours: float = 0.3
    crowded: float = 0.0
    oblique: float = 0.2
    truncated: float = 0.03
    references: tuple[int, int] = (1, 3)
    bad_references: float = 0.05
    old_references: float = 0.05
    frames: str = 'crops'
    crop: int = 224
    distance: tuple[float, float] = (0.4, 1.5)
    sensors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _among('style', (self.style,), STYLES)
        _among('frames', (self.frames,), FRAMES)
        _among('damages', self.damages, tuple(DAMAGE_NAMES))
        _among('families', self.families, FAMILIES)
        _among('sensors', self.sensors, ('stereo', 'structured_light', 'tof'), empty=True)
        for name in ('damaged', 'major', 'several', 'oddities', 'neighbours', 'crowded',
                     'oblique', 'truncated', 'bad_references', 'old_references'):  # fmt: skip
            _within(name, getattr(self, name), 0.0, 1.0)
        _within('copies', self.copies, 1, 1000)
        _within('crop', self.crop, 64, 2048)
        for name, low, high in (('references', 0, 6), ('distance', 0.25, 4.0)):
            pair = getattr(self, name)
            if len(pair) != 2 or not low <= pair[0] <= pair[1] <= high:
                raise CallError(f'{name} must be two numbers [low, high] within {low} to {high}, '
                                f'got {list(pair)}')  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Give the spec as JSON takes it."""
        return json.loads(json.dumps(dataclasses.asdict(self)))


def _among(name: str, values: tuple[str, ...], known: tuple[str, ...], empty: bool = False) -> None:
    unknown = [value for value in values if value not in known]
    if unknown or not (values or empty):
        came = unknown[0] if unknown else 'nothing'
        raise CallError(f'{name} must be among {", ".join(known)}; got {came}')


def _within(name: str, value: Any, low: float, high: float) -> None:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not low <= value <= high:
        raise CallError(f'{name} must be a number from {low} to {high}, got {value!r}')
    if isinstance(low, int) and not isinstance(value, int):
        raise CallError(f'{name} must be a whole number, got {value!r}')


def read_spec(path: Path | None, **changes: Any) -> SynthesisSpec:
    """Read a spec from a JSON file of the attributes above and change some of them.

    Raises:
        CallError: if the file is not such a JSON file or a value is not allowed.
    """
    values: dict[str, Any] = {}
    if path is not None:
        try:
            values = json.loads(path.read_text(encoding='utf-8'))
        except OSError as error:
            raise CallError(
                f'{path} cannot be read ({error.strerror}); give a spec file'
            ) from error
        except ValueError as error:
            raise CallError(f'{path} is no JSON ({error}); mend it') from error
        if not isinstance(values, dict):
            raise CallError(f'{path} must hold a JSON object of settings, got a list or value')
    values.update({name: value for name, value in changes.items() if value is not None})
    known = {item.name: item for item in dataclasses.fields(SynthesisSpec)}
    for name, value in values.items():
        if name not in known:
            raise CallError(f'unknown setting {name!r} in the spec; known are {", ".join(known)}')
        if str(known[name].type).startswith('tuple'):
            if not isinstance(value, (list, tuple)):
                raise CallError(f'{name} must be a list, got {value!r}')
            values[name] = tuple(value)
    try:
        return SynthesisSpec(**values)
    except TypeError as error:
        raise CallError(f'a value of the spec has the wrong type ({error}); mend it') from error
