"""Each item of a frame: its track, its fused view, the evidence on it, its report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame
from damage_perception.perception.comparison.design_watch import DesignWatch
from damage_perception.perception.evidence.assessor import Asked, Assessor, Memory
from damage_perception.perception.evidence.evidence import Evidence
from damage_perception.perception.gallery.fit import FittedReferences
from damage_perception.perception.gallery.lookup import References
from damage_perception.perception.geometry.geometry import DamageBlob
from damage_perception.perception.identification.item_identity import SaidIdentities, SeenIdentity
from damage_perception.perception.items.items import FoundItem
from damage_perception.perception.look import Look, judged_report, unjudged_report
from damage_perception.perception.projection import Plane
from damage_perception.perception.sensor.sensor import SensorProfile
from damage_perception.perception.tracking import Track, Tracker
from damage_perception.perception.view.face import Face, find_face
from damage_perception.perception.view.fusion import News, fuse
from damage_perception.perception.view.item_view import MARGIN_M, ItemView
from damage_perception.perception.view.quality import is_bitten, view_status
from damage_perception.perception.view.rectify import rectify
from damage_perception.perception.view.window import window_around
from damage_perception.report import ItemReport, Status
from damage_perception.settings import Settings


@dataclass(eq=False)
class _Known:
    """What is remembered of a track: its length axis, its fused view, what fits it, its looks."""

    axis: NDArray[np.float64]
    view: ItemView | None = None
    news: News | None = None  # of the next look to that view
    memory: Memory = field(default_factory=Memory)
    seen: SeenIdentity = field(default_factory=SeenIdentity)
    references: FittedReferences = field(default_factory=FittedReferences)


class Judge:
    """Follow the items, fuse their views and judge them."""

    def __init__(
        self,
        settings: Settings,
        assessor: Assessor,
        counts: Callable[[Evidence, str], bool],
        references: References | None = None,
        only_look: bool = False,
    ) -> None:
        self.settings = settings
        self._only_look = only_look  # no better look will come: ask the network in any case
        self._counts = counts  # whether an item of a product with this evidence is damaged
        self._references = references or References(None)
        self._assessor = assessor
        self._designs = DesignWatch()
        self._tracker = Tracker(settings.tracking)
        self._known: dict[int, _Known] = {}
        self._said = SaidIdentities()
        self._contradictions: list[str] = []

    def reset(self) -> None:
        """Forget all tracks; ids are not used again."""
        self._tracker.reset()
        self._known.clear()
        self._said.clear()

    def view_of(self, track_id: int) -> ItemView | None:
        """Give the fused view of an item that was in the newest frames; None = there is none."""
        known = self._known.get(track_id)
        return known.view if known else None

    def contradictions(self) -> list[str]:
        """Name the items in view that surely look like another product than they are said to be."""
        return self._contradictions

    def judge(
        self, frame: MeasuredFrame, found: list[FoundItem], support: Plane, profile: SensorProfile
    ) -> tuple[ItemReport, ...]:
        """Give a report for each item of a frame; `profile` is the noise of its depth."""
        self._tracker.settings = self.settings.tracking
        looks = [
            Look(frame, item, find_face(frame, item.mask, item.roi, support, profile), profile)
            for item in found
        ]
        seen = [look.observation(support) for look in looks]
        tracks = self._tracker.update(seen, frame.stamp_ns)
        self._known = {
            track.track_id: self._known.get(track.track_id) or _Known(np.zeros(3))
            for track in self._tracker.tracks
        }
        self._hear(frame, looks, tracks)
        looks = [self._turned(look, track) for look, track in zip(looks, tracks, strict=True)]
        asked = [self._asked(look, track, found) for look, track in zip(looks, tracks, strict=True)]
        self._contradictions = [
            f'item {track.track_id} {doubt}'
            for look, track in zip(looks, tracks, strict=True)
            for doubt in (
                look.seen.contradiction(look.said),
                self._said.contradiction(track.track_id),
            )
            if doubt
        ]
        judged = iter(self._assessor.assess([a for a in asked if a], self.settings.geometry))
        reports: list[ItemReport] = []
        used = 0
        for look, track, question in zip(looks, tracks, asked, strict=True):
            if question is None:
                status = look.item.status | Status.NO_REFERENCE | Status.DEPTH_POOR
                report = unjudged_report(look, track, status)
            else:
                report = self._report(look, track, question, next(judged), used)
            used += len(report.damages)
            reports.append(report)
        return tuple(reports)

    def _hear(self, frame: MeasuredFrame, looks: list[Look], tracks: list[Track]) -> None:
        """Take what is said with the frame for the item that it is said of."""
        self._said.keep(self._known.keys())
        whole = [t.track_id for look, t in zip(looks, tracks, strict=True) if look.is_clean]
        self._said.hear(frame.identity, [track.track_id for track in tracks], whole)

    def _turned(self, look: Look, track: Track) -> Look:
        """Let the face run the way it ran before: a square has no length of its own."""
        known = self._known[track.track_id]
        # Of a single picture, what is said is said of all that it shows.
        said = look.frame.identity if self._only_look else self._said.of(track.track_id)
        look = replace(look, seen=known.seen, said=said)
        if look.face is None:
            return look
        face = look.face.like(known.axis)
        known.axis = face.axes[:, 0]
        return replace(look, face=face)

    def _asked(self, look: Look, track: Track, found: list[FoundItem]) -> Asked | None:
        """Look at an item square on and bring the references of its product onto it."""
        if look.face is None:
            return None
        known = self._known[track.track_id]
        view = self._view(look, look.face, found, known)
        if look.is_clean:
            known.seen.look(view, self._references)
        elif not self._only_look:
            return Asked(view, view)
        references = known.references
        references.update(view, self._references.of(look.sku))
        unexplained = references.unexplained(view)
        return Asked(view, unexplained, references.fitting, known.memory)

    def _report(
        self, look: Look, track: Track, asked: Asked, evidence: Evidence, used: int
    ) -> ItemReport:
        status = look.item.status | view_status(asked.view) | self._doubts(look, track, evidence)
        # What a bite hides can only make it worse.
        if not self._counts(evidence, look.sku) and is_bitten(asked.view):
            status |= Status.PARTLY_JUDGED
        return judged_report(look, track, status, asked.view, evidence, used)

    def _doubts(self, look: Look, track: Track, evidence: Evidence) -> Status:
        """Tell what no reference vouches for."""
        if not (look.is_clean or self._only_look):
            return Status.NO_REFERENCE
        product = self._references.of(look.sku)
        references = self._known[track.track_id].references
        blobs = _surest(evidence.blobs) if self._counts(evidence, look.sku) else []
        if self._designs.suspects(look.sku, track.track_id, product, references, blobs):
            return Status.REFERENCE_SUSPECT
        if references.fitting:
            return Status(0)
        return Status.NO_REFERENCE | (
            Status.REFERENCE_SUSPECT if product.quarantined else Status(0)
        )

    def _view(self, look: Look, face: Face, found: list[FoundItem], known: _Known) -> ItemView:
        """Look at the item now and fuse it with what was seen; unclean looks are not fused."""
        frame = look.frame
        margin = int(np.ceil(2 * MARGIN_M * frame.camera.fx / max(face.centre[2], 1e-3)))
        window = window_around(look.item, found, frame.rgb.shape, margin)
        new = rectify(frame, window, face, look.profile)
        if not look.is_clean:
            return new
        fused = None
        if known.view is not None and known.news is not None:
            fused = fuse(known.view, new, known.news.of(face.centre, new.noise_correlation_m))
        if fused is None:
            known.news = News(face.centre)
            known.references.forget()
        known.view = fused or new
        return known.view


def _surest(damages: list[DamageBlob]) -> list[DamageBlob]:
    """Leave out what is pointed at but not what makes an item count as damaged."""
    least = 0.5 * max((damage.confidence for damage in damages), default=0.0)
    return [damage for damage in damages if damage.confidence >= least]
