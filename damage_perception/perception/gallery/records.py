"""What a gallery holds and says: references, products, changes, and the names they may bear."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.gallery.files import GalleryError
from damage_perception.perception.view.item_view import ItemView

MAX_ACTIVE = 6  # active references of one product; the oldest gives way to a seventh
MAX_SKU, MAX_TEXT = 128, 400  # characters
MAX_FEATURES = 4096


class State(str, Enum):
    """What a reference is used for: only ACTIVE ones are compared with items."""

    ACTIVE = 'active'
    QUARANTINED = 'quarantined'  # suspected to be damaged or wrong, waits for a person
    RETIRED = 'retired'  # aged out or of an older design
    REMOVED = 'removed'  # deleted by a person; can be undone until its data is purged
    PURGED = 'purged'  # its data is gone for good, the log still knows it

    @property
    def is_current(self) -> bool:
        """Whether a view in this state need not be enrolled again."""
        return self in (State.ACTIVE, State.QUARANTINED)


@dataclass(frozen=True)
class Reference:
    """One enrolled view of a product, without its arrays."""

    id: int
    sku: str
    digest: str  # SHA-256 of its data file
    enrolled_at: datetime  # UTC
    by: str
    design: str  # version of the product's design or print; '' = not said
    state: State
    reason: str  # why it has this state, a sentence; '' = enrolled as usual


@dataclass(frozen=True, eq=False)
class ReferenceView:
    """One reference with what it looks like. Arrays are shared, never written to.

    `features` is (D,) float32, made to find a product by its looks; D = 0: not computed.
    """

    reference: Reference
    view: ItemView
    features: NDArray[np.float32]


@dataclass(frozen=True)
class Product:
    """How many references of one product there are in each state, and when the newest came."""

    sku: str
    active: int
    quarantined: int
    retired: int
    newest: datetime


@dataclass(frozen=True)
class Step:
    """What a change did to one reference; `before` None: it was not there."""

    reference: int
    sku: str
    before: State | None
    after: State
    reason: str


@dataclass(frozen=True)
class Change:
    """One entry of the log. `undoes` is the change that it took back, if it is an undo."""

    id: int
    at: datetime  # UTC
    by: str
    action: str
    undoes: int | None
    steps: tuple[Step, ...]


def check_sku(sku: str) -> str:
    """Refuse an sku that could harm a path, a log or a terminal.

    Raises:
        GalleryError: saying what is wrong with it.
    """
    if not sku or sku != sku.strip():
        raise GalleryError(
            f'an sku must not be empty or begin or end with a space, got {sku[:40]!r}'
        )
    if len(sku) > MAX_SKU:
        raise GalleryError(f'an sku has at most {MAX_SKU} characters, got {len(sku)}')
    if not sku.isprintable() or set(sku) & set('/\\') or sku.startswith('.'):
        raise GalleryError(
            f'an sku must be printable, without slashes and without a leading dot, got {sku!r}'
        )
    if len(sku.encode()) > MAX_SKU:  # it becomes the name of a folder when exported
        raise GalleryError(f'an sku has at most {MAX_SKU} bytes, got {len(sku.encode())}')
    return sku


def check_text(name: str, text: str) -> str:
    """Refuse a long or unprintable text (who, design, reason).

    Raises:
        GalleryError: naming the text.
    """
    if len(text) > MAX_TEXT:
        raise GalleryError(f'{name} has at most {MAX_TEXT} characters, got {len(text)}')
    if not text.isprintable():
        raise GalleryError(f'{name} must be printable, got {text!r}')
    return text


def check_features(features: NDArray[np.float32]) -> bytes:
    """Give a feature vector as little-endian bytes.

    Raises:
        GalleryError: if it is not a finite (D,) float32, or too long.
    """
    if features.ndim != 1 or features.dtype != np.float32 or features.size > MAX_FEATURES:
        raise GalleryError(
            f'features must be (D,) float32, D at most {MAX_FEATURES}, '
            f'got {features.shape} {features.dtype}'
        )
    if not np.isfinite(features).all():
        raise GalleryError('features must be finite')
    return features.astype('<f4').tobytes()


def time_text(at: datetime | None) -> str:
    """Write a time (None: now) as ISO 8601 in UTC, so that texts sort like times."""
    utc = (at or datetime.now(timezone.utc)).astimezone(timezone.utc)
    return utc.isoformat(timespec='microseconds')
