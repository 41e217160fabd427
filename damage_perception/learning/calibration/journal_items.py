"""Reviewed decisions of a journal as labelled scores."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

from damage_perception.errors import UserError
from damage_perception.journal.entries import Entry
from damage_perception.learning.dataset import Damage, Sample
from damage_perception.learning.metrics.outcomes import Outcomes, join
from damage_perception.learning.predictions.prediction import Prediction
from damage_perception.report import DamageType, Severity

_NOTHING = np.zeros((0, 0, 3), np.uint8)


def reviewed_outcomes(entries: Sequence[Entry]) -> Outcomes:
    """Take what people found as labels and what was decided on as scores.

    Only decisions of the detector that decided last count: scores of another mean another thing.

    Raises:
        UserError: if nothing usable was reviewed, or diverts were reviewed more seldom than
            passes: then the scores of sound items would look lower than they are.
    """
    judged = [entry for entry in entries if entry['confidence'] is not None]
    if not judged:
        raise UserError('the journal holds no decision on an item that was judged')
    newest = _detector(judged[-1])
    ours = [entry for entry in judged if _detector(entry) == newest]
    reviewed = [entry for entry in ours if entry['found'] is not None]
    if not reviewed:
        raise UserError(
            f'none of the {len(ours):,} decisions of the detector in use was reviewed; '
            'send what people find to divert/review_item'
        )
    _check_shares(ours)
    samples = [_sample(entry) for entry in reviewed]
    return join(samples, {entry['id']: _prediction(entry, newest) for entry in reviewed})


def _check_shares(entries: Sequence[Entry]) -> None:
    """Refuse reviews that leave out diverts; the other way the threshold only turns out higher."""
    of = Counter(entry['decision'] == 'PASS' for entry in entries)
    got = Counter(entry['decision'] == 'PASS' for entry in entries if entry['found'] is not None)
    if of[False] and got[False] / of[False] < got[True] / max(of[True], 1):
        raise UserError(
            f'{got[False]} of {of[False]} diverted or inspected items were reviewed, but '
            f'{got[True]} of {of[True]} passed ones; review at least as large a share of the '
            'diverted ones, else false alarms are underestimated'
        )


def _sample(entry: Entry) -> Sample:
    damages: tuple[Damage, ...] = ()
    if entry['found'] == 'damaged':
        severity = Severity.MINOR if entry['found_minor'] else Severity.MAJOR
        damages = (Damage(DamageType[entry['found_type'].upper()], severity),)
    return Sample(
        image_id=entry['id'],
        rgb=_NOTHING,
        damaged=bool(damages),
        damages=damages,
        tags=(f'sku:{entry["sku"]}',) if entry['sku'] else (),
        sku=entry['sku'],
        item_id=str(entry['id']),
    )


def _prediction(entry: Entry, detector: str) -> Prediction:
    raw = entry['segmentation_score']
    return Prediction(entry['confidence'], detector=detector, raw=math.nan if raw is None else raw)


def _detector(entry: Entry) -> str:
    return str(json.loads(entry['versions']).get('detector') or '')
