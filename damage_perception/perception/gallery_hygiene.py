"""Who may become a reference: what looks damaged or unlike its siblings waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from damage_perception.perception.gallery import Gallery
from damage_perception.perception.gallery_candidate import Candidate
from damage_perception.perception.gallery_enrolment import Enrolment
from damage_perception.perception.gallery_records import Reference, State, time_text
from damage_perception.report import ItemReport

UNSAID = 0.5  # P(damaged) from which an item counts as damaged where reports do not say


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


def admit(gallery: Gallery, candidate: Candidate, how: Admission) -> Reference:
    """Enrol the view of an item, in use or in quarantine; its `reason` says why the latter.

    Raises:
        GalleryError, ViewError: if it cannot be kept.
    """
    assert candidate.view is not None, candidate.why_not
    doubt = '' if how.confirm or how.replace else looks_damaged(candidate)
    design = how.design
    if how.replace and not design:
        design = f'since {time_text(None)[:16]}'
    state = State.QUARANTINED if doubt else State.ACTIVE
    enrolment = Enrolment(candidate.view, design, state=state, reason=doubt)
    number = gallery.add_all(candidate.sku, [enrolment], how.by, how.replace)[0]
    return next(kept for kept in gallery.references(candidate.sku) if kept.id == number)


def looks_damaged(candidate: Candidate) -> str:
    """Say that an item was judged as damaged, in a sentence; empty = it was not."""
    item: ItemReport | None = candidate.item
    if item is None or not item.confidence >= (candidate.threshold or UNSAID):
        return ''
    kinds = {damage.damage_type.name.lower().replace('_', ' ') for damage in item.damages}
    return (
        f'it looks damaged ({", ".join(sorted(kinds)) or "no known kind"}, '
        f'P {item.confidence:.2f}); look at it, then activate or remove it'
    )
