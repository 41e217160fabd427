"""Who may become a reference: what looks damaged or unlike its siblings waits for a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from damage_perception.perception.comparison.alignment import Aligner
from damage_perception.perception.comparison.comparison import compare
from damage_perception.perception.gallery.candidate import Candidate
from damage_perception.perception.gallery.enrolment import Enrolment
from damage_perception.perception.gallery.gallery import Gallery
from damage_perception.perception.gallery.records import Reference, State, time_text
from damage_perception.perception.gallery.soundness import WAITS, damage_doubt
from damage_perception.perception.view.item_view import ItemView
from damage_perception.report import ItemReport

UNSAID = 0.5  # P(damaged) from which an item counts as damaged where reports do not say
# Of 72 pairs of sound rendered copies 7 % differ by more, of 89 pairs of unlike products 78 %.
_LEAST_FIT = 0.52
_MOST_EXTRA = 0.04  # of its area


@dataclass(frozen=True)
class Admission:
    """How a view is to be enrolled.

    Attributes:
        by: who vouches for it.
        design: version of its design, '' = not said.
        confirm: whether a person has looked at it, so that no doubt counts.
        replace: whether it shows a new design; the other references retire. Confirms too.
    """

    by: str
    design: str = ''
    confirm: bool = False
    replace: bool = False


def admit(
    gallery: Gallery, candidate: Candidate, how: Admission, doubted_from: float = UNSAID
) -> Reference:
    """Enrol an item that was seen while it was judged; see `enrol_view` and `looks_damaged`."""
    assert candidate.view is not None, candidate.why_not
    doubt = looks_damaged(candidate, doubted_from)
    return enrol_view(gallery, candidate.sku, candidate.view, how, doubt)


def enrol_view(
    gallery: Gallery, sku: str, view: ItemView, how: Admission, doubt: str = ''
) -> Reference:
    """Enrol a view, in use or in quarantine; its `reason` says why the latter.

    Args:
        gallery: where; open for changing.
        sku: the product.
        view: of a sound item of it.
        how: who says so, and what of it a person vouches for.
        doubt: why it may not be sound, a sentence; it is compared with its siblings too.

    Raises:
        GalleryError, ViewError: if it cannot be kept.
    """
    if how.confirm or how.replace:
        doubt = ''
    else:
        doubt = doubt or unlike_siblings(view, [known.view for known in gallery.views(sku)])
    design = how.design
    if how.replace and not design:
        design = f'since {time_text(None)[:16]}'
    state = State.QUARANTINED if doubt else State.ACTIVE
    enrolment = Enrolment(view, design, state=state, reason=doubt)
    number = gallery.add_all(sku, [enrolment], how.by, how.replace)[0]
    return next(kept for kept in gallery.references(sku) if kept.id == number)


def looks_damaged(candidate: Candidate, doubted_from: float = UNSAID) -> str:
    """Say that an item may be damaged, in a sentence; empty = it looks sound.

    Args:
        candidate: the item, and from which P(damaged) it counted as damaged.
        doubted_from: P(damaged) from which it is doubted at the latest.
    """
    item: ItemReport | None = candidate.item
    if item is None or not item.confidence >= min(candidate.threshold or UNSAID, doubted_from):
        return ''
    return damage_doubt(item.confidence, (damage.damage_type for damage in item.damages))


def unlike_siblings(view: ItemView, siblings: Sequence[ItemView]) -> str:
    """Say how a reference differs from all the others of its product; empty = it does not."""
    if not siblings:
        return ''
    aligner = Aligner(view)
    aligned = [fit for fit in (aligner.bring(sibling) for sibling in siblings) if fit]
    compared = compare(view, aligned)
    if compared is None or compared.features['reference_fit'] < _LEAST_FIT:
        return f'it is unlike the other references of its product ({len(siblings)}); {WAITS}'
    item_cm2 = 1e4 * np.count_nonzero(view.item_mask) * view.resolution_m**2
    if compared.features['extra_cm2'] > _MOST_EXTRA * item_cm2:
        return f'it bears print that no other reference of its product has; {WAITS}'
    return ''
