"""Which product is it, by its looks: nearest product among those enrolled, or none of them.

The vector of an item (`identification_network.py`) is compared with the mean vector of each
product's references, as in prototypical networks (Snell et al. 2017), after a gate on its size in
metres. Distances become probabilities over all products that fit and one more that is unknown, so
that two products that look alike share what there is and neither is sure.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from damage_perception.perception.identification.network import (
    DIMENSION,
    TURNS,
    IdentificationNetwork,
    shipped_network,
)
from damage_perception.perception.identification.picture import ItemPicture, picture_of
from damage_perception.perception.view.item_view import ItemView

FEATURES = TURNS * DIMENSION + 3  # vectors, length and width in metres, and whose weights made it
SIZE_FLOOR_M = 0.03  # sizes are never held to be surer than this
_SIZES = slice(TURNS * DIMENSION, TURNS * DIMENSION + 2)
_CLOSE = 0.2  # of the best: a second product this likely is named

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Identification:
    """What an item is, by its looks.

    Attributes:
        sku: the product; '' = not known, for the `reason`.
        confidence: calibrated probability that it is `sku` [0, 1]; of the likeliest if unknown.
        margin: how much likelier it is than the next product, [0, 1].
        reason: why the product is not known, a sentence; '' = it is.
        likeliest: the product that fits best, also where that is not enough; '' = none fits.
    """

    sku: str
    confidence: float
    margin: float
    reason: str
    likeliest: str = ''


class Identifier:
    """The enrolled products and the question which of them an item is.

    Not thread-safe: one owner at a time.

    Args:
        network: the learnt map; None = the one that ships.
    """

    def __init__(self, network: IdentificationNetwork | None = None) -> None:
        self.network = network or shipped_network()
        self._version = float(int(self.network.digest[:6], 16))  # float32 holds 24 bits exactly
        self._references: dict[str, list[Array]] = {}  # features but the last
        self._table: tuple[list[str], Array] | None = None

    def __len__(self) -> int:
        return len(self._references)

    def features(self, view: ItemView) -> Array | None:
        """Give what to keep of a reference, (FEATURES,) float32; None: too little is seen."""
        picture = picture_of(view)
        return None if picture is None else self.features_of([picture])[0][0]

    def features_of(self, pictures: list[ItemPicture]) -> tuple[Array, Array]:
        """Give features (N, FEATURES) and how sure they are (N,), float32."""
        vectors, sure = self.network(pictures)
        sizes = np.stack([picture.sizes_m[:2] for picture in pictures])
        ordered = np.sort(sizes, axis=1)[:, ::-1]
        version = np.full((len(pictures), 1), self._version)
        flat = vectors.reshape(len(pictures), -1)
        return np.concatenate([flat, ordered, version], axis=1).astype(np.float32), sure

    def add(self, sku: str, features: Array) -> bool:
        """Enrol a reference; False, and not enrolled, if other weights made the features.

        Raises:
            ValueError: if it is not (FEATURES,).
        """
        if features.shape != (FEATURES,):
            raise ValueError(f'features must be ({FEATURES},), got {features.shape}')
        if features[-1] != np.float32(self._version):
            return False
        self._references.setdefault(sku, []).append(features[:-1])
        self._table = None
        return True

    def remove(self, sku: str) -> None:
        """Forget a product; one that is not enrolled is no error."""
        if self._references.pop(sku, None) is not None:
            self._table = None

    def identify(self, view: ItemView) -> Identification:
        """Say which product an item is."""
        if not self._references:
            return _unknown('no product is enrolled with its looks')
        picture = picture_of(view)
        if picture is None:
            return _unknown('too little of the item is seen')
        features, sure = self.features_of([picture])
        return self.nearest(features[0], float(sure[0]))

    def nearest(self, features: Array, sure: float) -> Identification:
        """Say which product an item is from its features, see `features_of`."""
        skus, table = self._prototypes()
        fits = self._fits(table, features)
        if not fits.any():
            return _unknown('no enrolled product has this size')
        distance = distances(features[None], table[fits])[0]
        chances = self._chances(distance, sure)
        order = np.argsort(-chances, kind='stable')[:2]
        names = [skus[place] for place in np.flatnonzero(fits)[order]]
        best, second = float(chances[order[0]]), float(chances[order[1:]].sum())
        if best >= self.network.rule[3]:
            return Identification(names[0], best, best - second, '', names[0])
        reason = 'no enrolled product looks like it'
        if second > _CLOSE * best and best + second >= self.network.rule[3]:
            reason = f'it looks like {names[0]} and like {names[1]}'
        return Identification('', best, best - second, reason, names[0])

    def _prototypes(self) -> tuple[list[str], Array]:
        if self._table is None:
            means = [prototype(np.stack(rows)) for rows in self._references.values()]
            self._table = list(self._references), np.stack(means)
        return self._table

    def _fits(self, table: Array, features: Array) -> NDArray[np.bool_]:
        sizes = slice(DIMENSION, DIMENSION + 2)
        slack = np.maximum(self.network.rule[4] * table[:, sizes], SIZE_FLOOR_M)
        off = np.abs(table[:, sizes] - features[_SIZES])
        return np.asarray((off <= slack).all(axis=1))

    def _chances(self, distance: Array, sure: float) -> NDArray[np.float64]:
        return probabilities(distance[None], np.array([sure]), self.network.rule)[0, :-1]


def prototype(references: Array) -> Array:
    """Join the features of a product's references, each turned as it lies nearest to the first.

    Args:
        references: (N, FEATURES - 1 or more) float32.

    Returns:
        (DIMENSION + 2,) float32: their mean vector, length and width.
    """
    vectors = references[:, : TURNS * DIMENSION].reshape(-1, TURNS, DIMENSION)
    far = np.square(vectors - vectors[0, 0]).sum(axis=2)
    nearest = vectors[np.arange(len(vectors)), far.argmin(axis=1)]
    mean = np.concatenate([nearest.mean(axis=0), references[:, _SIZES].mean(axis=0)])
    return mean.astype(np.float32)


def distances(features: Array, table: Array) -> Array:
    """Give squared distances (N, P) of features (N, FEATURES) from prototypes (P, DIMENSION + 2).

    Whichever way round an item lies: of its turns the nearest counts.
    """
    vectors = features[:, : TURNS * DIMENSION].reshape(-1, DIMENSION)
    known = table[:, :DIMENSION]
    far = np.square(vectors).sum(axis=1)[:, None] + np.square(known).sum(axis=1)
    far = far - 2 * vectors @ known.T
    nearest: Array = np.maximum(far, 0).reshape(-1, TURNS, len(table)).min(axis=1)
    return nearest


def probabilities(
    distance: NDArray[np.floating], sure: NDArray[np.floating], rule: tuple[float, ...]
) -> NDArray[np.float64]:
    """Turn squared distances into probabilities.

    Args:
        distance: (N, P) of N items from P products; infinite where a size rules it out.
        sure: (N,), see `features_of`.
        rule: scale, unknown, offset, ... of `IdentificationNetwork`.

    Returns:
        (N, P + 1) float64, rows sum to 1; the last column is an unknown product.
    """
    scale, unknown, offset = rule[:3]
    known = -scale * sure[:, None].astype(np.float64) * distance
    none = offset - scale * unknown * sure[:, None].astype(np.float64)
    odds = np.concatenate([known, none], axis=1)
    shares = np.exp(odds - odds.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def _unknown(reason: str) -> Identification:
    return Identification('', 0.0, 0.0, reason)


def looks_of(view: ItemView) -> Array:
    """Give the features to keep of a reference, (FEATURES,) float32; empty: too little is seen.

    Raises:
        UserError: if the map that ships with the package cannot be used.
    """
    features = Identifier().features(view)
    return np.zeros(0, np.float32) if features is None else features
