"""Who may become a reference: what looks damaged or unlike its siblings waits for a person."""

from __future__ import annotations

from dataclasses import dataclass

from damage_perception.perception.gallery import Gallery
from damage_perception.perception.gallery_enrolment import Enrolment
from damage_perception.perception.gallery_records import Reference, State, time_text
from damage_perception.perception.item_view import ItemView
from damage_perception.report import ItemReport


@dataclass(frozen=True)
class Admission:
    """How a view is to be enrolled.

    Attributes:
        sku: its product.
        by: who vouches for it.
        design: version of its design, '' = not said.
        confirm: whether a person has looked at it, so that no doubt counts.
        replace: whether it shows a new design; the other references retire. Confirms too.
        threshold: P(damaged) from which an item counts as damaged.
    """

    sku: str
    by: str
    design: str = ''
    confirm: bool = False
    replace: bool = False
    threshold: float = 0.5


def admit(gallery: Gallery, view: ItemView, item: ItemReport, how: Admission) -> Reference:
    """Enrol the view of an item, in use or in quarantine; its `reason` says why the latter.

    Raises:
        GalleryError, ViewError: if it cannot be kept.
    """
    doubt = '' if how.confirm or how.replace else _looks_damaged(item, how.threshold)
    design = how.design
    if how.replace and not design:
        design = f'since {time_text(None)[:16]}'
    state = State.QUARANTINED if doubt else State.ACTIVE
    enrolment = Enrolment(view, design, state=state, reason=doubt)
    number = gallery.add_all(how.sku, [enrolment], how.by, how.replace)[0]
    return next(kept for kept in gallery.references(how.sku) if kept.id == number)


def _looks_damaged(item: ItemReport, threshold: float) -> str:
    if not item.confidence >= threshold:
        return ''
    kinds = {damage.damage_type.name.lower().replace('_', ' ') for damage in item.damages}
    return (
        f'it looks damaged ({", ".join(sorted(kinds)) or "no known kind"}, '
        f'P {item.confidence:.2f}); look at it, then activate or remove it'
    )
