"""Each item of a frame: its track, its fused view, the evidence on it, its report."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from damage_perception.frame import MeasuredFrame
from damage_perception.perception.design_watch import DesignWatch
from damage_perception.perception.face import Face, find_face
from damage_perception.perception.fusion import fuse, independence
from damage_perception.perception.gallery_fit import FittedReferences
from damage_perception.perception.gallery_lookup import References
from damage_perception.perception.geometry import GeometryEvidence, find_damage
from damage_perception.perception.item_view import MARGIN_M, ItemView
from damage_perception.perception.items import FoundItem
from damage_perception.perception.look import Look, judged_report, unjudged_report
from damage_perception.perception.projection import Plane
from damage_perception.perception.quality import view_status
from damage_perception.perception.rectify import rectify
from damage_perception.perception.sensor import SensorProfile
from damage_perception.perception.tracking import Track, Tracker
from damage_perception.perception.window import window_around
from damage_perception.report import ItemReport, Status
from damage_perception.settings import Settings


@dataclass(eq=False)
class _Known:
    """What is remembered of a track: its length axis, its fused view, what fits it."""

    axis: NDArray[np.float64]
    view: ItemView | None = None
    references: FittedReferences = field(default_factory=FittedReferences)


class Judge:
    """Follow the items, fuse their views and judge them."""

    def __init__(
        self,
        settings: Settings,
        profile: SensorProfile | None = None,
        references: References | None = None,
    ) -> None:
        self.settings = settings
        self._references = references or References(None)
        self._designs = DesignWatch()
        self.profile = profile or SensorProfile()
        self._tracker = Tracker(settings.tracking)
        self._known: dict[int, _Known] = {}

    def reset(self) -> None:
        """Forget all tracks; ids are not used again."""
        self._tracker.reset()
        self._known.clear()

    def view_of(self, track_id: int) -> ItemView | None:
        """Give the fused view of an item that was in the newest frames; None = there is none."""
        known = self._known.get(track_id)
        return known.view if known else None

    def judge(
        self, frame: MeasuredFrame, found: list[FoundItem], support: Plane
    ) -> tuple[ItemReport, ...]:
        """Give a report for each item of a frame."""
        self._tracker.settings = self.settings.tracking
        looks = [
            Look(frame, item, find_face(frame, item.mask, item.roi, support, self.profile))
            for item in found
        ]
        seen = [look.observation(support) for look in looks]
        tracks = self._tracker.update(seen, frame.stamp_ns)
        self._known = {
            track.track_id: self._known.get(track.track_id) or _Known(np.zeros(3))
            for track in self._tracker.tracks
        }
        reports: list[ItemReport] = []
        used = 0
        for look, track in zip(looks, tracks, strict=True):
            report = self._report(look, track, found, used)
            used += len(report.damages)
            reports.append(report)
        return tuple(reports)

    def _report(self, look: Look, track: Track, found: list[FoundItem], used: int) -> ItemReport:
        status = look.item.status
        if look.face is None:
            missing = Status.NO_REFERENCE | Status.DEPTH_POOR
            return unjudged_report(look, track, status | missing)
        known = self._known[track.track_id]
        face = look.face.like(known.axis)
        known.axis = face.axes[:, 0]
        look = Look(look.frame, look.item, face)
        view = self._view(look, face, track, found, known)
        status |= view_status(view)
        evidence, doubts = self._evidence(look, track, view, known.references)
        return judged_report(look, track, status | doubts, view, evidence, used)

    def _evidence(
        self, look: Look, track: Track, view: ItemView, references: FittedReferences
    ) -> tuple[GeometryEvidence, Status]:
        """Judge a view, and tell what no reference vouches for."""
        settings = self.settings.geometry
        if not look.is_clean:
            return find_damage(view, settings), Status.NO_REFERENCE
        sku = look.frame.identity.sku if look.frame.identity else ''
        product = self._references.of(sku)
        references.update(view, product)
        found = find_damage(references.unexplained(view), settings)
        if self._designs.suspects(sku, track.track_id, product, references, found.blobs):
            return found, Status.REFERENCE_SUSPECT
        if references.fitting:
            return found, Status(0)
        quarantined = Status.REFERENCE_SUSPECT if product.quarantined else Status(0)
        return found, Status.NO_REFERENCE | quarantined

    def _view(
        self, look: Look, face: Face, track: Track, found: list[FoundItem], known: _Known
    ) -> ItemView:
        """Look at the item now and fuse it with what was seen; unclean looks are not fused."""
        frame = look.frame
        margin = int(np.ceil(2 * MARGIN_M * frame.camera.fx / max(face.centre[2], 1e-3)))
        window = window_around(look.item, found, frame.rgb.shape, margin)
        new = rectify(frame, window, face, self.profile)
        if not look.is_clean:
            return new
        fused = None
        if known.view is not None:
            pixels = track.motion_m * frame.camera.fx / face.centre[2]
            news = independence(float(pixels), self.profile.correlation_px)
            fused = fuse(known.view, new, news)
        if fused is None:
            known.references.forget()
        known.view = fused or new
        return known.view
