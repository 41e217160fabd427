"""How well products are known by their looks: the figures and the worst confusions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from damage_perception.learning.identification.fit import Trial
from damage_perception.learning.identification.views import ProductPictures
from damage_perception.perception.identification.identification import (
    FEATURES,
    Identifier,
    probabilities,
)
from damage_perception.perception.identification.network import IdentificationNetwork
from damage_perception.perception.identification.picture import ItemPicture

HIDDEN_TAG = 'on_top'  # of items that another one covers: the pipeline asks nothing about those
PLAIN = ('shipping_carton', 'poly_mailer', 'padded_bag')  # packs that hardly bear a print
_CELL = 150  # pixels of a picture of a confusion


@dataclass(frozen=True)
class Figures:
    """Shares of items.

    Attributes:
        items: how many.
        top1: whose likeliest product is the right one.
        rejected: held to be unknown when their product is not enrolled, at a threshold at which
            1 % of the items of enrolled products are held to be unknown.
        named, misnamed: named rightly and wrongly by the shipped rule; the rest is unknown.
        invented: named by the shipped rule although their product is not enrolled.
    """

    items: int
    top1: float
    rejected: float
    named: float
    misnamed: float
    invented: float


def figures(trial: Trial, rule: tuple[float, ...], chosen: NDArray[np.bool_]) -> Figures:
    """Measure the chosen (N,) items of a trial."""
    known = probabilities(trial.distance, trial.sure, rule)[chosen, :-1]
    hidden = trial.hidden()
    unknown = probabilities(hidden.distance, hidden.sure, rule)[chosen, :-1].max(axis=1)
    best, own = known.max(axis=1), trial.own[chosen]
    right = known.argmax(axis=1) == own
    named = best >= rule[3]
    return Figures(
        items=len(own),
        top1=float(right.mean()),
        rejected=float((unknown < np.quantile(best, 0.01)).mean()),
        named=float((named & right).mean()),
        misnamed=float((named & ~right).mean()),
        invented=float((unknown >= rule[3]).mean()),
    )


def groups(trial: Trial, data: ProductPictures) -> dict[str, NDArray[np.bool_]]:
    """Give the kinds of items that figures are told of."""
    family = np.array([str(sku).rsplit('-', 1)[0] for sku in data.sku[trial.rows]])
    clean = np.array([HIDDEN_TAG not in tags for tags in data.tags[trial.rows]])
    damaged = data.damages[trial.rows] != ''
    plain = np.isin(family, PLAIN)
    return {
        'all that nothing covers': clean,
        'sound': clean & ~damaged,
        'damaged': clean & damaged,
        'printed products': clean & ~plain,
        'plain cartons, mailers, padded bags': clean & plain,
        'covered by another item': ~clean,
    }


def lookup_ms(network: IdentificationNetwork, products: int, views: int) -> tuple[float, float]:
    """Time one item among made-up products: the network, and the look-up; medians of 50, ms."""
    rng = np.random.default_rng(0)
    identifier = Identifier(network)
    picture = ItemPicture(
        rng.integers(0, 256, (48, 48, 3), np.uint8), np.full((48, 48), 255, np.uint8),
        np.zeros((48, 48), np.float16), np.full(6, 0.2, np.float32),
    )  # fmt: skip
    made = np.repeat(identifier.features_of([picture])[0], views, axis=0)
    for number in range(products):
        rows = made.copy()
        rows[:, : FEATURES - 1] += rng.normal(0, 0.02, (views, FEATURES - 1)).astype(np.float32)
        for row in rows:
            identifier.add(f'P{number}', row)
    identifier.nearest(made[0], 1.0)
    embedding = [_ms(lambda: identifier.features_of([picture])) for _ in range(50)]
    lookup = [_ms(lambda: identifier.nearest(made[0], 1.0)) for _ in range(50)]
    return float(np.median(embedding)), float(np.median(lookup))


def confusions(
    trial: Trial, data: ProductPictures, rule: tuple[float, ...], most: int = 24
) -> NDArray[np.uint8]:
    """Draw the surest wrong answers, (rows, columns, 3) uint8: item, what it is, what was said."""
    chances = probabilities(trial.distance, trial.sure, rule)[:, :-1]
    said, best = chances.argmax(axis=1), chances.max(axis=1)
    wrong = np.flatnonzero(said != trial.own)
    worst = wrong[np.argsort(-best[wrong], kind='stable')][:most]
    strips = []
    for item in worst:
        shown = [trial.rows[item]]
        for place in (trial.own[item], said[item]):
            shown += np.flatnonzero(data.reference & (data.sku == trial.skus[place]))[:1].tolist()
        strip = np.hstack([_drawn(data.pictures[row]) for row in shown])
        text = f'{best[item]:.2f} {data.damages[trial.rows[item]]}'
        cv2.putText(strip, text, (4, 12), cv2.FONT_HERSHEY_PLAIN, 0.8, (255, 255, 0), 1)
        strips.append(strip)
    while len(strips) % 3 or not strips:
        strips.append(np.zeros((_CELL, 3 * _CELL, 3), np.uint8))
    return np.vstack([np.hstack(strips[row : row + 3]) for row in range(0, len(strips), 3)])


def _drawn(picture: ItemPicture) -> NDArray[np.uint8]:
    """Draw a picture in the shape of its item, 3 mm a pixel or coarser."""
    length, width = picture.sizes_m[:2]
    scale = min(1 / 0.003, (_CELL - 4) / max(length, width))
    size = (max(4, round(length * scale)), max(4, round(width * scale)))
    cell = np.full((_CELL, _CELL, 3), 40, np.uint8)
    small = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA)
    cell[2 : 2 + size[1], 2 : 2 + size[0]] = small
    return cell


def _ms(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return 1e3 * (time.perf_counter() - start)
