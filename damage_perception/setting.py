"""How a setting is declared: its default, its meaning with the unit, its range."""

from __future__ import annotations

import dataclasses
from dataclasses import field
from typing import Any


def setting(
    default: Any,
    doc: str,
    *,
    low: float | None = None,
    high: float | None = None,
    live: bool = True,
) -> Any:
    """Declare a setting.

    Args:
        default: its value; the type of the field says what else it may be.
        doc: one sentence for people, with the unit.
        low: smallest number allowed; None = open.
        high: largest number allowed; None = open.
        live: whether it may change while the node is active.
    """
    return field(default=default, metadata={'doc': doc, 'low': low, 'high': high, 'live': live})


def check_ranges(settings: Any) -> None:
    """Refuse a number outside its range.

    Raises:
        ValueError: naming the setting, its range and what came.
    """
    for item in dataclasses.fields(settings):
        value = getattr(settings, item.name)
        low, high = item.metadata.get('low'), item.metadata.get('high')
        too_low = low is not None and not value >= low
        too_high = high is not None and not value <= high
        if too_low or too_high:
            raise ValueError(f'{item.name} must lie in [{low}, {high}], got {value}')
